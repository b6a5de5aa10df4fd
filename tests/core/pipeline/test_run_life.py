"""Attempts, losses, timeouts, approvals, and ends that come from outside."""

import pytest

from crossfade.core.pipeline.run import (
    MOST_KILLED,
    MOST_LOSSES,
    begin,
    decide,
    refused,
    restarted,
    runs,
)
from crossfade.core.pipeline.state import Answer, Result, RunSight, Seen, Status
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.testing.fake_build import FakeBuild, after, graph_from, on, step

FAIL, LOST, HANG = Status.FAILED, Status.LOST, Status.RUNNING


def test_attempts_wait_and_are_counted():
    retry = {"maxAttempts": 3, "delay": 5, "exponentialFactor": 2}
    build = FakeBuild({"steps": {"a": step(retry=retry)}}, {"a": FAIL}).play()

    assert build.times["a"] == [0, 25, 650]
    assert build.state.units["a"].attempt == 3
    assert build["build"] == "failure"


def test_a_step_that_is_killed_from_outside_uses_up_no_attempt():
    killed = [Status.KILLED] * MOST_KILLED
    build = FakeBuild({"steps": {"a": step()}}, {"a": killed}).play()

    assert build["build"] == "success"
    assert (build.state.units["a"].attempt, build.state.units["a"].lost) == (1, MOST_KILLED)


def test_a_step_that_is_killed_each_time_fails_in_the_end():
    build = FakeBuild({"steps": {"a": step()}}, {"a": Status.KILLED}).play()

    assert build["build"] == "failure"
    assert len(build.times["a"]) == MOST_KILLED + 1


def test_a_lost_machine_uses_up_no_attempt():
    build = FakeBuild(
        {"steps": {"a": step(retry={"maxAttempts": 2})}}, {"a": [LOST, FAIL, LOST]}
    ).play()

    assert build["a"] == "success"
    assert (build.state.units["a"].attempt, build.state.units["a"].lost) == (2, 2)
    assert build.started == ["a"] * 4


def test_a_step_under_which_every_machine_dies_fails_in_the_end():
    build = FakeBuild({"steps": {"a": step()}}, {"a": LOST}).play()

    assert build["build"] == "failure"
    assert len(build.started) == MOST_LOSSES + 1


def test_a_report_of_an_older_run_changes_nothing():
    build = FakeBuild({"steps": {"a": step(retry={"maxAttempts": 2})}}, {"a": HANG})
    build.look()
    old = Seen({"a": RunSight(0, Status.FAILED)})

    assert decide(build.graph, build.state, old, 1.0).want == build.state


def test_timeouts_of_a_group_are_those_of_its_children_unless_they_say_otherwise():
    children = {"a": step(), "b": step(timeout="2m"), "c": step(timeout=None)}
    group = {"type": "parallel", "timeout": "1m", "fail_fast": False, "steps": children}
    units = graph_from({"steps": {"g": group}}).units

    assert [units[name].step.timeout_seconds for name in "abc"] == [60, 120, None]


def test_a_step_that_takes_too_long_is_ended_and_has_failed():
    build = FakeBuild({"steps": {"a": step(timeout="1m"), "b": step()}}, {"a": HANG})
    build.look()
    assert (build.wake_at, runs(build.graph, build.state)[0].key) == (60, "a")
    build.now = 60
    build.look()
    assert runs(build.graph, build.state) == ()  # wanted no more, but still there
    assert build["a"] == "running"
    build.seen = Seen()
    build.play()

    assert (build["a"], build["b"], build["build"]) == ("failure", "skipped", "failure")
    assert "timeout of 60 s" in build.state.units["a"].reason


APPROVAL = {
    "steps": {
        "ask": {"type": "pending-approval", "fail_fast": False, "timeout": {"duration": 2, "finalState": "denied"}},
        "p": after("ask", "approved"),
        "q": after("ask", "denied"),
        "r": on("steps.ask.authEntity.name == 'ann'"),
    }
}  # fmt: skip


@pytest.mark.parametrize(
    ("approved", "expected"),
    [
        (True, {"ask": "approved", "p": "success", "q": "skipped", "r": "success"}),
        (False, {"ask": "denied", "p": "skipped", "q": "success", "r": "success"}),
    ],
)
def test_an_answer_decides_what_follows(approved, expected):
    build = FakeBuild(APPROVAL)
    build.look()
    assert build.state.result is Result.WAITING
    assert runs(build.graph, build.state) == ()
    build.play(answers={"ask": Answer(approved, "ann")})

    assert {key: build[key] for key in expected} == expected


