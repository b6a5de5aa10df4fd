"""OpenAPI documents hold what kubectl and helm look up in them."""

import json

import pytest

from crossfade.sandbox.kube import openapi
from crossfade.sandbox.kube.builtin import builtin_kinds
from crossfade.sandbox.kube.kinds import Kind

KINDS = builtin_kinds()
WIDGET = Kind("example.com", "v1", "Widget", "widgets")
SCHEMA = {"type": "object", "properties": {"spec": {"type": "object"}}}
POD_SPEC = "io.k8s.api.core.v1.PodSpec"


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("root", openapi.index(KINDS)["paths"])
def test_a_document_is_whole_in_itself(root):
    document = openapi.document(root, KINDS)
    assert set(references(document)) <= set(document["components"]["schemas"])
    json.dumps(document)


def test_the_index_leads_to_documents_by_a_hash_that_follows_their_content():
    kinds = (*KINDS, WIDGET)
    first = openapi.index(kinds, {WIDGET: SCHEMA})["paths"]
    again = openapi.index(kinds, {WIDGET: SCHEMA})["paths"]
    other = openapi.index(kinds, {WIDGET: {"type": "object"}})["paths"]
    assert first == again
    assert first["apis/apps/v1"] == other["apis/apps/v1"]
    assert first["apis/example.com/v1"] != other["apis/example.com/v1"]
    url = first["api/v1"]["serverRelativeURL"]
    assert url.startswith("/openapi/v3/api/v1?hash=")


def test_kubectl_finds_that_the_server_validates():
    """It looks for the parameter of PATCH; without it, it wants OpenAPI v2 and fails."""
    for kind in KINDS:
        paths = openapi.document(kind.path().strip("/").rpartition("/")[0], KINDS)["paths"]
        patches = [
            operations["patch"]
            for operations in paths.values()
            if "patch" in operations
            and operations["patch"]["x-kubernetes-group-version-kind"]["kind"] == kind.kind
        ]
        for patch in patches:
            assert "fieldValidation" in {one["name"] for one in patch["parameters"]}


def test_kubectl_merges_by_the_keys_in_the_schema():
    schemas = openapi.document("apis/apps/v1", KINDS)["components"]["schemas"]
    containers = schemas[POD_SPEC]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-patch-strategy"] == "merge"
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    volumes = schemas[POD_SPEC]["properties"]["volumes"]
    assert volumes["x-kubernetes-patch-strategy"] == "merge,retainKeys"
    assert schemas[POD_SPEC]["required"] == ["containers"]


def test_patches_are_offered_as_a_real_cluster_takes_them():
    apps = openapi.document("apis/apps/v1", KINDS)["paths"]
    one = apps["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" in one["requestBody"]["content"]
    gateway = openapi.document("apis/gateway.networking.k8s.io/v1", KINDS)["paths"]
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes/{name}"
    content = gateway[path]["patch"]["requestBody"]["content"]
    assert "application/strategic-merge-patch+json" not in content


def test_explain_finds_a_kind_of_a_definition():
    document = openapi.document("apis/example.com/v1", (*KINDS, WIDGET), {WIDGET: SCHEMA})
    schema = document["components"]["schemas"]["com.example.v1.Widget"]
    assert schema["x-kubernetes-group-version-kind"] == [
        {"group": "example.com", "version": "v1", "kind": "Widget"}
    ]
    assert set(schema["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    assert "/apis/example.com/v1/namespaces/{namespace}/widgets" in document["paths"]


def test_a_definition_without_a_schema_takes_anything():
    document = openapi.document("apis/example.com/v1", (WIDGET,))
    schema = document["components"]["schemas"]["com.example.v1.Widget"]
    assert schema["x-kubernetes-preserve-unknown-fields"] is True


def test_there_is_no_document_for_what_is_not_served():
    assert openapi.document("apis/nonsense/v1", KINDS) is None
