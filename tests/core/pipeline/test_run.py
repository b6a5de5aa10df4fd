"""What runs, what does not, and how the build ends."""

import pytest

from crossfade.core.pipeline.state import Seen, Status
from crossfade.testing.fake_build import FakeBuild, after, on, step

FAIL, HANG = Status.FAILED, Status.RUNNING

TOLERANT = {
    "a": step(fail_fast=False),
    "b": after("a", "failure"),
    "c": on("steps.a.result == 'success'"),
}

CASES = {
    "one after the other": (
        {"steps": {"a": step(), "b": step()}}, {}, {"a": "success", "b": "success", "build": "success"},
    ),
    "a failure stops the build": (
        {"steps": {"a": step(), "b": step()}}, {"a": FAIL}, {"a": "failure", "b": "skipped", "build": "failure"},
    ),
    "a tolerated failure does not": (
        {"steps": TOLERANT}, {"a": FAIL}, {"a": "failure", "b": "success", "c": "skipped", "build": "success"},
    ),
    "unless the pipeline is strict": (
        {"strict_fail_fast": True, "steps": TOLERANT}, {"a": FAIL}, {"b": "success", "build": "failure"},
    ),
    "or the step is": (
        {"steps": {"a": step(fail_fast=False, strict_fail_fast=True), "b": step()}}, {"a": FAIL},
        {"b": "success", "build": "failure"},
    ),
    "the pipeline tolerates failures": (
        {"fail_fast": False, "steps": {"a": step(), "b": step()}}, {"a": FAIL}, {"b": "success", "build": "success"},
    ),
    "a flag from a variable": (
        {"steps": {"a": step(fail_fast="${{NO}}"), "b": step()}}, {"a": FAIL}, {"b": "success", "build": "success"},
    ),
    "a graph: finished and failure start together": (
        {"mode": "parallel", "steps": {"x": step(fail_fast=False), "y": after("x", "finished"), "z": after("x", "failure")}},
        {"x": FAIL}, {"y": "success", "z": "success", "build": "success"},
    ),
    "a graph: a failure aborts it": (
        {"mode": "parallel", "steps": {"x": step(), "y": after("x", "finished"), "z": after("x", "failure")}},
        {"x": FAIL}, {"y": "skipped", "z": "skipped", "build": "failure"},
    ),
    "a graph: what waits for a skipped step is skipped": (
        {"mode": "parallel", "steps": {"a": step(when={"branch": {"only": ["nope"]}}), "b": after("a"), "c": after("a", "finished")}},
        {}, {"a": "skipped", "b": "skipped", "c": "success", "build": "success"},
    ),
    "a graph: a condition that becomes true": (
        {"mode": "parallel", "steps": {"a": on("steps.b.result == 'success'"), "b": step()}}, {}, {"a": "success"},
    ),
    "a graph: a condition that never does": (
        {"mode": "parallel", "steps": {"a": on("steps.b.result == 'failure'"), "b": step(), "c": after("a", "skipped")}},
        {}, {"a": "skipped", "c": "success", "build": "success"},
    ),
    "a graph: any of several": (
        {"mode": "parallel", "steps": {
            "a": step(fail_fast=False), "b": step(),
            "c": step(when={"steps": {"any": [{"name": "a"}, {"name": "b"}]}}),
            "d": step(when={"steps": {"all": [{"name": "a"}, {"name": "b"}]}}),
        }}, {"a": FAIL}, {"c": "success", "d": "skipped"},
    ),
    "a graph: a circle ends": (
        {"mode": "parallel", "steps": {"a": after("b"), "b": after("a"), "c": step()}}, {},
        {"a": "skipped", "b": "skipped", "c": "success", "build": "success"},
    ),
    "a graph: a missing step": (
        {"mode": "parallel", "steps": {"a": after("nope"), "b": after("main_clone")}}, {},
        {"a": "skipped", "b": "success"},
    ),
    "a graph: a step for the failure of all others": (
        {"mode": "parallel", "steps": {"a": step(), "b": on("workflow.result == 'failure'"), "c": after("a")}},
        {"a": FAIL}, {"b": "success", "c": "skipped", "build": "failure"},
    ),
    "a graph: a step for the success of all others": (
        {"mode": "parallel", "steps": {"a": step(), "b": on("workflow.result == 'success'")}}, {}, {"b": "success"},
    ),
    "sequential: each when is looked at once": (
        {"steps": {"a": after("b"), "b": step()}}, {}, {"a": "skipped", "b": "success"},
    ),
    "a group joins": (
        {"steps": {"g": {"type": "parallel", "steps": {"a": step(), "b": after("a")}}, "c": after("g")}}, {},
        {"a": "success", "b": "success", "g": "success", "c": "success"},
    ),
    "a group fails with a child, and ends the others": (
        {"steps": {"g": {"type": "parallel", "steps": {"a": step(), "b": step()}}, "c": step()}}, {"a": FAIL, "b": HANG},
        {"a": "failure", "g": "failure", "c": "skipped", "build": "failure"},
    ),
    "a tolerated group": (
        {"strict_fail_fast": True, "steps": {"g": {"type": "parallel", "fail_fast": False, "strict_fail_fast": False, "steps": {"a": step()}}, "c": step()}},
        {"a": FAIL}, {"g": "failure", "c": "success", "build": "success"},
    ),
    "a group with criteria": (
        {"steps": {"g": {"type": "parallel", "success_criteria": {"steps": {"ignore": ["a"]}}, "steps": {"a": step(), "b": step()}}}},
        {"a": FAIL}, {"a": "failure", "g": "success", "build": "success"},
    ),
    "a group with a condition as criteria": (
        {"steps": {"g": {"type": "parallel", "success_criteria": {"condition": {"any": {"c": "steps.b.result == 'failure'"}}}, "steps": {"b": step()}}}},
        {}, {"b": "success", "g": "failure", "build": "failure"},
    ),
    "scaled steps": (
        {"steps": {"s": step(scale={"a": {"environment": ["A=1"]}, "b": {}}), "c": after("s")}}, {},
        {"a": "success", "b": "success", "s": "success", "c": "success"},
    ),
    "a branch by name and by pattern": (
        {"steps": {
            "a": step(when={"branch": {"only": ["main"]}}), "b": step(when={"branch": {"only": ["/^MA/i"]}}),
            "c": step(when={"branch": {"ignore": ["/^ma/"]}}), "d": step(when={"branch": {"ignore": ["mai"]}}),
        }}, {}, {"a": "success", "b": "success", "c": "skipped", "d": "success"},
    ),
    "hooks around a step that fails": (
        {"steps": {"a": step(hooks={"on_elected": ["1"], "on_success": ["2"], "on_fail": ["3"], "on_finish": ["4"]})}},
        {"a": FAIL, "on_finish": FAIL},
        {"a@on_elected/on_elected": "success", "a": "failure", "a@on_fail/on_fail": "success",
         "a@on_finish/on_finish": "failure", "a@on_success/on_success": "pending", "build": "failure"},
    ),
    "a failing first hook": (
        {"steps": {"a": step()}, "hooks": {"on_elected": ["1"], "on_fail": ["2"]}}, {"on_elected": FAIL},
        {"a": "skipped", "@on_fail/on_fail": "success", "build": "failure"},
    ),
    "a failing first hook that is tolerated": (
        {"steps": {"a": step()}, "hooks": {"on_elected": {"image": "x", "fail_fast": False}}}, {"on_elected": FAIL},
        {"a": "success", "build": "success"},
    ),
    "a hook with steps of its own": (
        {"steps": {"a": step()}, "hooks": {"on_finish": {"steps": {"a": step(), "b": after("a")}}}}, {},
        {"@on_finish/a": "success", "@on_finish/b": "success", "build": "success"},
    ),
    "the usual test for a missing variable": (
        {"steps": {
            "with": on('includes("${{V}}", "{{V}}") == false'), "without": on('includes("${{V}}", "{{V}}") == true'),
        }}, {}, {"with": "skipped", "without": "success"},
    ),
    "no steps": ({"steps": {}}, {}, {"build": "success"}),
}  # fmt: skip


@pytest.mark.parametrize(("document", "ends", "expected"), CASES.values(), ids=CASES)
def test_a_build(document, ends, expected):
    build = FakeBuild(document, ends, {"CF_BRANCH": "main", "NO": "false"})
    for _ in range(3):
        build.play()
        # what is to end has ended by the next look
        build.ends = {name: FAIL if end is HANG else end for name, end in build.ends.items()}
        build.seen = Seen()

    assert {key: build[key] for key in expected} == expected
