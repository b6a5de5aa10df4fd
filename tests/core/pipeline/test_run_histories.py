"""Builds of any form, with runs that end in any way."""

from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.pipeline.state import RunSight, Status
from crossfade.testing.fake_build import FakeBuild, step

FAIL, LOST = Status.FAILED, Status.LOST
NAMES = [f"s{i}" for i in range(6)]
RESULT_WORDS = st.sampled_from(["success", "failure", "finished", "skipped", "running"])
WAITS = st.builds(
    lambda name, words: {"name": name, "on": words},
    st.sampled_from([*NAMES, "main_clone", "nope"]),
    st.lists(RESULT_WORDS, min_size=1, max_size=2),
)
WHENS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "steps": st.lists(WAITS, min_size=1, max_size=2) | st.fixed_dictionaries({"any": st.lists(WAITS, min_size=1, max_size=2)}),
        "condition": st.sampled_from(
            [{"all": {"c": f"steps.{name}.result == '{result}'"}} for name in NAMES[:3] for result in ("success", "failure")]
            + [{"any": {"c": "workflow.result == 'failure'"}}]
        ),
    },
)  # fmt: skip
LEAVES = st.builds(
    lambda when, tolerant, hook: step(
        fail_fast=not tolerant,
        **({"when": when} if when else {}),
        **({"hooks": {hook: ["x"]}} if hook else {}),
    ),
    WHENS,
    st.booleans(),
    st.sampled_from([None, None, "on_elected", "on_success", "on_fail", "on_finish"]),
)


@st.composite
def pipelines(draw):
    steps = {name: draw(LEAVES) for name in NAMES[:4]}
    if draw(st.booleans()):
        steps["g"] = {"type": "parallel", "steps": {name: draw(LEAVES) for name in NAMES[4:]}}
    return {"mode": draw(st.sampled_from(["sequential", "parallel"])), "steps": steps}


@settings(max_examples=150, deadline=None)
@given(
    pipelines(),
    st.lists(st.sampled_from([*[Status.SUCCEEDED] * 4, FAIL, LOST]), min_size=40, max_size=40),
)
def test_every_build_ends_with_every_step_decided(document, ends):
    build = FakeBuild(document)
    fates = iter(ends)
    build.sight = lambda run: RunSight(run.number, next(fates, Status.SUCCEEDED))
    build.play()

    assert build.state.ended
    assert set(build.state.active) == set()
    main = [key for key, unit in build.graph.units.items() if unit.hook is None]
    assert [key for key in main if "@" not in key and key not in build.state.units] == []
    failures = [build[k] for k in main if build.graph.units[k].step.fail_fast is True and k]
    if "failure" in failures and document["mode"] == "sequential":
        assert build["build"] == "failure"
