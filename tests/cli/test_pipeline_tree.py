"""The tree of a build in a terminal."""

import os
import pty
import re
import subprocess
import sys

import pytest

from crossfade.adapters.pipelines.judging import judge
from crossfade.cli.pipeline_tree import Row, rows
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.state import Phase, Result, State, UnitState

TEXT = """version: '1.0'
steps:
  both:
    type: parallel
    steps:
      one: {image: alpine, commands: [sleep 0.6, echo hello from one]}
      two: {image: alpine, commands: [sleep 0.6, 'exit 3'], fail_fast: false}
  last:
    image: alpine
    commands: [sleep 0.6]
    hooks: {on_finish: [echo over]}
"""


def unit(result: Result, **more) -> UnitState:
    return UnitState(Phase.BODY, result, 10.0, **more)


@pytest.fixture
def graph():
    return graph_of(judge(TEXT, {}).pipelines[0])


def test_steps_are_shown_below_the_step_that_they_are_part_of_with_what_became_of_them(graph):
    state = State(
        {
            "both": unit(Result.RUNNING),
            "one": unit(Result.RUNNING, attempt=2),
            "two": unit(Result.FAILURE, ended=12.5, reason="exit code 3"),
        }
    )

    assert [(each.result, each.text) for each in rows(graph, state, 13.0, 20)] == [
        ("running", "both  3s"),
        ("running", "  one  3s, attempt 2"),
        ("failure", "  two  2.5s, exit code 3"),
        ("pending", "last"),
    ]


def test_a_tree_that_is_higher_than_the_terminal_shows_what_goes_on_and_counts_the_rest(graph):
    state = State({"both": unit(Result.RUNNING), "one": unit(Result.SUCCESS, ended=11.0)})

    assert rows(graph, state, 12.0, 3) == [
        Row("running", "both  2s"),
        Row("", "and 2 pending, 1 success"),
    ]


def test_below_the_steps_stands_what_the_whole_build_waits_for(graph):
    state = State({"both": unit(Result.RUNNING)}, waits_for="the fleet is empty")

    assert rows(graph, state, 12.0, 3) == [
        Row("running", "both  2s"),
        Row("", "and 3 pending"),
        Row("waits", "the build waits: the fleet is empty"),
    ]


def at_a_terminal(tmp_path, *arguments: str, **environment: str) -> str:
    """Return all that a command has written to its terminal."""
    ours, theirs = pty.openpty()
    own = {"CROSSFADE_HOME": str(tmp_path / "home"), "TERM": "xterm", "COLUMNS": "100"}
    without = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
    command = [sys.executable, "-m", "crossfade.cli.main", *arguments]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=without | own | environment
    ):
        os.close(theirs)
        pieces = []
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # a terminal that nobody writes to any more
                break
            if not data:
                break
            pieces.append(data)
    os.close(ours)
    return b"".join(pieces).decode()


def test_a_terminal_shows_the_tree_while_the_build_runs_and_the_lines_stay(tmp_path):
    file = tmp_path / "codefresh.yml"
    file.write_text(TEXT)

    written = at_a_terminal(tmp_path, "pipeline", "run", str(file))

    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written)
    assert "● both" in plain
    assert "✗   two" in plain
    assert "one" in plain
    assert plain.count("hello from one") == 1
    assert "build 1: success" in plain


def test_a_terminal_that_can_move_no_cursor_gets_plain_lines(tmp_path):
    file = tmp_path / "codefresh.yml"
    file.write_text(TEXT)

    written = at_a_terminal(tmp_path, "pipeline", "run", str(file), TERM="dumb")

    assert "\x1b[" not in written
    assert "hello from one" in written
