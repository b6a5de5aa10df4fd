"""Steps that bring something out: what runs, with which rights, and what is refused."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.supported import refusals
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.core.pipeline.work import VOLUME, Access, CannotRun
from crossfade.testing.fake_build import graph_from


def work(step, **variables):
    graph = graph_from({"steps": {"s": step}})
    state = begin({n: Variable(n, v, Source.RUN) for n, v in variables.items()})
    return work_of(graph.units["s"].step, context_of(graph, state, "s"))


def roll_out(**arguments):
    return {"type": "crossfade-deploy", "arguments": {"application": "colors", **arguments}}


def test_a_rollout_is_started_once_and_followed_and_ends_with_its_step():
    got = work(roll_out())

    assert "exec crossfade deploy --once" in got.script
    assert "--watch --abort-when-ended -- colors <<" in got.script
    assert (got.access, got.image) == (Access.HUB, "")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [({"on_cancel": "leave"}, "--abort-when-ended"), ({"wait": False}, "--watch")],
)
def test_a_rollout_may_be_left_to_itself(arguments, word):
    assert word not in work(roll_out(**arguments)).script


@pytest.mark.parametrize(
    "given", [["image.tag=${{TAG}}", "replicas=2"], {"image.tag": "${{TAG}}", "replicas": 2}]
)
def test_values_are_not_on_a_command_line_where_everybody_reads_them(given):
    script = work(roll_out(set=given), TAG="s3cret").script

    document = script.partition("<<'END'\n")[2].removesuffix("\nEND\n")
    assert json.loads(document) == {"image": {"tag": "s3cret"}, "replicas": 2}
    assert script.count("s3cret") == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"application": "${{APP}}"}, "does not know what to deploy"),
        ({"on_cancel": "${{X}}"}, "allowed: abort, leave"),
        ({"set": ["a"]}, "`set` cannot be read"),
    ],
)
def test_what_cannot_be_deployed_says_why(arguments, why):
    with pytest.raises(CannotRun, match=why):
        work(roll_out(**arguments))


def test_no_name_becomes_a_command():
    script = work(roll_out(application="x; rm -rf /", file="a b; c")).script

    assert "-- 'x; rm -rf /' <<" in script
    assert "apply -f 'a b; c'\n" in script


def test_helm_talks_to_its_own_context_without_changing_the_kubeconfig():
    given = {"chart_name": "./c", "release_name": "r", "kube_context": "my gcp"}
    got = work({"type": "helm", "arguments": given})

    assert got.environment == {"HELM_KUBECONTEXT": "my gcp"}
    assert "kubectl" not in got.script
    assert (got.directory, got.access) == (VOLUME, Access.FLEET)


def test_commands_of_a_helm_step_find_the_context_chosen():
    given = {"action": "auth", "kube_context": "gcp", "commands": ["kubectl get pods"]}

    assert "use-context gcp\nkubectl get pods" in work({"type": "helm", "arguments": given}).script


def test_the_image_of_the_helm_step_reads_its_variables():
    step = {"image": "codefresh/cfstep-helm:3", "environment": ["CHART_REF=c", "RELEASE_NAME=r"]}

    assert "helm upgrade r c --install" in work(step).script
    with pytest.raises(CannotRun, match="release_name"):
        work({"image": "codefresh/cfstep-helm:3"})


def tools(_name: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"type": "crossfade-deploy"}, "`application` is missing"),
        (roll_out(on_cancel="stay"), "allowed: abort, leave"),
        (
            {"type": "helm", "arguments": {"action": "push", "chart_repo_url": "gs://b"}},
            "a plugin of helm",
        ),
    ],
)
def test_what_is_missing_is_refused_before_anything_runs(step, words):
    (only,) = refusals(graph_from({"steps": {"s": step}}), str, tools, ())

    assert words in str(only)


KUBECTL = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"get service"*) printf 'app=web tier=front ' ;;
  *"get deployments"*) printf '%s\\n' "other app=web " "web app=web tier=front more=1 " ;;
  *"get deployment web"*) printf '%s\\n' "proxy envoy:1" "main registry:5000/team/web:1" ;;
  *"-f -"*) cat > "$CALLS.manifest"; echo deployment.apps/web; echo service/web ;;
esac
"""
DEPLOY = {"type": "deploy", "kind": "kubernetes", "cluster": "my gcp", "namespace": "shop"}


