"""The log of a step over its attempts and restarts."""

from crossfade.adapters.runners.log_files import LogFiles
from crossfade.core.pipeline.state import Phase, Result, State, UnitState
from crossfade.engine.pipelines.log_reading import StepLog, log_page, log_runs
from crossfade.engine.pipelines.records import Build
from crossfade.ports.runner import RunId

BUILD = Build("1", "p", "", 0.0)


def unit(run, ended=None, since=1.0):
    phase = Phase.BODY if ended is None else Phase.DONE
    return UnitState(phase, Result.RUNNING, since, run=run, ended=ended)


def state(run, ended=None, begun=1.0):
    return State({"": unit(0, since=begun), "test": unit(run, ended)}, active=("test",))


def write(logs, run, text, generation=0):
    logs.begin(RunId("1", generation, "test", run))
    logs.append(RunId("1", generation, "test", run), text)


def test_attempts_are_one_log_whose_lines_say_which_attempt_printed_them(tmp_path):
    logs = LogFiles(tmp_path)
    write(logs, 1, "a\nb")
    write(logs, 2, "c\n")
    log = StepLog(logs, "test")
    seen = []
    while lines := log.more(BUILD, state(3)):
        seen += [(each.number, each.run, each.text) for each in lines]

    assert seen == [(1, 1, "a"), (2, 1, "b"), (3, 2, "c")]


def test_a_line_without_an_end_waits_for_it_until_the_step_has_ended(tmp_path):
    logs = LogFiles(tmp_path)
    write(logs, 1, "whole\nhal")
    log = StepLog(logs, "test")

    assert [each.text for each in log.more(BUILD, state(1))] == ["whole"]
    assert log.more(BUILD, state(1)) == []
    logs.append(RunId("1", 0, "test", 1), "f")
    assert log.more(BUILD, state(1)) == []
    assert [each.text for each in log.more(BUILD, state(1, ended=5.0))] == ["half"]


def test_what_a_restart_has_kept_keeps_its_log_and_what_runs_again_begins_a_new_one(tmp_path):
    logs = LogFiles(tmp_path)
    write(logs, 1, "first time\n")
    again = Build("1", "p", "", 0.0, generation=1)
    kept = log_page(StepLog(logs, "test"), again, state(1, ended=2.0, begun=3.0), 0, 10)
    new = log_runs(logs, again, state(1, begun=3.0), "test")

    assert [each.text for each in kept.lines] == ["first time"]
    assert new == (RunId("1", 1, "test", 1),)


def test_a_page_ends_where_it_should_and_says_whether_there_is_more(tmp_path):
    logs = LogFiles(tmp_path)
    write(logs, 1, "".join(f"{n}\n" for n in range(1, 8)))
    done = state(1, ended=2.0)
    page = log_page(StepLog(logs, "test"), BUILD, done, 2, 3)
    last = log_page(StepLog(logs, "test"), BUILD, done, 5, 3)

    assert [each.number for each in page.lines] == [3, 4, 5]
    assert (page.more, [each.number for each in last.lines], last.more) == (True, [6, 7], False)
