"""What the API says of itself, and to whom."""

import httpx
import pytest

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_a_ready_api_says_ok(api, path):
    answer = api.call("GET", path)
    assert (answer.status_code, answer.text) == (200, "ok")


def test_the_version_is_that_of_a_kubernetes(api):
    version = api.get("/version")
    assert version["major"] == "1"
    assert version["gitVersion"].startswith("v1.")


def test_nobody_is_served_without_the_right_token(api):
    with httpx.Client(base_url=api.url, verify=api.trust, trust_env=False) as client:
        headers = {"Authorization": "Bearer wrong"}
        answer = client.get("/api/v1/namespaces", headers=headers)
        assert answer.status_code == 401
        assert (answer.json()["kind"], answer.json()["reason"]) == ("Status", "Unauthorized")
        assert client.get("/readyz", headers=headers).status_code == 401
        assert client.get("/api/v1/namespaces").status_code in (401, 403)


def test_groups_are_listed_plain_and_in_one_piece(api):
    plain = {group["name"]: group for group in api.get("/apis")["groups"]}
    assert plain["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    answer = api.call("GET", "/apis", accept=AGGREGATED)
    assert "as=APIGroupDiscoveryList" in answer.headers["Content-Type"]
    groups = {group["metadata"]["name"]: group for group in answer.json()["items"]}
    resources = {one["resource"]: one for one in groups["apps"]["versions"][0]["resources"]}
    assert resources["deployments"]["responseKind"]["kind"] == "Deployment"
    parts = {one["subresource"] for one in resources["deployments"]["subresources"]}
    assert {"status", "scale"} <= parts


def test_resources_are_listed_with_what_can_be_done(api):
    resources = {one["name"]: one for one in api.get("/api/v1")["resources"]}
    pods = resources["pods"]
    assert (pods["kind"], pods["namespaced"], pods["shortNames"]) == ("Pod", True, ["po"])
    wanted = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
    assert wanted <= set(pods["verbs"])
    assert {"pods/log", "pods/eviction", "pods/status"} <= resources.keys()
    assert resources["namespaces"]["namespaced"] is False


def test_open_api_describes_each_group(api):
    paths = api.get("/openapi/v3")["paths"]
    url = paths["apis/apps/v1"]["serverRelativeURL"]
    schemas = api.ok("GET", url)["components"]["schemas"]
    marked = [
        schema
        for schema in schemas.values()
        if {"group": "apps", "version": "v1", "kind": "Deployment"}
        in schema.get("x-kubernetes-group-version-kind", ())
    ]
    assert "spec" in marked[0]["properties"]


def test_paths_of_nothing_are_not_found(api):
    for path in ("/apis/none.example.com/v1/things", "/api/v1/nonsense", "/api/v7/pods", "/x"):
        assert api.call("GET", path).status_code == 404, path


def test_rows_are_made_for_people(api, maps, deployments, deployment):
    api.ok("POST", maps, {"metadata": {"name": "m"}, "data": {"a": "1", "b": "2"}})
    table = api.ok("GET", f"{maps}/m", accept=TABLE)
    assert table["kind"] == "Table"
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    row = table["rows"][0]
    assert row["cells"][:2] == ["m", 2]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    body = deployment(replicas=0)
    api.ok("POST", deployments, body)
    table = api.ok("GET", deployments, accept=TABLE)
    names = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert names == ["Name", "Ready", "Up-to-date", "Available", "Age"]
    assert table["rows"][0]["cells"][:2] == ["web", "0/0"]


def test_metadata_alone_can_be_asked_for(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "m", "labels": {"suite": "s"}}, "data": {"a": "1"}})
    accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    found = api.ok("GET", maps, accept=accept, params={"labelSelector": "suite=s"})
    assert found["kind"] == "PartialObjectMetadataList"
    assert found["items"][0]["metadata"]["name"] == "m"
    assert "data" not in found["items"][0]


def test_a_form_that_is_not_known_is_refused(api, maps):
    assert api.call("GET", maps, accept="text/csv").status_code == 406


def test_who_may_do_what_is_answered(api):
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    spec = {"resourceAttributes": {"verb": "create", "resource": "pods", "namespace": "default"}}
    assert api.ok("POST", path, {"spec": spec})["status"]["allowed"] is True
