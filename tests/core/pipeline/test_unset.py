"""What nothing sets is named before it is missed, and what may be set is not."""

import pytest

from crossfade.core.pipeline.unset import unset, ways_to_set
from crossfade.testing.fake_build import graph_from


def named(steps, *given):
    return [each.name for each in unset(graph_from({"steps": steps}), set(given))]


def runs(*commands, **keys):
    return {"image": "alpine", "commands": list(commands), **keys}


def test_each_variable_that_nothing_sets_is_named_once_with_its_first_step():
    steps = {"a": runs("echo ${{ WHO }} ${{WHERE}}"), "b": runs("echo ${{WHO}}")}

    (who, where) = unset(graph_from({"steps": steps}), ())

    assert (who.name, who.step) == ("WHO", "a")
    assert where.name == "WHERE"
    assert named(steps, "WHO", "WHERE") == []


@pytest.mark.parametrize(
    "before",
    [
        "cf_export WHO=me",
        "cf_export OTHER=1 WHO --mask",
        'cf_export "WHO=me"',
        "true && cf_export WHO=$(whoami)",
        "echo WHO=me >> /codefresh/volume/env_vars_to_export",
    ],
)
def test_what_a_step_exports_is_set(before):
    assert named({"a": runs(before), "b": runs("echo ${{WHO}}")}) == []


@pytest.mark.parametrize(
    "step",
    [
        runs("echo ${{a}} ${{steps.a.result}} ${{CF_STEP_NAME}}"),
        runs("echo ${{WHO}}", environment=["WHO=me"]),
        runs("true", when={"condition": {"all": {"c": 'includes("${{WHO}}", "{{WHO}}") == true'}}}),
    ],
)
def test_what_the_build_knows_or_only_conditions_ask_for_is_not_named(step):
    assert named({"a": runs("true"), "b": step}) == []


def test_a_reason_that_holds_a_reference_says_how_to_give_it_a_value():
    said = ways_to_set("image_name is '${{ACCOUNT}}/${{APP}}'")

    assert "--var ACCOUNT=VALUE --var APP=VALUE" in said
    assert ways_to_set("candidate is '${{steps.x.imageName}}'") == ""
    assert ways_to_set("nothing is wrong") == ""
