"""Steps that start builds of other pipelines ask for what they are told, and nothing leaks."""

import pytest

from crossfade.core.pipeline.children import objections, start
from crossfade.core.pipeline.context import Context, Place
from crossfade.core.pipeline.document import Block, Pipeline
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.variables import Scope, Variable
from crossfade.core.pipeline.work import Access, CannotRun

SCOPE = Scope({"CF_BUILD_ID": Variable("CF_BUILD_ID", "7")})
CONTEXT = Context(graph_of(Pipeline(Block(()))), {}, SCOPE, Place("", "running"))


def script(**settings) -> str:
    return start({"PIPELINE_ID": "shop/child", **settings}, CONTEXT).script


def test_a_step_starts_one_build_and_waits_for_it():
    work = start({"PIPELINE_ID": "shop/child"}, CONTEXT)

    line = work.script.splitlines()[0]
    assert line.startswith("exec crossfade pipeline start --variables - --parent 7 --follow")
    assert '--timeout 45m --once "$CF_STEP_IDENTITY" -- shop/child' in line
    assert work.access is Access.HUB


def test_secrets_are_on_no_command_line():
    text = script(SECRETS=["TOKEN=geheim"])

    assert "geheim" not in text.splitlines()[0]
    assert '"secret": true' in text.splitlines()[1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DETACH": True}, "-"),
        ({"FOLLOW_LOGS": "false"}, "--wait"),
        ({"TERMINATE_ON_TIMEOUT": "true", "TIMEOUT_MINS": "3"}, "--timeout 3m --terminate-on"),
        ({"BRANCH": "a b"}, "'--branch=a b'"),
        ({"TRIGGER_ID": "nightly"}, "--trigger=nightly"),
        ({"YAML": "ci/other.yml"}, "--yaml=ci/other.yml"),
        ({"ONLY": ["a b", "c"], "SKIP": "d"}, "'--only=a b' --only=c --skip=d"),
        ({"SHA": "0123456789"}, '"CF_SHORT_REVISION": "0123456"'),
    ],
)
def test_arguments_become_options(settings, words):
    text = script(**settings)

    assert words in text
    assert ("--follow" in text) == (not {"DETACH", "FOLLOW_LOGS"} & settings.keys())


@pytest.mark.parametrize(
    "settings",
    [{"PIPELINE_ID": "${{X}}"}, {"TIMEOUT_MINS": "0"}, {"TIMEOUT_MINS": "x"}, {"VARIABLE": ["A"]}],
)
def test_what_cannot_be_asked_for_fails_the_step(settings):
    with pytest.raises(CannotRun):
        script(**settings)


def test_what_is_not_supported_is_refused_before_anything_runs():
    assert list(objections({"CONTEXT": ["x"]})) == [
        "the argument `PIPELINE_ID` is missing: the name of a registered pipeline"
    ]


def test_shared_configurations_are_named_to_the_child():
    assert "--context=a --context=b" in script(CONTEXT=["a", "b"])
    assert "--context=a --once" in script(CONTEXT="a", DETACH=True)
