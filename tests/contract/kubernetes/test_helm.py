"""The stock `helm`: a release is installed, changed, looked at, rolled back and removed."""

import json

import pytest

_TEMPLATE = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {{{{ .Release.Name }}}}}}
spec:
  replicas: {{{{ .Values.replicas }}}}
  selector: {{matchLabels: {{app: {{{{ .Release.Name }}}}}}}}
  template:
    metadata: {{labels: {{app: {{{{ .Release.Name }}}}}}}}
    spec: {spec}
---
apiVersion: v1
kind: Service
metadata: {{name: {{{{ .Release.Name }}}}}}
spec: {{selector: {{app: {{{{ .Release.Name }}}}}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {{{{ .Release.Name }}}}-settings}}
data: {{colour: {{{{ .Values.colour | quote }}}}}}
"""


@pytest.fixture
def chart(tmp_path, pod_spec) -> str:
    """The folder of a chart."""
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(
        "apiVersion: v2\nname: demo\nversion: 0.1.0\nkubeVersion: '>=1.20.0'\n"
    )
    (folder / "values.yaml").write_text("replicas: 1\ncolour: blue\n")
    template = _TEMPLATE.format(spec=json.dumps(pod_spec()))
    (folder / "templates" / "all.yaml").write_text(template)
    return str(folder)


@pytest.fixture
def helm(run):
    """Run helm; gives its standard output."""
    return lambda *words, **more: run("helm", *words, **more).stdout


@pytest.fixture
def colour(api, maps):
    """Say which colour is set by the release."""
    return lambda: api.get(f"{maps}/web-settings")["data"]["colour"]


WAIT = ("--wait", "--timeout", "30s")


def test_a_release_lives_its_whole_life(api, helm, chart, colour, deployments, maps):
    assert "STATUS: deployed" in helm("install", "web", chart, *WAIT)
    assert api.get(f"{deployments}/web")["status"]["availableReplicas"] == 1
    [listed] = json.loads(helm("list", "-o", "json"))
    assert (listed["name"], listed["status"], listed["revision"]) == ("web", "deployed", "1")

    helm("upgrade", "web", chart, "--set", "colour=yellow,replicas=2", *WAIT)
    assert colour() == "yellow"
    assert api.get(f"{deployments}/web")["status"]["availableReplicas"] == 2
    assert json.loads(helm("get", "values", "web", "-o", "json"))["colour"] == "yellow"
    assert "kind: Deployment" in helm("get", "manifest", "web")

    helm("rollback", "web", "1", *WAIT)
    assert colour() == "blue"
    history = json.loads(helm("history", "web", "-o", "json"))
    assert [entry["status"] for entry in history] == ["superseded", "superseded", "deployed"]
    assert json.loads(helm("status", "web", "-o", "json"))["info"]["status"] == "deployed"

    assert "uninstalled" in helm("uninstall", "web", *WAIT)
    assert json.loads(helm("list", "-a", "-o", "json")) == []
    api.refused(404, "GET", f"{deployments}/web")
    api.refused(404, "GET", f"{maps}/web-settings")


def test_releases_live_side_by_side(helm, chart):
    helm("install", "one", chart, "--set", "replicas=0")
    helm("install", "two", chart, "--set", "replicas=0")
    assert {item["name"] for item in json.loads(helm("list", "-o", "json"))} == {"one", "two"}


def test_upgrade_installs_what_is_not_there(helm, chart, colour):
    helm("upgrade", "--install", "web", chart, "--set", "replicas=0")
    helm("upgrade", "--install", "web", chart, "--set", "replicas=0,colour=red")
    assert colour() == "red"


def test_a_release_is_kept_in_secrets_with_labels(api, helm, chart, namespace):
    helm("install", "web", chart, "--set", "replicas=0")
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    found = api.get(secrets, labelSelector="name=web,owner=helm,status=deployed")["items"]
    assert [secret["metadata"]["name"] for secret in found] == ["sh.helm.release.v1.web.v1"]
    assert found[0]["type"] == "helm.sh/release.v1"
    assert found[0]["data"]["release"]


def test_an_install_that_does_not_become_ready_fails(run, helm, chart):
    words = ("install", "web", chart, "--set", "replicas=200", "--wait", "--timeout", "1s")
    assert run("helm", *words, ok=False).returncode == 1
    [listed] = json.loads(helm("list", "-a", "-o", "json"))
    assert listed["status"] == "failed"


def test_what_somebody_changed_by_hand_is_kept_or_set_back(api, helm, chart, deployments, colour):
    helm("install", "web", chart, "--set", "replicas=0")
    api.patch(f"{deployments}/web", {"metadata": {"annotations": {"mine": "yes"}}})
    helm("upgrade", "web", chart, "--set", "replicas=0,colour=green")
    assert api.get(f"{deployments}/web")["metadata"]["annotations"]["mine"] == "yes"
    assert colour() == "green"


def test_helm_refuses_to_take_over_what_it_did_not_make(api, run, chart, maps):
    api.ok("POST", maps, {"metadata": {"name": "web-settings"}})
    refused = run("helm", "install", "web", chart, ok=False)
    assert "cannot be imported into the current release" in refused.stderr
