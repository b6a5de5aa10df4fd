"""What every store of logs does."""

import pytest

from crossfade.adapters.runners.log_files import LogFiles
from crossfade.ports.runner import RunId
from crossfade.ports.step_logs import StepLogs

RUN = RunId("7", 0, "hooks/on_finish: näher", 1)


@pytest.fixture
def logs(tmp_path) -> StepLogs:
    return LogFiles(tmp_path)


def test_a_log_that_never_began_is_empty(logs):
    assert logs.read(RUN) == ("", 0)


def test_a_log_can_be_followed_from_where_one_was(logs):
    logs.begin(RUN)
    logs.append(RUN, "eins\n")
    text, offset = logs.read(RUN)
    logs.append(RUN, "zwei ä\n")

    assert text == "eins\n"
    assert logs.read(RUN, offset)[0] == "zwei ä\n"


def test_a_log_that_begins_again_has_nothing_of_before(logs):
    logs.begin(RUN)
    logs.append(RUN, "old")
    logs.begin(RUN)

    assert logs.read(RUN)[0] == ""


@pytest.mark.parametrize(
    "other",
    [
        RunId("8", 0, RUN.key, 1),
        RunId("7", 1, RUN.key, 1),
        RunId("7", 0, RUN.key, 2),
        RunId("7", 0, RUN.key + "!", 1),
    ],
)
def test_runs_do_not_share_a_log(logs, other):
    for run in (RUN, other):
        logs.begin(run)
    logs.append(RUN, "mine")

    assert logs.read(other)[0] == ""


def test_a_log_that_is_longer_than_one_read_comes_in_whole_lines(logs):
    logs.begin(RUN)
    line = "ä" * 99 + "\n"
    logs.append(RUN, line * 20_000)
    whole, offset = "", 0
    while True:
        text, offset = logs.read(RUN, offset)
        if not text:
            break
        whole += text

    assert whole == line * 20_000