@pytest.fixture
def run(tmp_path):
    """Run the script of a step over a kubectl that notes what it is asked."""
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)

    def ran(step, **more: str) -> tuple[int, list[str], str]:
        got = work(step)
        calls = tmp_path / "calls"
        path = f"{tmp_path}:{os.environ['PATH']}"
        environment = {"PATH": path, "CALLS": str(calls), **got.environment, **more}
        done = subprocess.run(
            ["/bin/sh", "-c", got.script],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        manifest = Path(f"{calls}.manifest")
        written = manifest.read_text() if manifest.exists() else ""
        asked = calls.read_text().splitlines() if calls.exists() else []
        return done.returncode, asked, written or done.stderr

    return ran


def candidate(image: str) -> dict[str, object]:
    return {**DEPLOY, "service": "web", "candidate": {"image": image, "registry": "r"}}


def test_an_image_goes_to_the_deployment_behind_the_service(run):
    code, calls, _ = run(candidate("registry:5000/team/web:2"))

    where = "--context my gcp --namespace shop"
    assert code == 0
    assert calls[-2:] == [
        f"{where} set image deployment/web main=registry:5000/team/web:2",
        f"{where} rollout status deployment/web --timeout 120s",
    ]


def test_an_image_of_another_name_is_put_into_no_container(run):
    code, calls, errors = run(candidate("other/thing:2"))

    assert code == 1
    assert "no container of deployment web" in errors
    assert not [each for each in calls if "set image" in each]


def test_a_manifest_is_filled_in_and_waited_for(run, tmp_path):
    (tmp_path / "k8s.yml").write_text(
        "a: {{ WHO }}\nb: {{SIZE = 3 }}-{{WHO=x}}\nc: {{ .Values }}\n"
    )

    code, calls, manifest = run({**DEPLOY, "file_path": "k8s.yml"}, WHO="you & me")

    assert code == 0
    assert manifest == "a: you & me\nb: 3-you & me\nc: {{ .Values }}\n"
    assert [each.partition("shop ")[2] for each in calls] == [
        "apply -f - -o name",
        "rollout status deployment.apps/web --timeout 120s",
    ]


COMMANDS = {"image": "codefresh/cf-deploy-kubernetes:master"}
WHERE = {"KUBECONTEXT": "my gcp", "KUBERNETES_NAMESPACE": "shop"}


def test_the_program_of_the_deploy_image_is_there_for_commands_that_call_it(run, tmp_path):
    (tmp_path / "k8s.yml").write_text("a: {{WHO}}\n")
    step = {**COMMANDS, "commands": ["echo first", "/cf-deploy-kubernetes ./k8s.yml"]}

    code, calls, manifest = run(step, WHO="me", **WHERE)

    assert code == 0
    assert manifest == "a: me\n"
    assert [each.partition("shop ")[2] for each in calls] == [
        "apply -f - -o name",
        "rollout status deployment.apps/web --timeout 120s",
    ]


@pytest.mark.parametrize(
    ("command", "variables", "why"),
    [
        ("/cf-deploy-kubernetes", WHERE, "needs a file"),
        ("/cf-deploy-kubernetes k8s.yml", {}, "names the cluster"),
    ],
)
def test_what_the_deploy_program_is_not_told_is_named(run, command, variables, why):
    code, calls, errors = run({**COMMANDS, "commands": [command]}, **variables)

    assert code != 0
    assert why in errors
    assert calls == []


def test_other_programs_of_that_name_are_left_alone():
    got = work({**COMMANDS, "commands": ["./bin/cf-deploy-kubernetes x", "cf-deploy-kubernetes x"]})

    assert got.script == "set -e\n./bin/cf-deploy-kubernetes x\ncf-deploy-kubernetes x\n"
    assert got.inside is not None


def test_the_old_image_of_the_helm_step_reads_the_same_variables():
    step = {"image": "codefresh/plugin-helm:2.8.0"}
    told = {"CHART_NAME": "./c", "RELEASE_NAME": "r", "custom_image_tag": "1"}

    assert "helm upgrade r ./c --install" in work(step, **told).script
    assert "--set image.tag=1" in work(step, **told).script


INSTALL = {"chart_name": "./c", "release_name": "r", "kube_context": "gcp"}


@pytest.mark.parametrize(("given", "directory"), [("charts", f"{VOLUME}/charts"), ("/opt", "/opt")])
def test_a_helm_step_runs_in_its_folder_of_the_workspace(given, directory):
    step = {"type": "helm", "arguments": {**INSTALL, "working_directory": given}}

    assert work(step).directory == directory
