"""The stock `kubectl`, as people use it."""

import json

import pytest

from crossfade.testing.kube_api import eventually


@pytest.fixture
def kubectl(run):
    """Run kubectl; gives its standard output."""
    return lambda *words, **more: run("kubectl", *words, **more).stdout


@pytest.fixture
def manifest(deployment) -> str:
    """A Deployment with a Service, as a file has them."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    # No `List`, in which kubectl looks for mistakes itself, in words of its own.
    return "".join(f"---\n{json.dumps(one)}\n" for one in (deployment(), service))


def test_apply_creates_changes_and_leaves_alone(kubectl, manifest):
    assert "deployment.apps/web created" in kubectl("apply", "-f", "-", stdin=manifest)
    assert "service/web unchanged" in kubectl("apply", "-f", "-", stdin=manifest)
    changed = manifest.replace('"replicas": 1', '"replicas": 0')
    assert "deployment.apps/web configured" in kubectl("apply", "-f", "-", stdin=changed)
    assert kubectl("get", "deployment/web", "-o", "jsonpath={.spec.replicas}") == "0"
    assert kubectl("diff", "-f", "-", stdin=changed) == ""


def test_server_side_apply_tells_conflicts(kubectl, run, manifest):
    apply = ("apply", "--server-side", "-f", "-")
    assert "serverside-applied" in kubectl(*apply, stdin=manifest)
    kubectl("scale", "deployment/web", "--replicas=2")
    refused = run("kubectl", *apply, stdin=manifest, ok=False)
    assert refused.returncode == 1
    assert ".spec.replicas" in refused.stderr
    kubectl(*apply, "--force-conflicts", stdin=manifest)
    assert kubectl("get", "deployment/web", "-o", "jsonpath={.spec.replicas}") == "1"


def test_client_side_objects_move_to_server_side_apply(kubectl, manifest):
    kubectl("apply", "-f", "-", stdin=manifest)
    kubectl("apply", "--server-side", "-f", "-", stdin=manifest)
    kubectl("apply", "-f", "-", stdin=manifest)


def test_mistakes_in_a_file_are_told(run, manifest):
    wrong = manifest.replace('"replicas"', '"replicass"')
    refused = run("kubectl", "apply", "-f", "-", stdin=wrong, ok=False)
    assert 'unknown field "spec.replicass"' in refused.stderr


def test_get_shows_rows_json_and_a_selection(kubectl, manifest):
    kubectl("apply", "-f", "-", stdin=manifest)
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    head, row = kubectl("get", "deployments").splitlines()
    assert head.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[:4] == ["web", "1/1", "1", "1"]
    assert "pod/web-" in kubectl("get", "all")
    wide = kubectl("get", "pods", "-o", "wide", "-l", "app=web").splitlines()
    assert wide[0].split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert wide[1].split()[1:3] == ["1/1", "Running"]
    found = json.loads(kubectl("get", "svc", "-o", "json", "-l", "app=web"))
    assert found["items"][0]["metadata"]["name"] == "web"
    assert kubectl("get", "pods", "-l", "app=other") == ""


def test_logs_and_describe_tell_of_pods(kubectl, manifest):
    kubectl("apply", "-f", "-", stdin=manifest)
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    eventually(lambda: kubectl("logs", "deployment/web") == "hello\n")
    told = kubectl("describe", "deployment/web")
    assert "1 desired | 1 updated | 1 total | 1 available" in told
    assert "NewReplicaSet:" in told
    assert "ScalingReplicaSet" in told
    told = kubectl("describe", "pods", "-l", "app=web")
    assert "Started" in told


def test_scale_label_annotate_patch_and_edit_fields(kubectl, manifest):
    kubectl("apply", "-f", "-", stdin=manifest)
    assert "scaled" in kubectl("scale", "deployment/web", "--replicas=2")
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    assert "labeled" in kubectl("label", "deployment/web", "tier=x")
    assert "annotated" in kubectl("annotate", "deployment/web", "note=y")
    kubectl("patch", "deployment/web", "-p", '{"spec":{"minReadySeconds":1}}')
    kubectl("patch", "deployment/web", "--type=json", "-p", '[{"op":"remove","path":"/metadata/labels/tier"}]')  # fmt: skip
    kubectl("set", "env", "deployment/web", "A=1")
    found = json.loads(kubectl("get", "deployment/web", "-o", "json"))
    assert found["spec"]["replicas"] == 2
    assert found["spec"]["minReadySeconds"] == 1
    assert found["metadata"]["annotations"]["note"] == "y"
    assert "tier" not in found["metadata"]["labels"]
    env = found["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env == [{"name": "A", "value": "1"}]


def test_a_rollout_is_watched_and_undone(kubectl, manifest):
    kubectl("apply", "-f", "-", stdin=manifest)
    done = 'deployment "web" successfully rolled out'
    assert done in kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    kubectl("set", "env", "deployment/web", "A=1")
    assert done in kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    history = kubectl("rollout", "history", "deployment/web").split()
    assert {"1", "2"} <= set(history)
    kubectl("rollout", "undo", "deployment/web")
    assert done in kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    found = json.loads(kubectl("get", "deployment/web", "-o", "json"))
    assert "env" not in found["spec"]["template"]["spec"]["containers"][0]
    kubectl("rollout", "restart", "deployment/web")
    assert done in kubectl("rollout", "status", "deployment/web", "--timeout=30s")


def test_delete_waits_until_it_is_gone(kubectl, run, manifest):
    kubectl("apply", "-f", "-", stdin=manifest)
    told = kubectl("delete", "-f", "-", stdin=manifest)
    assert 'deployment.apps "web" deleted' in told
    assert run("kubectl", "get", "deployment/web", ok=False).returncode == 1
    eventually(lambda: kubectl("get", "pods") == "")


@pytest.mark.parametrize(
    ("words", "kind", "path", "value"),
    [
        (("configmap", "x", "--from-literal=a=b"), "configmap", "{.data.a}", "b"),
        (("secret", "generic", "x", "--from-literal=a=b"), "secret", "{.data.a}", "Yg=="),
        (("serviceaccount", "x"), "serviceaccount", "{.metadata.name}", "x"),
        (
            ("deployment", "x", "--image=host", "--replicas=0"),
            "deployment",
            "{.spec.template.spec.containers[0].image}",
            "host",
        ),
        (("service", "clusterip", "x", "--tcp=80:8080"), "service", "{.spec.ports[0].port}", "80"),
        (("job", "x", "--image=none"), "job", "{.spec.template.spec.containers[0].image}", "none"),
        (("role", "x", "--verb=get", "--resource=pods"), "role", "{.rules[0].verbs[0]}", "get"),
        (
            ("rolebinding", "x", "--clusterrole=view", "--serviceaccount=a:b"),
            "rolebinding",
            "{.subjects[0].name}",
            "b",
        ),
        (
            ("poddisruptionbudget", "x", "--selector=a=b", "--min-available=1"),
            "pdb",
            "{.spec.minAvailable}",
            "1",
        ),
        (("quota", "x", "--hard=pods=7"), "quota", "{.spec.hard.pods}", "7"),
        (
            ("ingress", "x", "--rule=a.example.com/=web:80"),
            "ingress",
            "{.spec.rules[0].host}",
            "a.example.com",
        ),
        (
            ("cronjob", "x", "--image=none", "--schedule=0 0 1 1 *"),
            "cronjob",
            "{.spec.schedule}",
            "0 0 1 1 *",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_create_makes_what_it_names(kubectl, words, kind, path, value):
    kubectl("create", *words)
    assert kubectl("get", kind, "x", "-o", f"jsonpath={path}") == value


def test_namespaces_are_made_and_removed(kubectl, namespace):
    kubectl("create", "namespace", f"{namespace}-two")
    assert "Active" in kubectl("get", "namespace", f"{namespace}-two")
    kubectl("delete", "namespace", f"{namespace}-two", "--timeout=30s")


def test_run_expose_and_wait(kubectl, target):
    kubectl("run", "p", f"--image={target.image}", "--port=8080", "--", "sleep", "1000")
    kubectl("expose", "pod", "p", "--name=s", "--port=80")
    assert kubectl("get", "service", "s", "-o", "jsonpath={.spec.selector.run}") == "p"
    kubectl("delete", "pod", "p", "--force", "--grace-period=0")
    kubectl("wait", "--for=delete", "pod/p", "--timeout=20s")


def test_explain_and_api_resources_know_the_kinds(kubectl):
    assert "replicas" in kubectl("explain", "deployment.spec")
    listed = kubectl("api-resources")
    assert "deployments" in listed
    assert "httproutes" in listed or "ingresses" in listed
    assert "yes" in kubectl("auth", "can-i", "create", "pods")
