"""Builds of some steps alone."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.checked import checked
from crossfade.core.pipeline.choosing import chosen, lacks_approvals
from crossfade.core.pipeline.document import with_main_clone
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.tree import Mark, grown
from crossfade.testing.fake_build import FakeBuild, after, step

STEPS = {
    "main_clone": {"type": "git-clone", "repo": "a/b"},
    "test": step(),
    "both": {"type": "parallel", "steps": {"left": step(), "right": step()}},
    "deploy": after("test"),
}


def build_of(only=(), skip=(), steps=STEPS, **more):
    build = FakeBuild({"steps": steps})
    document = {"version": "1.0", "steps": steps, **more}
    pipeline = checked(grown(document, Mark(1, 1))).pipeline
    build.graph = graph_of(chosen(pipeline, only, skip))
    return build.play()


@pytest.mark.parametrize(
    ("only", "skip", "ran"),
    [
        ((), (), ["main_clone", "test", "left", "right", "deploy"]),
        (("deploy",), (), ["main_clone", "deploy"]),
        (("left",), (), ["main_clone", "left"]),
        (("both",), (), ["main_clone", "left", "right"]),
        ((), ("test",), ["main_clone", "left", "right", "deploy"]),
        ((), ("both", "main_clone"), ["test", "deploy"]),
        (("both", "deploy"), ("right",), ["main_clone", "left", "deploy"]),
    ],
)
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_the_steps_that_are_meant_run_and_wait_for_no_others(only, skip, ran, mode):
    build = build_of(only, skip, mode=mode)

    assert sorted(build.started) == sorted(ran)
    assert build["build"] == "success"
    left_out = [
        k for k, unit in build.state.units.items() if unit.reason == "left out of this build"
    ]
    assert all(build[key] == "skipped" for key in left_out)


def test_a_name_that_no_step_has_is_refused_with_a_guess():
    with pytest.raises(InputError, match="there is no step `tset`") as error:
        build_of(only=("tset",))

    assert "deploy" in error.value.hint


def test_names_are_looked_at_once_the_steps_are_known():
    pipeline = checked(grown({"version": "1.0", "steps": {}}, Mark(1, 1))).pipeline

    assert chosen(pipeline, ("deploy",), ()) is pipeline


@pytest.mark.parametrize(
    ("only", "skip", "lacks"),
    [
        ((), ("unit",), False),
        ((), ("go",), True),
        (("ship",), (), True),
        (("go", "ship"), (), False),
        (("go", "ship"), ("go",), True),
    ],
)
def test_whoever_leaves_an_approval_out_is_found_out(only, skip, lacks):
    steps = {"unit": step(), "go": {"type": "pending-approval"}, "ship": step()}
    pipeline = checked(grown({"version": "1.0", "steps": steps}, Mark(1, 1))).pipeline

    assert lacks_approvals(chosen(pipeline, only, skip)) is lacks


def test_steps_that_are_not_known_yet_may_be_approvals():
    pipeline = checked(grown({"version": "1.0", "steps": {}}, Mark(1, 1))).pipeline

    assert lacks_approvals(chosen(pipeline, ("deploy",), ()))
    assert lacks_approvals(with_main_clone(chosen(pipeline, (), ("ask",))))
