"""StatefulSets that are rolled in part: who has which template, also after a loss and a rollback."""

import pytest

from crossfade.testing.kube_api import eventually


@pytest.fixture
def sets(namespace):
    return f"/apis/apps/v1/namespaces/{namespace}/statefulsets"


@pytest.fixture
def stateful_set(pod_spec):
    def make(version, partition=0, replicas=3):
        template = {"metadata": {"labels": {"app": "db", "version": version}}, "spec": pod_spec()}
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
        return {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db"},
            "spec": {
                "replicas": replicas,
                "serviceName": "db",
                "selector": {"matchLabels": {"app": "db"}},
                "template": template,
                "updateStrategy": strategy,
            },
        }

    return make


@pytest.fixture
def versions(api, namespace):
    """Give the version of each pod that is ready, by its number."""

    def of():
        pods = api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector="app=db")["items"]
        return [
            pod["metadata"]["labels"]["version"]
            for pod in sorted(pods, key=lambda each: each["metadata"]["name"])
            if "deletionTimestamp" not in pod["metadata"]
            and any(
                one["type"] == "Ready" and one["status"] == "True"
                for one in pod["status"].get("conditions") or ()
            )
        ]

    return of


def test_only_pods_from_the_partition_on_get_the_new_template(api, sets, stateful_set, versions):
    api.ok("POST", sets, stateful_set("a"))
    eventually(lambda: versions() == ["a", "a", "a"], seconds=40)
    api.patch(f"{sets}/db", {"spec": stateful_set("b", partition=2)["spec"]})
    eventually(lambda: versions() == ["a", "a", "b"], seconds=40)
    status = api.get(f"{sets}/db")["status"]
    assert status["currentRevision"] != status["updateRevision"]
    api.patch(f"{sets}/db", {"spec": stateful_set("b", partition=1)["spec"]})
    eventually(lambda: versions() == ["a", "b", "b"], seconds=40)


def test_a_pod_that_is_lost_below_the_partition_comes_back_as_it_was(
    api, sets, stateful_set, versions, namespace
):
    api.ok("POST", sets, stateful_set("a"))
    eventually(lambda: versions() == ["a", "a", "a"], seconds=40)
    api.patch(f"{sets}/db", {"spec": stateful_set("b", partition=2)["spec"]})
    eventually(lambda: versions() == ["a", "a", "b"], seconds=40)
    pod = f"/api/v1/namespaces/{namespace}/pods/db-0"
    before = api.get(pod)["metadata"]["uid"]
    api.ok("DELETE", pod)
    eventually(
        lambda: api.call("GET", pod).is_success and api.get(pod)["metadata"]["uid"] != before
    )
    eventually(lambda: versions() == ["a", "a", "b"], seconds=40)


def test_a_rollback_in_the_middle_replaces_the_new_pods_alone(
    api, sets, stateful_set, versions, namespace
):
    api.ok("POST", sets, stateful_set("a"))
    eventually(lambda: versions() == ["a", "a", "a"], seconds=40)
    first = api.get(f"{sets}/db")["status"]["updateRevision"]
    api.patch(f"{sets}/db", {"spec": stateful_set("b", partition=2)["spec"]})
    eventually(lambda: versions() == ["a", "a", "b"], seconds=40)
    kept = api.get(f"/api/v1/namespaces/{namespace}/pods/db-0")["metadata"]["uid"]
    api.patch(f"{sets}/db", {"spec": stateful_set("a")["spec"]})
    eventually(lambda: versions() == ["a", "a", "a"], seconds=40)
    assert api.get(f"/api/v1/namespaces/{namespace}/pods/db-0")["metadata"]["uid"] == kept

    def as_before():
        status = api.get(f"{sets}/db")["status"]
        return status["currentRevision"] == status["updateRevision"] == first

    eventually(as_before)
    path = f"/apis/apps/v1/namespaces/{namespace}/controllerrevisions"
    revisions = {one["metadata"]["name"]: one["revision"] for one in api.get(path)["items"]}
    assert len(revisions) == 2
    assert max(revisions, key=revisions.get) == first


def test_a_pod_that_never_gets_ready_holds_up_a_rollback_until_somebody_deletes_it(
    api, sets, stateful_set, versions, namespace
):
    api.ok("POST", sets, stateful_set("a"))
    eventually(lambda: versions() == ["a", "a", "a"], seconds=40)
    broken = stateful_set("b", partition=1)
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    broken["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe
    api.patch(f"{sets}/db", {"spec": broken["spec"]})
    pod = f"/api/v1/namespaces/{namespace}/pods/db-2"

    def is_new():
        answer = api.call("GET", pod)
        labels = answer.json()["metadata"]["labels"] if answer.is_success else {}
        return labels.get("version") == "b"

    eventually(is_new, seconds=40)
    api.ok("PUT", f"{sets}/db", stateful_set("a"))
    eventually(lambda: _is_observed(api.get(f"{sets}/db")))
    assert is_new()
    api.ok("DELETE", pod)
    eventually(lambda: versions() == ["a", "a", "a"], seconds=40)


def _is_observed(found):
    return found["status"]["observedGeneration"] == found["metadata"]["generation"]
