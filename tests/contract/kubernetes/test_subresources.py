"""`/status`, `/scale` and the metadata that no client sets."""

import pytest

from crossfade.testing.kube_api import STRATEGIC


@pytest.fixture
def idle(api, deployments, deployment):
    """The path of a Deployment whose controller has nothing to do."""
    body = deployment(replicas=0)
    body["spec"]["paused"] = True
    api.ok("POST", deployments, body)
    return f"{deployments}/web"


@pytest.fixture
def ingress(api, namespace):
    """The path of an Ingress, whose status is nobody's here."""
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    api.ok("POST", path, {"metadata": {"name": "i"}, "spec": {"defaultBackend": backend}})
    return f"{path}/i"


def _address(ip: str) -> dict:
    return {"status": {"loadBalancer": {"ingress": [{"ip": ip}]}}}


def test_the_status_of_a_new_object_is_not_the_clients(api, deployments, deployment):
    body = deployment(replicas=0) | {"status": {"replicas": 7}}
    assert api.ok("POST", deployments, body)["status"].get("replicas", 0) == 0


def test_a_status_is_written_through_its_own_path_alone(api, ingress):
    now = api.patch(ingress, _address("10.0.0.1") | {"metadata": {"labels": {"x": "1"}}})
    assert now["metadata"]["labels"] == {"x": "1"}
    assert not now["status"]["loadBalancer"]
    patch = _address("10.0.0.1") | {"spec": {"ingressClassName": "changed"}}
    now = api.patch(f"{ingress}/status", patch)
    assert now["status"]["loadBalancer"]["ingress"] == [{"ip": "10.0.0.1"}]
    assert "ingressClassName" not in now["spec"]
    assert now["metadata"]["generation"] == 1
    assert api.get(f"{ingress}/status") == api.get(ingress)


def test_a_status_is_replaced_by_put(api, ingress):
    current = api.get(ingress) | _address("10.0.0.2")
    now = api.ok("PUT", f"{ingress}/status", current)
    assert now["status"]["loadBalancer"]["ingress"] == [{"ip": "10.0.0.2"}]
    api.refused(409, "PUT", f"{ingress}/status", current)


def test_conditions_are_merged_by_type(api, namespace, pod_spec):
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.ok("POST", path, {"metadata": {"name": "p"}, "spec": pod_spec(schedulerName="nobody")})
    for type_ in ("example.com/one", "example.com/two", "example.com/one"):
        condition = {"type": type_, "status": "True"}
        api.patch(f"{path}/p/status", {"status": {"conditions": [condition]}}, STRATEGIC)
    found = [one["type"] for one in api.get(f"{path}/p")["status"]["conditions"]]
    assert sorted(found) == ["example.com/one", "example.com/two"]


def test_a_scale_shows_and_sets_replicas(api, idle):
    shown = api.get(f"{idle}/scale")
    assert (shown["kind"], shown["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert shown["spec"].get("replicas", 0) == 0
    assert shown["status"]["selector"] == "app=web"
    scaled = api.patch(f"{idle}/scale", {"spec": {"replicas": 3}})
    assert scaled["spec"]["replicas"] == 3
    now = api.get(idle)
    assert now["spec"]["replicas"] == 3
    assert now["metadata"]["generation"] == 2
    shown["spec"] = {"replicas": 4}
    api.refused(409, "PUT", f"{idle}/scale", shown)
    del shown["metadata"]["resourceVersion"]
    assert api.ok("PUT", f"{idle}/scale", shown)["spec"]["replicas"] == 4
    api.patch(f"{idle}/scale", {"spec": {"replicas": 0}})


def test_a_scale_below_nothing_is_refused(api, idle):
    code = api.call("PATCH", f"{idle}/scale", {"spec": {"replicas": -1}}, content_type=STRATEGIC)
    assert code.status_code in (400, 422)


def test_parts_that_a_kind_does_not_have_are_not_found(api, maps, idle):
    api.ok("POST", maps, {"metadata": {"name": "m"}})
    api.refused(404, "GET", f"{maps}/m/scale")
    api.refused(404, "GET", f"{maps}/m/status")
    api.refused(404, "GET", f"{idle}/nonsense")


def test_clients_cannot_set_what_the_server_gives(api, maps):
    given = {"uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9}
    made = api.ok("POST", maps, {"metadata": {"name": "m"} | given})
    assert made["metadata"]["uid"] != "mine"
    assert made["metadata"]["creationTimestamp"] > "2002"
    now = api.patch(f"{maps}/m", {"metadata": {"creationTimestamp": "2001-01-01T00:00:00Z"}})
    assert now["metadata"]["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    answer = api.call("POST", maps, {"metadata": {"name": "n", "resourceVersion": "5"}})
    # Which error is not held: the real server says 500, and Crossfade never sends a version there.
    assert answer.is_error
    assert "resourceVersion should not be set" in answer.json()["message"]
    api.refused(404, "GET", f"{maps}/n")
