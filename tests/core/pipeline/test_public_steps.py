"""Public steps by name: what each asks for, and what is refused before anything runs."""

import shlex

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.supported import refusals
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.core.pipeline.work import VOLUME, Access, CannotRun
from crossfade.testing.fake_build import graph_from

REPLACING = {
    "SERVICE_NAME": "web",
    "DEPLOYMENT_NAME": "web",
    "NEW_VERSION": "2.0",
    "NAMESPACE": "shop",
    "KUBE_CONTEXT": "my gcp",
    "TRAFFIC_INCREMENT": 20,
    "HEALTH_SECONDS": 5,
}
CANARY, BLUE_GREEN = "k8s-canary-deployment", "k8s-blue-green-deployment"


def step(kind, arguments):
    return {"type": kind, "arguments": arguments}


def work(wanted, **variables):
    graph = graph_from({"steps": {"s": wanted}})
    state = begin({n: Variable(n, v, Source.RUN) for n, v in variables.items()})
    return work_of(graph.units["s"].step, context_of(graph, state, "s"))


def refused(wanted, tools=lambda _: True):
    found = refusals(graph_from({"steps": {"s": wanted}}), str, tools, ())
    return [each.why for each in found]


@pytest.mark.parametrize("kind", [CANARY, BLUE_GREEN, f"somebody/{CANARY}", f"{CANARY}:1.0.4"])
def test_a_replacement_reaches_clusters_and_needs_kubectl(kind):
    got = work(step(kind, REPLACING))

    assert got.access is Access.FLEET
    assert got.environment["KUBE_CONTEXT"] == "my gcp"
    assert refused(step(kind, REPLACING)) == []
    (only,) = refused(step(kind, REPLACING), lambda _: False)
    assert only == "this machine needs kubectl; install it"


@pytest.mark.parametrize("name", ["SERVICE_NAME", "KUBE_CONTEXT", "NEW_VERSION"])
@pytest.mark.parametrize("kind", [CANARY, BLUE_GREEN])
def test_a_replacement_that_does_not_know_what_of_is_refused(kind, name):
    less = {key: value for key, value in REPLACING.items() if key != name}

    assert refused(step(kind, less)) == [f"the argument `{name}` is missing"]
    with pytest.raises(CannotRun, match=f"does not know {name}"):
        work(step(kind, {**REPLACING, name: "${{NOT_THERE}}"}))


@pytest.mark.parametrize(
    ("kind", "wrong", "words"),
    [
        (CANARY, {"NEW_VERSION": '2" | rm'}, "what a label may be"),
        (CANARY, {"NEW_VERSION": "A"}, "the Deployment would be called 'web-A'"),
        (CANARY, {"TRAFFIC_INCREMENT": 0}, "allowed: 1 to 100"),
        (CANARY, {"TRAFFIC_INCREMENT": "fast"}, "a whole number"),
        (CANARY, {"SLEEP_SECONDS": "-1"}, "a whole number"),
        (BLUE_GREEN, {"HEALTH_SECONDS": "1m"}, "a whole number"),
    ],
)
def test_a_value_that_would_break_a_replacement_says_what_is_allowed(kind, wrong, words):
    with pytest.raises(CannotRun, match=words):
        work(step(kind, {**REPLACING, **wrong}))


def test_nothing_that_is_given_becomes_part_of_a_script():
    given = {**REPLACING, "SERVICE_NAME": "$(reboot)", "NAMESPACE": "`reboot`"}

    assert "reboot" not in work(step(CANARY, given)).script


@pytest.mark.parametrize(
    ("given", "words"),
    [({"ANALYSIS_TYPE": "PIPELINE"}, "crossfade-deploy"), ({"INPUT_DEPLOYMENT": "x"}, "INPUT_")],
)
def test_what_a_canary_cannot_do_is_refused_with_a_way_out(given, words):
    (only,) = refused(step(CANARY, {**REPLACING, **given}))

    assert words in only


HOOK = {"SLACK_HOOK_URL": "https://hooks.example.com/T/s3cret", "SLACK_TEXT": "done"}


def test_the_address_of_a_channel_is_masked_as_it_lets_everybody_in():
    assert work(step("slack-notifier", HOOK)).secrets == (HOOK["SLACK_HOOK_URL"],)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SLACK_HOOK_URL": ""}, "SLACK_HOOK_URL"),
        ({"MODE": "loud"}, "allowed: simple, template, default-template"),
        ({"SLACK_ATTACHMENTS": "[{]"}, "SLACK_ATTACHMENTS is no JSON"),
    ],
)
def test_a_message_that_cannot_be_told_is_refused(given, words):
    (only,) = refused(step("slack-notifier", {**HOOK, **given}))

    assert words in only


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SLACK_HOOK_URL": "${{HOOK}}"}, "SLACK_HOOK_URL has no value"),
        ({"SLACK_HOOK_URL": "file:///etc/passwd"}, "no address"),
        ({"MODE": "${{MODE}}"}, "MODE is"),
        ({"MODE": "template", "SLACK_TEMPLATE_BODY": "${{BODY}}"}, "no JSON"),
    ],
)
def test_a_message_whose_values_come_late_and_wrong_fails_its_step(given, words):
    assert refused(step("slack-notifier", {**HOOK, **given})) in ([], [words])
    with pytest.raises(CannotRun, match=words):
        work(step("slack-notifier", {**HOOK, **given}))


def test_a_commit_is_made_in_the_workspace_with_what_is_named():
    arguments = {"working_directory": "web", "add": "a.txt, b c", "git": "acme", "repo": "a/b"}
    got = work(step("git-commit", arguments), CF_COMMIT_AUTHOR="ann")

    assert got.directory == VOLUME
    assert f"cd {VOLUME}/web\n" in got.script
    assert "git add -- a.txt b c\n" in got.script
    assert "GIT_AUTHOR_NAME=ann" in got.script
    assert (got.integration, got.tells) == ("acme", {"COMMITTED_REVISION": "revision"})


@pytest.mark.parametrize("message", ["a'; rm -rf /", "$(reboot)", "--amend"])
def test_no_message_of_a_commit_becomes_a_command(message):
    script = work(step("git-commit", {"commit_message": message})).script

    assert f"git commit -q $empty -m {shlex.quote(message)}\n" in script


@pytest.mark.parametrize("folder", ["a b", "*", "${{DIR}}"])
def test_a_report_is_in_a_folder_that_patterns_do_not_take_for_several(folder):
    with pytest.raises(CannotRun, match="a report cannot be in"):
        work(step("test-reporting", {"report_dir": folder}))


def test_a_report_without_a_place_and_a_package_without_a_token_are_refused():
    assert "report_dir" in refused(step("test-reporting", {}))[0]
    assert "NPM_TOKEN" in refused(step("npm-publish", {}))[0]
    with pytest.raises(CannotRun, match="NPM_TOKEN has no value"):
        work(step("npm-publish", {"NPM_TOKEN": "${{NPM_TOKEN}}"}))


@pytest.mark.parametrize("kind", ["codefresh-report-image", "codefresh-inc/multiarch-manifester"])
def test_what_means_nothing_here_says_why_and_how_to_go_on(kind):
    (only,) = refused(step(kind, {}))

    assert only.startswith(f"{kind} is not supported: ")
    assert "--steps" in only
