"""What people are told of a step."""

from dataclasses import replace

import pytest

from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.core.pipeline.why import why
from crossfade.testing.fake_build import FakeBuild, after, on, step


def told(build: FakeBuild, key: str) -> str:
    return " | ".join(why(build.graph, build.state, key))


@pytest.fixture
def build():
    steps = {
        "a": step(fail_fast=False),
        "b": step(),
        "c": after("b"),
        "d": on("steps.a.result == 'success'"),
        "e": after("a"),
        "f": step(when={"branch": {"only": ["main"]}}),
        "g": {"type": "parallel", "steps": {"h": step()}},
        "ask": {"type": "pending-approval"},
        "i": step(retry={"maxAttempts": 3, "delay": 60}),
        "j": step(),
    }
    ends = {
        "a": RunSight(0, Status.FAILED, "exit code 2"),
        "b": Status.RUNNING,
        "h": Status.RUNNING,
        "i": [Status.FAILED],
        "j": [Status.LOST, Status.RUNNING],
    }
    build = FakeBuild({"mode": "parallel", "steps": steps}, ends, {"CF_BRANCH": "x"})
    build.look()
    build.look()
    return build


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("a", "a: failure | exit code 2"),
        ("b", "b: running | attempt 1 of 1 is under way"),
        ("c", "c: pending | waits for b to be success; it is running"),
        ("d", "d: pending | condition c is false: steps.a.result == 'success' | condition c: steps.a.result == 'success'  ->  false"),
        ("e", "e: skipped | a is failure, success is wanted"),
        ("f", "f: skipped | branch x is not among main"),
        ("g", "g: running | under way in it: h"),
        ("ask", "ask: pending-approval | an answer is waited for; without one it is terminated"),
        ("i", "i: running | attempt 2 of 3 waits for its time"),
        ("j", "j: running | attempt 1 of 1 is under way | its machine was lost 1 times, which uses up no attempt"),
        ("", "the build: running | under way in it: b, g, ask, i, j"),
    ],
)  # fmt: skip
def test_a_step_says_how_it_stands_and_why(build, key, words):
    assert told(build, key) == words


def test_a_step_whose_turn_has_not_come():
    build = FakeBuild(
        {"steps": {"a": step(), "b": step(hooks={"on_fail": ["x"]})}}, {"a": Status.RUNNING}
    )
    assert told(build, "a") == "a: pending | it is part of the build, which has not come to it"
    build.look()

    assert told(build, "b") == "b: pending | its turn comes after a"
    assert (
        told(build, "b@on_fail/on_fail")
        == "on_fail: pending | it is part of b, which has not come to it"
    )


def test_a_build_that_somebody_ended():
    build = FakeBuild({"steps": {"a": step()}}, {"a": Status.RUNNING})
    build.look()
    build.look(terminate="enough")

    assert "somebody ended it: enough" in told(build, "")


def test_there_is_no_such_step():
    build = FakeBuild({"steps": {}})

    with pytest.raises(KeyError):
        why(build.graph, begin({}), "nope")


def test_a_step_under_way_says_what_the_whole_build_waits_for(build):
    build.state = replace(build.state, waits_for="the fleet is empty")

    assert told(build, "b").endswith("is under way | the build waits: the fleet is empty")
    assert told(build, "").endswith("the build waits: the fleet is empty")
    assert "fleet" not in told(build, "a"), "it is over"
