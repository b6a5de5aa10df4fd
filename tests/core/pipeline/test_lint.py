"""Warnings about what is accepted and probably meant otherwise."""

import pytest

from crossfade.core.pipeline.checked import checked
from crossfade.core.pipeline.tree import Mark, grown


def warnings(document) -> list[str]:
    result = checked(grown({"version": "1.0", **document}, Mark(1, 1)))
    assert result.findings.errors == []
    return [f"{each.path}: {each.message}" for each in result.findings.warnings]


def one(**keys):
    return {"steps": {"a": {"image": "x", **keys}, "b": {"image": "y"}}}


def when(text: str):
    return {
        "steps": {
            "b": {"image": "y"},
            "a": {"image": "x", "when": {"condition": {"all": {"c": text}}}},
        }
    }


def waits(name: str):
    return {"when": {"steps": [{"name": name}]}}


DOUBTFUL = {
    "a slip on an open step": (one(comands=["x"]), 'did you mean "commands"?'),
    "a missing step": ({"steps": {"buildit": {"image": "x"}, "a": {"image": "y", **waits("biuldit")}}}, 'did you mean "buildit"?'),
    "a step that comes later": (one(**waits("b")), "comes later in a sequential pipeline"),
    "a circle": (
        {"mode": "parallel", "steps": {"a": {"image": "x", **waits("b")}, "b": {"image": "x", **waits("a")}}},
        "wait for each other",
    ),
    "three signs": (when("1 === 1"), "Invalid binary operator: ==="),
    "an unknown function": (when("contains('a', 'b')"), "Unknown function: 'contains'"),
    "a result that does not exist": (when("steps.b.result == 'error'"), "a result is never 'error'"),
    "finished as a result": (when("steps.b.result == 'finished'"), "a result is never 'finished'"),
    "a member of a text": (when("Member('b', 'result') == 'success'"), "Member takes an object first"),
    "slashes in match": (when('match("${{CF_BRANCH}}", "/FB-/", true)'), "the slashes in match"),
    "a flag without quotes": (when('${{SkipTest}} == "true"'), "compares a variable without quotes"),
    "replace in more places": (when("replace('hello there', 'e', 'a') == 'hallo thara'"), "only the first place"),
    "never true": (when("1 == 2"), "never true, whatever happens"),
    "a step that no expression finds": (when("steps.c.result == 'success'"), 'there is no step "c"'),
    "upper case in a name": ({"steps": {"a": {"type": "build", "image_name": "Foo"}}}, "lower case"),
    "a volume outside": (one(volumes=["/etc:/x"]), "outside of /codefresh/volume"),
    "too many attempts": (one(retry={"maxAttempts": 50}), "documented to be from 1 to 10"),
    "waits that explode": (one(retry={"maxAttempts": 5, "delay": 60, "exponentialFactor": 3}), "to the power of 3"),
    "hooks of a group": (
        {"steps": {"g": {"type": "parallel", "hooks": {"on_fail": ["x"]}, "steps": {"a": {"image": "x"}}}}},
        "do not run on Codefresh",
    ),
    "a role alone": (one(role_arn="a"), "needs `registry_context`"),
    "an export that is read too early": (one(commands=["cf_export V=1", "echo ${{V}}"]), "only seen by later ones"),
    "criteria without such a step": (
        {"steps": {"g": {"type": "parallel", "success_criteria": {"steps": {"only": ["z"]}}, "steps": {"a": {"image": "x"}}}}},
        'there is no step "z" in this group',
    ),
    "an argument that helm does not take so": (
        {"steps": {"h": {"type": "helm:1.0.0", "arguments": {"commands": "x"}}}},
        '"x" is not allowed; allowed: array',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "message"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_is_warned_of(document, message):
    found = warnings(document)

    assert any(message in each for each in found), found


FINE = {
    "a usual condition": when("steps.b.result == 'success' && \"${{CF_BRANCH}}\" == 'main'"),
    "the test for absence": when('includes("${{X}}", "{{X}}") == true'),
    "a clone that a trigger brings": one(**waits("main_clone")),
    "keys that are passed on": one(entirely_new="x", image_pull_policy="y"),
    "a volume inside": one(volumes=["./a:/b", "/codefresh/volume/x:/y", "${{V}}:/z"]),
}


@pytest.mark.parametrize("document", FINE.values(), ids=FINE)
def test_what_is_fine(document):
    assert warnings(document) == []


def test_a_manifest_tells_of_variables_that_nobody_uses():
    spec = {
        "variables": [
            {"key": "USED", "value": "1"},
            {"key": "UNUSED", "value": 2, "encrypted": True},
        ],
        "steps": {"a": {"image": "x", "commands": ["echo ${{USED}}"]}},
        "triggrs": [],
    }
    manifest = {"kind": "pipeline", "metadata": {"name": "shop/build"}, "spec": spec}
    result = checked(grown({"version": "1.0", **manifest}, Mark(1, 1)))

    assert {each.message for each in result.findings.warnings} == {
        "UNUSED is set and never used",
        'unknown key "triggrs"; did you mean "triggers"?',
    }
    assert result.pipeline is not None
    assert result.pipeline.name == "shop/build"
    assert result.pipeline.variables == {"USED": "1", "UNUSED": "2"}
    assert result.pipeline.secrets == ("UNUSED",)
