"""Clients of any age find out what is served, and tables of kinds keep their form."""

import pytest

from crossfade.sandbox.kube import discovery
from crossfade.sandbox.kube.builtin import builtin_kinds
from crossfade.sandbox.kube.kinds import Kind

WIDGET = Kind(
    "example.com", "v1", "Widget", "widgets", singular="widget", subresources=("status", "scale")
)
KINDS = (*builtin_kinds(), WIDGET)
V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2_BETA = V2.replace("v=v2", "v=v2beta1")


def plain(path):
    found = discovery.answer(path, "application/json", KINDS)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (f"{V2},{V2_BETA},application/json", "v2"),
        (f"{V2_BETA},application/json", "v2beta1"),
        ("application/json;q=0.9, " + V2, ""),
        ("application/json", ""),
        ("application/vnd.kubernetes.protobuf, */*", ""),
        ("", ""),
    ],
)
def test_the_form_that_the_client_prefers_is_given(accept, version):
    for path in ("/api", "/apis"):
        media, document = discovery.answer(path, accept, KINDS)
        aggregated = document["kind"] == "APIGroupDiscoveryList"
        assert aggregated == bool(version)
        if version:
            assert media == V2.replace("v=v2", f"v={version}")
            assert document["apiVersion"] == f"apidiscovery.k8s.io/{version}"


def test_the_core_is_apart_from_the_groups():
    core = discovery.answer("/api", V2, KINDS)[1]["items"]
    groups = discovery.answer("/apis", V2, KINDS)[1]["items"]
    assert [item["metadata"].get("name") for item in core] == [None]
    names = [item["metadata"]["name"] for item in groups]
    assert "apps" in names
    assert "example.com" in names
    assert len(names) == len(set(names))


def test_an_aggregated_resource_tells_all_about_itself():
    groups = discovery.answer("/apis", V2, KINDS)[1]["items"]
    apps = next(item for item in groups if item["metadata"]["name"] == "apps")
    deployments = next(
        one for one in apps["versions"][0]["resources"] if one["resource"] == "deployments"
    )
    assert deployments["shortNames"] == ["deploy"]
    assert deployments["scope"] == "Namespaced"
    assert deployments["responseKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    scale = next(one for one in deployments["subresources"] if one["subresource"] == "scale")
    assert scale["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}


def test_each_group_and_version_has_its_list():
    assert plain("/api")["versions"] == ["v1"]
    assert {group["name"] for group in plain("/apis")["groups"]} >= {"apps", "batch", "example.com"}
    autoscaling = plain("/apis/autoscaling")
    assert autoscaling["preferredVersion"]["version"] == "v2"
    resources = {one["name"]: one for one in plain("/apis/example.com/v1")["resources"]}
    assert set(resources) == {"widgets", "widgets/status", "widgets/scale"}
    assert resources["widgets"]["namespaced"] is True
    assert resources["widgets/scale"]["group"] == "autoscaling"
    pods = {one["name"]: one for one in plain("/api/v1")["resources"]}
    assert pods["pods/eviction"]["kind"] == "Eviction"
    assert pods["pods/log"]["verbs"] == ["get"]


def test_every_plain_document_is_reachable():
    found = discovery.documents(KINDS)
    for path, document in found.items():
        assert plain(path) == document
    assert "/apis/gateway.networking.k8s.io/v1" in found


def test_questions_are_only_asked():
    resources = {one["name"]: one for one in plain("/apis/authorization.k8s.io/v1")["resources"]}
    assert resources["selfsubjectaccessreviews"]["verbs"] == ["create"]


@pytest.mark.parametrize("path", ["/apis/nonsense", "/apis/apps/v2", "/api/v2", "/version", "/"])
def test_other_paths_are_not_discovery(path):
    assert discovery.answer(path, "application/json", KINDS) is None