def test_nobody_answers():
    build = FakeBuild(APPROVAL)
    build.look()
    assert build.wake_at == 7200
    build.now = 7200

    assert build.play()["q"] == "success"


def test_a_denied_approval_fails_the_build():
    build = FakeBuild({"steps": {"ask": {"type": "pending-approval"}, "a": step()}})
    build.look()
    build.play(answers={"ask": Answer(False)})

    assert (build["a"], build["build"]) == ("skipped", "denied")


def test_whoever_ends_a_build_ends_everything_in_it():
    steps = {
        "a": step(hooks={"on_finish": ["x"]}),
        "b": step(),
        "c": on("workflow.result == 'terminated'"),
        "d": after("a"),
    }
    build = FakeBuild(
        {"mode": "parallel", "steps": steps, "hooks": {"on_fail": ["x"]}}, {"a": HANG, "b": HANG}
    )
    build.look()
    build.look(terminate="enough")
    assert {run.key for run in runs(build.graph, build.state)} == {"c"}
    assert build.state.result is Result.TERMINATING
    build.seen = Seen({key: each for key, each in build.seen.runs.items() if key == "c"})
    build.play()

    results = {key: build[key] for key in ("build", "a", "b", "c", "d")}
    assert results == {
        "build": "terminated", "a": "terminated", "b": "terminated", "c": "success", "d": "skipped",
    }  # fmt: skip


def test_exports_are_seen_by_later_steps_only():
    leaves = RunSight(0, Status.SUCCEEDED, exports=(Variable("V", "1", Source.EXPORT),))
    build = FakeBuild(
        {"steps": {"a": on('"${{V}}" == "1"'), "b": step(), "c": on('"${{V}}" == "1"')}},
        {"b": leaves},
    ).play()

    assert (build["a"], build["b"], build["c"]) == ("skipped", "success", "success")


def test_a_build_goes_on_from_what_failed():
    build = FakeBuild({"steps": {"a": step(), "b": step(), "c": step()}}, {"b": [FAIL]}).play()
    assert build["build"] == "failure"
    build.state, build.started, build.seen = (
        restarted(build.graph, build.state, build.now),
        [],
        Seen(),
    )
    build.play()

    assert build.started == ["b", "c"]
    assert build["build"] == "success"


def test_the_same_sight_twice_changes_nothing():
    build = FakeBuild({"steps": {"a": step(), "b": step()}}, {"a": HANG})
    build.look()
    again = decide(build.graph, build.state, build.seen, build.now)

    assert (again.want, again.events) == (build.state, ())


def test_what_was_inside_of_a_group_that_succeeded_is_still_known_after_a_restart():
    group = {"type": "parallel", "steps": {"a": step(hooks={"on_finish": ["x"]}), "b": step()}}
    build = FakeBuild({"steps": {"g": group, "c": step(), "d": step()}}, {"c": [FAIL]}).play()
    build.state, build.started, build.seen = restarted(build.graph, build.state, 1.0), [], Seen()
    assert (build["g"], build["a"], build["a@on_finish/on_finish"], build["c"]) == (
        "success", "success", "success", "running",
    )  # fmt: skip
    build.play()

    assert build.started == ["c", "d"]
    assert build["build"] == "success"


def test_a_restarted_build_runs_its_first_hook_again_and_then_goes_on():
    document = {"steps": {"a": step(), "b": step(), "c": step()}, "hooks": {"on_elected": ["x"]}}
    build = FakeBuild(document, {"b": [FAIL]}).play()
    build.state, build.started, build.seen = restarted(build.graph, build.state, 1.0), [], Seen()
    build.play()

    assert build.started == ["@on_elected/on_elected", "b", "c"]
    assert build["build"] == "success"


@pytest.mark.parametrize("kind", ["parallel", "helm:1.1.12"])
def test_steps_in_arguments_that_repeat_a_name_do_not_hang_the_build(kind):
    inner = {"type": kind, "arguments": {"steps": {"a": {"image": "x"}}}}
    build = FakeBuild({"steps": {"a": inner}}).play()

    assert build.state.ended


def test_a_restarted_build_that_never_began_is_looked_at_as_a_new_one():
    given = {"A": Variable("A", "b", Source.RUN)}
    graph = graph_from(
        {"steps": {"a": step(when={"condition": {"all": {"x": "'${{B}}' == 'c'"}}})}}
    )
    no_machine = refused(begin(given), "its image is not at hand", 1.0)
    ended = decide(graph, begin(given), Seen(terminate="by somebody"), 1.0).want

    assert restarted(graph, no_machine, 2.0) == begin(given)
    assert restarted(graph, ended, 2.0) == begin(given)
