"""Replaced Deployments when the cluster does not answer at the worst moment."""

import os
import subprocess

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.testing.fake_build import graph_from

KUBECTL = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *"$FAILS"*) echo "the server does not answer" >&2; exit 1 ;;
  *"get service"*selector*) printf "$SELECTED" ;;
  *"get service"*) printf '1.0' ;;
  *"deployment web-2.0 --ignore-not-found -o name"*) [ -z "$MADE" ] || echo web-2.0 ;;
  *"deployment web-2.0"*crossfade.dev/replaces*) printf "$MADE" ;;
  *"get hpa"*) printf "$SCALED" ;;
  *spec.replicas*) printf 4 ;;
  *.image*) printf 'main registry:5000/team/web:1.0-slim@sha256:abc\\nother envoy:3\\n' ;;
  *matchLabels*) printf 'app=web,version=2.0,' ;;
  *restartCount*) printf "$RESTARTS" ;;
  *"get endpointslices"*) printf 'web-2.0-a web-2.0-b ' ;;
  *"get deployment web-1.0 -o json"*|*--local*) echo '{}' ;;
esac
"""
SLEEP = "#!/bin/sh\n"
GIVEN = {
    "SERVICE_NAME": "web",
    "DEPLOYMENT_NAME": "web",
    "NEW_VERSION": "2.0",
    "NAMESPACE": "shop",
    "KUBE_CONTEXT": "gcp",
    "TRAFFIC_INCREMENT": "50",
    "SLEEP_SECONDS": "1",
    "HEALTH_SECONDS": "1",
}
CANARY, BLUE_GREEN = "k8s-canary-deployment", "k8s-blue-green-deployment"
NEW_GOES, OLD_GOES = "delete deployment web-2.0", "delete deployment web-1.0"


@pytest.fixture(params=["sh", "bash"])
def run(request, tmp_path):
    """Run the script of a step over a kubectl that notes what it is asked."""
    for name, text in (("kubectl", KUBECTL), ("sleep", SLEEP)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    def ran(kind, fails="never", **more):
        graph = graph_from({"steps": {"s": {"type": kind, "arguments": GIVEN}}})
        got = work_of(graph.units["s"].step, context_of(graph, begin({}), "s"))
        calls = tmp_path / "calls"
        calls.write_text("")
        usual = {"RESTARTS": "0 1 ", "MADE": "", "SCALED": ""}
        usual["SELECTED"] = "" if kind == CANARY else "1.0"
        environment = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "FAILS": fails,
            **usual,
            **got.environment,
            **more,
        }
        done = subprocess.run(
            [request.param, "-c", got.script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, calls.read_text(), done.stderr

    return ran


def test_only_the_tag_of_the_version_is_replaced(run):
    code, calls, said = run(CANARY)

    assert code == 0, said
    assert "main=registry:5000/team/web:2.0-slim -o json" in calls
    assert "other=" not in calls
    assert calls.splitlines()[-1].endswith(f"{OLD_GOES} --ignore-not-found")
    assert NEW_GOES not in calls


def test_new_pods_come_before_old_ones_go(run):
    _, calls, _ = run(CANARY)

    lines = calls.splitlines()
    steps = [each for each in lines if " scale " in each or "rollout status" in each]
    shrunk = next(i for i, each in enumerate(steps) if "scale deployment/web-1.0" in each)
    assert "rollout status deployment/web-2.0" in steps[shrunk - 1]


@pytest.mark.parametrize("restarts", ["2 1 ", "3 "])
@pytest.mark.parametrize("kind", [CANARY, BLUE_GREEN])
def test_a_version_whose_containers_crash_goes_and_the_old_one_stays(run, kind, restarts):
    code, calls, said = run(kind, RESTARTS=restarts)

    assert code == 1
    assert "web-2.0 is not healthy" in said
    assert NEW_GOES in calls
    assert OLD_GOES not in calls


@pytest.mark.parametrize("kind", [CANARY, BLUE_GREEN])
def test_silence_of_the_cluster_is_no_health(run, kind):
    code, calls, _ = run(kind, fails="get pods")

    assert code == 1
    assert OLD_GOES not in calls
    assert "label service" not in calls
    assert "patch service" not in calls


def test_the_pods_that_serve_stay_when_the_switch_was_not_answered(run):
    code, calls, _ = run(BLUE_GREEN, fails="patch service")

    assert code == 1
    assert NEW_GOES not in calls, "the switch may have been made all the same"
    assert OLD_GOES not in calls


def test_a_canary_that_has_all_users_stays_when_its_label_was_not_answered(run):
    code, calls, _ = run(CANARY, fails="label service")

    assert code == 1
    assert NEW_GOES not in calls
    assert OLD_GOES not in calls


def test_a_canary_stays_while_the_old_pods_are_not_back(run):
    code, calls, said = run(CANARY, fails="status deployment/web-1.0", RESTARTS="9 ")

    assert code == 1
    assert "scale deployment/web-1.0 --replicas=4" in calls
    assert NEW_GOES not in calls
    assert "web-2.0 is left as it is" in said


@pytest.mark.parametrize("kind", [CANARY, BLUE_GREEN])
def test_a_deployment_that_somebody_else_has_made_is_left_alone(run, kind):
    code, calls, said = run(kind, MADE="web-0.9")

    assert code == 1
    assert "that no such step has made" in said
    assert "delete" not in calls
    assert " scale " not in calls


@pytest.mark.parametrize("kind", [CANARY, BLUE_GREEN])
def test_what_a_lost_run_has_made_is_taken_up_and_not_made_again(run, kind):
    code, calls, _ = run(kind, MADE="web-1.0")

    assert code == 0
    assert " create " not in calls
    assert OLD_GOES in calls


def test_a_canary_does_not_fight_with_an_autoscaler(run):
    code, calls, said = run(CANARY, SCALED="web-1.0 ")

    assert code == 1
    assert "an autoscaler decides" in said
    assert " scale " not in calls


def test_an_image_without_the_version_is_said_before_anything_is_made(run):
    code, calls, said = run(BLUE_GREEN, SELECTED="7.7")

    assert code == 1
    assert "no image of deployment web-7.7 has 7.7 in its tag" in said
    assert " create " not in calls
