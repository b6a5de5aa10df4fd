"""What Codefresh accepts and refuses, and how a mistake is told."""

import json
from random import Random

import pytest

from crossfade.core.pipeline.findings import Findings
from crossfade.core.pipeline.tree import Mark, grown
from crossfade.core.pipeline.validate import check, check_text
from crossfade.testing.pipeline_documents import documents, mutated

AT = Mark(1, 1)


def judged(document) -> Findings:
    found = Findings()
    check(grown(document, AT), found)
    return found


def step(**keys):
    return {"version": "1.0", "stages": ["one"], "steps": {"a": keys}}


def free(**keys):
    return step(image="alpine", **keys)


def build(**keys):
    return step(type="build", image_name="a", **keys)


def scaled(document) -> bool:
    return "scale" in json.dumps(document)


@pytest.mark.parametrize("document", [d for d in documents() if not scaled(d)])
def test_a_document_with_every_key_is_accepted(document):
    assert judged(document).errors == []


ZSH = {"shell": "zsh"}

ACCEPTED = {
    "a number as version": {"version": 1, "steps": {}},
    "version in quotes": {"version": "1", "steps": {}},
    "no steps": {"version": "1.0", "steps": {}},
    "unknown keys on an open step": free(comands=["x"]),
    "a variable as type": step(type="${{T}}", image="x"),
    "any keys on a plugin": step(type="a/b:1.2.3", whatever=1),
    "keys of the root in arguments": step(
        arguments={"image": "x", "when": {"branch": {"only": ["m"]}}}
    ),
    "old spellings": build(
        **{"fail-fast": True, "working-directory": "x", "build-arguments": ["a=b"]}
    ),
    "words for flags": free(fail_fast="No"),
    "a variable for a flag": free(fail_fast="${{X}}"),
    "numbers in quotes": free(retry={"maxAttempts": "50"}),
    "a missing step in when": free(when={"steps": [{"name": "nope"}]}),
    "no timeout": free(timeout=None),
    "lists in JSON": free(commands='["a"]'),
    "names with spaces and dashes": {"version": "1.0", "steps": {"my step-1": {"image": "x"}}},
    "a hook with commands": free(hooks={"on_finish": ["x"]}),
    "a hook on a group": step(
        type="parallel", hooks={"on_fail": ["x"]}, steps={"b": {"image": "x"}}
    ),
    "nonsense on a group": step(type="parallel", nonsense=1, steps={"b": {"image": "x"}}),
    "a type with a version of a known one": step(type="build:1.0"),
    "helm as it is": step(type="helm", arguments={"chart_name": "x"}),
    "services without a schema": step(type="services", whatever=True),
    "platform with buildx": build(buildx=True, platform="a,b"),
    "a provider that is none, by half": step(type="push", candidate="x", provider="dockerx"),
}

