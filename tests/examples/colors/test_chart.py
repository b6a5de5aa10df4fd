"""The chart of Color Coded renders right, side by side with itself, and refuses bad values."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

CHART = Path(__file__).parents[3] / "examples" / "colors" / "deploy" / "helm" / "colors"
HELM = Path(sys.executable).with_name("helm")
EVERYTHING = (
    "podDisruptionBudget.enabled=true",
    "autoscaling.enabled=true",
    "ingress.enabled=true",
    "httpRoute.enabled=true",
)


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm, without a cluster."""
    return subprocess.run(
        [HELM, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )


def render(release: str, *values: str) -> dict[str, dict]:
    """Return the objects of a release by `Kind/name`."""
    sets = [part for value in values for part in ("--set", value)]
    result = helm("template", release, str(CHART), "--namespace", "shop", *sets)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    documents = [found for found in YAML(typ="safe").load_all(result.stdout) if found]
    return {f"{found['kind']}/{found['metadata']['name']}": found for found in documents}


def container(objects: dict[str, dict], release: str = "colors") -> dict:
    """Return the only container of the only Deployment."""
    [found] = objects[f"Deployment/{release}"]["spec"]["template"]["spec"]["containers"]
    return found


def environment(objects: dict[str, dict], release: str = "colors") -> dict[str, object]:
    """Return the container's environment: text, or where it comes from."""
    entries = container(objects, release)["env"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in entries}


def test_helm_finds_nothing_to_complain_about():
    result = helm("lint", "--strict", str(CHART))
    assert result.returncode == 0, result.stdout


def test_two_releases_share_no_object_and_select_only_their_own_pods():
    first, second = render("colors-r1", *EVERYTHING), render("colors-r2", *EVERYTHING)
    assert len(first) == 7
    assert not first.keys() & second.keys()
    pods = first["Deployment/colors-r1"]["spec"]["template"]["metadata"]["labels"]
    for release, objects in (("colors-r1", first), ("colors-r2", second)):
        deployment = objects[f"Deployment/{release}"]["spec"]["selector"]["matchLabels"]
        service = objects[f"Service/{release}"]["spec"]["selector"]
        budget = objects[f"PodDisruptionBudget/{release}"]["spec"]["selector"]["matchLabels"]
        assert deployment == service == budget
        assert (service.items() <= pods.items()) == (release == "colors-r1")


def test_every_reference_stays_inside_the_release():
    objects = render("colors-r1", *EVERYTHING)
    [rule] = objects["HTTPRoute/colors-r1"]["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "colors-r1", "port": 80}]
    [rule] = objects["Ingress/colors-r1"]["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == "colors-r1"
    scaled = objects["HorizontalPodAutoscaler/colors-r1"]["spec"]["scaleTargetRef"]
    assert scaled["name"] == "colors-r1"
    assert environment(objects, "colors-r1")["APP"] == {
        "configMapKeyRef": {"name": "colors-r1", "key": "app.py"}
    }


def test_the_service_is_named_like_the_release_as_crossfade_yaml_says():
    assert "Service/colors" in render("colors")


def test_the_source_reaches_the_pod_unharmed():
    data = render("colors")["ConfigMap/colors"]["data"]
    for name in ("app.py", "page.html"):
        assert data[name].rstrip() == (CHART / "files" / name).read_text("utf-8").rstrip()
        assert len(data[name]) < 100_000  # one variable of an environment holds 128 KiB


def test_new_source_means_new_pods_and_other_values_leave_its_mark_alone():
    first, second = render("colors"), render("colors", "colour=red")
    mark = [
        objects["Deployment/colors"]["spec"]["template"]["metadata"]["annotations"]["colors/source"]
        for objects in (first, second)
    ]
    assert mark[0] == mark[1]
    assert len(mark[0]) == 16


def test_on_the_machine_itself_host_and_port_are_left_to_the_kubelet():
    names = environment(render("colors"))
    assert "PORT" not in names
    assert "HOST" not in names
    assert container(render("colors"))["image"] == "host"


def test_in_a_real_image_the_same_source_runs_without_privileges():
    objects = render("colors", "image.repository=python", "image.tag=3.13-slim")
    found = container(objects)
    assert found["image"] == "python:3.13-slim"
    assert found["command"][0] == "python3"
    assert found["securityContext"]["readOnlyRootFilesystem"] is True
    assert objects["Deployment/colors"]["spec"]["template"]["spec"]["securityContext"][
        "runAsNonRoot"
    ]
    assert environment(objects)["PORT"] == "8080"


def test_an_image_of_its_own_runs_its_own_command():
    objects = render("colors", "image.repository=colors", "image.tag=1", "source=image")
    assert "command" not in container(objects)
    assert "ConfigMap/colors" not in objects
    assert "APP" not in environment(objects)


def test_a_command_of_ones_own_replaces_the_source():
    objects = render("colors", "command={/bin/app,--fast}")
    assert container(objects)["command"] == ["/bin/app", "--fast"]
    assert "ConfigMap/colors" not in objects


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        ("errorRate=0.2", "ERROR_RATE", "0.2"),
        ("errorRate=1", "ERROR_RATE", "1"),
        ("latencyMs=60000", "LATENCY_MS", "60000"),
        ("latencyMs=1.5", "LATENCY_MS", "1.5"),
        ("startSeconds=3", "START_SECONDS", "3"),
        ("crash=true", "CRASH", "1"),
        ("crash=false", "CRASH", "0"),
        ("version=2", "VERSION", "2"),
        ("version=2.10", "VERSION", "2.10"),
        ("colour=yellow", "VERSION", "yellow"),
        ("colour=#3366cc", "VERSION", "3366cc"),
        ("cloud=gcp", "CLOUD", "gcp"),
        ("faultClouds=aws gcp", "FAULT_CLOUDS", "aws gcp"),
        ("incidents=/var/incidents", "INCIDENTS", "/var/incidents"),
    ],
)
def test_values_reach_the_app_as_they_are(value, name, text):
    assert environment(render("colors", value))[name] == text


@pytest.mark.parametrize("version", ["2.0+build.7", "2.0-", "v" * 100, "a" * 62 + "..b"])
def test_any_version_makes_a_valid_label(version):
    labels = render("colors", f"version={version}")["Service/colors"]["metadata"]["labels"]
    label = labels["app.kubernetes.io/version"]
    assert len(label) <= 63
    assert label[-1].isalnum()
    assert "+" not in label


def test_pods_have_time_to_drain():
    for value, seconds in (("drainSeconds=5", 10), ("drainSeconds=60", 65), ("latencyMs=1500", 12)):
        pod = render("colors", value)["Deployment/colors"]["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] == seconds


def test_the_folder_of_incidents_is_that_of_the_node_under_the_same_path():
    pod = render("colors", "incidents=/srv/i")["Deployment/colors"]["spec"]["template"]["spec"]
    assert pod["volumes"][0]["hostPath"] == {"path": "/srv/i", "type": "DirectoryOrCreate"}
    [mount] = pod["containers"][0]["volumeMounts"]
    assert (mount["mountPath"], mount["readOnly"]) == ("/srv/i", True)
    assert "volumes" not in render("colors")["Deployment/colors"]["spec"]["template"]["spec"]


def test_an_autoscaler_is_not_fought_over_replicas():
    deployment = render("colors", "autoscaling.enabled=true")["Deployment/colors"]
    assert "replicas" not in deployment["spec"]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("errorRate=1.5", "errorRate"),
        ("errorRate=often", "errorRate"),
        ("errorRate=-1", "errorRate"),
        ("latencyMs=70000", "latencyMs"),
        ("latencyMs=5s", "latencyMs"),
        ("colour=mauve", "colour"),
        ("replicaCount=-1", "replicaCount"),
        ("replicaCount=two", "replicaCount"),
        ("replicas=3", "replicas"),
        ("image.name=python", "name"),
        ("crash=1", "crash"),
        ("source=git", "source"),
        ("service.port=0", "service.port"),
        ("version=a b", "version"),
        ("faultClouds=aws;gcp", "faultClouds"),
        ("incidents=here", "incidents"),
    ],
)
def test_bad_values_are_refused_by_name(value, complaint):
    result = helm("template", "colors", str(CHART), "--set", value)
    assert result.returncode != 0
    assert complaint in result.stderr.split("chart(s):", 1)[1]


def test_an_image_without_the_app_is_refused_before_pods_crash():
    result = helm("template", "colors", str(CHART), "--set", "source=image")
    assert result.returncode != 0
    assert "set source=chart, or a command" in result.stderr