REFUSED = {
    "no version": ({"steps": {}}, "version: is missing"),
    "another version": ({"version": "2.0", "steps": {}}, 'version: "2.0" is not allowed'),
    "no steps at all": ({"version": "1.0"}, "steps: is missing"),
    "steps as a list": ({"version": "1.0", "steps": []}, "steps: a list is not allowed"),
    "a step that is nothing": ({"version": "1.0", "steps": {"a": None}}, "steps.a: nothing"),
    "an unknown key at the top": ({"version": "1.0", "steps": {}, "stagse": []}, 'did you mean "stages"?'),
    "an unknown mode": ({"version": "1.0", "steps": {}, "mode": "paralel"}, 'did you mean "parallel"?'),
    "a text as strict flag": ({"version": "1.0", "steps": {}, "strict_fail_fast": "true"}, "strict_fail_fast"),
    "a stage that is not declared": (free(stage="depoy"), 'steps.a.stage: "depoy" is not allowed; allowed: one'),
    "a number as tag": (build(tag=1.1), "steps.a.tag: 1.1 is no text here; put it in quotes"),
    "an unknown key on a closed step": (build(comands=["x"]), 'did you mean "commands", a key of freestyle'),
    "a slip on a closed step": (build(tga="x"), 'did you mean "tag"?'),
    "no image": (step(commands=["x"]), "steps.a.image: is missing"),
    "an empty text": (step(image=""), "an empty text is not allowed"),
    "commands as a text": (free(commands="echo"), '"echo" is not allowed; allowed: a list'),
    "a number as command": (free(commands=[1]), "steps.a.commands[0]: 1 is no text"),
    "commands and cmd": (free(commands=["a"], cmd="b"), "steps.a.commands: cannot go with cmd"),
    "environment as a mapping": (free(environment={"A": "1"}), "steps.a.environment: a mapping"),
    "an unknown shell": (step(image="x", **ZSH), "allowed: sh, bash"),
    "a volume without a colon": (free(volumes=["a"]), "a text as source:target"),
    "an unknown key in when": (free(when={"step": []}), 'did you mean "steps"?'),
    "a branch as a text": (free(when={"branch": {"only": "m"}}), "steps.a.when.branch.only"),
    "a flag as a condition": (free(when={"condition": {"all": {"a": True}}}), "true is no text here"),
    "a dash in the name of a condition": (free(when={"condition": {"all": {"a-b": "x"}}}), "letters, digits and _"),
    "or": (free(when={"condition": {"or": {"a": "x"}}}), 'unknown key "or"'),
    "an unknown result": (free(when={"steps": [{"name": "b", "on": ["sucess"]}]}), 'did you mean "success"?'),
    "no result": (free(when={"steps": [{"name": "b", "on": []}]}), "steps.a.when.steps"),
    "all and any": (free(when={"steps": {"all": [{"name": "b"}], "any": [{"name": "b"}]}}), "exactly one of all"),
    "no attempts": (free(retry={"maxAttempts": 0}), "a number above 0"),
    "seconds of a deployment as a number": (
        step(type="deploy", kind="k", cluster="c", namespace="n", service="s", timeout=150),
        "150 is no text here",
    ),
    "service and file": (
        step(type="deploy", kind="k", cluster="c", namespace="n", service="s", file_path="f"),
        "steps.a.service: is not allowed here",
    ),
    "neither service nor file": (step(type="deploy", kind="k", cluster="c", namespace="n"), "steps.a.service: is missing"),
    "platform without buildx": (build(platform="a"), "steps.a.platform: is not allowed here: it needs `buildx`"),
    "an approval in a group": (
        step(type="parallel", steps={"b": {"type": "pending-approval"}}),
        "pending-approval cannot be part of a parallel step",
    ),
    "an empty group": (step(type="parallel", steps={}), "steps.a.steps: is missing"),
    "one name twice": (
        {"version": "1.0", "steps": {"a": {"type": "parallel", "steps": {"a": {"image": "x"}}}}},
        "a step has this name already",
    ),
    "a dot in a name": ({"version": "1.0", "steps": {"a.b": {"image": "x"}}}, "cannot contain any of"),
    "a long name": ({"version": "1.0", "steps": {"a" * 151: {"image": "x"}}}, "151 characters, 150 are allowed"),
    "old and new spelling": (free(**{"fail-fast": True, "fail_fast": True}), "is the old name of fail_fast"),
    "old and new hooks": (free(hooks={"on_fail": ["x"]}, on_fail={"metadata": {}}), "cannot go with `hooks`"),
    "a stage in a hook": (free(hooks={"on_fail": {"image": "x", "stage": "one"}}), "the step is in a hook"),
    "a hook without image": (free(hooks={"on_fail": {"commands": ["x"]}}), "hooks.on_fail.image: is missing"),
    "a dash in an annotation": (
        free(on_success={"annotations": {"set": [{"annotations": [{"a-b": 1}]}]}}),
        "steps.a.on_success.annotations.set[0]",
    ),
    "a working directory of a candidate": (
        step(type="composition", composition="f", composition_candidates={"t": {"working_directory": "x"}}),
        "a candidate has `working_dir`",
    ),
    "tags of a build that does not push": (
        {"version": "1.0", "build_version": "v1", "steps": {"a": {"type": "build", "image_name": "a", "tags": ["x"]}}},
        'unknown key "tags"',
    ),
    "no mapping at all": (["a"], "a list is not allowed"),
}  # fmt: skip


@pytest.mark.parametrize("document", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_accepted(document):
    assert judged(document).errors == []


@pytest.mark.parametrize(("document", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_and_why(document, message):
    errors = [f"{each.path}: {each.message}" for each in judged(document).errors]

    assert any(message in error for error in errors), errors


WARNED = {
    "a timeout that nobody understands": (free(timeout="10 minutes"), "it is ignored as it is"),
    "a number as timeout": (free(timeout=10), "it is ignored as it is"),
    "a plugin without version": (step(type="helm"), "has no version"),
    "a version that is none": (step(type="a/b:1.x"), '"1.x" is no semantic version'),
}


@pytest.mark.parametrize(("document", "message"), WARNED.values(), ids=WARNED)
def test_what_is_accepted_with_a_warning(document, message):
    found = judged(document)

    assert found.errors == []
    assert message in found.warnings[0].message


def test_tabs_among_spaces_are_refused_with_their_place():
    found = Findings()
    check_text("steps:\n  a: \tb\n", found)

    assert [(each.at, each.path) for each in found.errors] == [(Mark(2, 5), "")]


def test_no_document_whatever_raises():
    random = Random(7)  # noqa: S311 - the same inputs each time
    seeds = documents()
    for _ in range(600):
        judged(mutated(random.choice(seeds), random))
