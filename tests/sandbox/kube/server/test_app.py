"""The API server as a whole, in this process: what clients send can be anything."""

import asyncio
import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.server.app import ApiServer

TOKEN = "token"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
ROOTS = {
    "Pod": "/api/v1/namespaces/default/pods",
    "Service": "/api/v1/namespaces/default/services",
    "ConfigMap": "/api/v1/namespaces/default/configmaps",
    "Secret": "/api/v1/namespaces/default/secrets",
    "Event": "/api/v1/namespaces/default/events",
    "Node": "/api/v1/nodes",
    "Namespace": "/api/v1/namespaces",
    "Deployment": "/apis/apps/v1/namespaces/default/deployments",
    "Job": "/apis/batch/v1/namespaces/default/jobs",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
}
FIELDS = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "uid",
    "managedFields",
    "spec",
    "status",
    "data",
    "stringData",
    "type",
    "ports",
    "port",
    "targetPort",
    "selector",
    "matchLabels",
    "matchExpressions",
    "template",
    "containers",
    "env",
    "image",
    "replicas",
    "strategy",
    "rollingUpdate",
    "maxSurge",
    "group",
    "names",
    "plural",
    "versions",
    "schema",
    "openAPIV3Schema",
    "properties",
    "items",
    "rules",
    "backendRefs",
    "parentRefs",
    "hostnames",
    "conditions",
    "addresses",
    "endpoints",
    "involvedObject",
    "key",
    "operator",
    "values",
]
leaves = (
    st.none() | st.booleans() | st.integers(-3, 70_000) | st.floats(-2, 2) | st.text(max_size=5)
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)
    ),
    max_leaves=30,
)


@pytest.fixture
def server() -> ApiServer:
    return ApiServer(open_api(), TOKEN)


def _client(server: ApiServer, token: str = TOKEN) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(server),
        base_url="https://cloud",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


@pytest.mark.parametrize("kind", ROOTS)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spec=anything, other=anything, metadata=anything)
def test_no_object_however_odd_breaks_the_server(server, kind, spec, other, metadata):
    body = {"metadata": {"generateName": "x"}, "spec": spec}
    if isinstance(other, dict):
        body = other | body
    asyncio.run(_try(server, kind, body, metadata))


async def _try(server: ApiServer, kind: str, body: dict, metadata: object) -> None:
    root = ROOTS[kind]
    async with _client(server) as client:
        made = await client.post(root, json=body)
        assert made.status_code < 500, made.text
        odd = await client.post(root, json=body | {"metadata": metadata})
        assert odd.status_code < 500, odd.text
        name = made.json()["metadata"]["name"] if made.is_success else "x"
        for media in ("merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"):
            headers = {"Content-Type": f"application/{media}"}
            patch = body | {"metadata": {"name": name}}
            url = f"{root}/{name}?fieldManager=m&force=true"
            answer = await client.patch(url, content=json.dumps(patch), headers=headers)
            assert answer.status_code < 500, answer.text
        for accept in (TABLE, "application/json"):
            answer = await client.get(root, headers={"Accept": accept})
            assert answer.status_code == 200, answer.text
        gone = await client.delete(f"{root}/{name}")
        assert gone.status_code < 500, gone.text


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=60),
    media=st.sampled_from(
        [
            "application/json",
            "application/vnd.kubernetes.protobuf",
            "application/json-patch+json",
            "application/yaml",
            "application/apply-patch+yaml",
            "",
        ]
    ),
    method=st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]),
    path=st.sampled_from(["", "/x", "/x/status", "/x/scale", "/x/eviction", "/x/log"]),
)
def test_no_body_however_broken_breaks_the_server(server, body, media, method, path):
    async def send() -> httpx.Response:
        async with _client(server) as client:
            url = f"{ROOTS['Pod']}{path}?fieldManager=m"
            return await client.request(method, url, content=body, headers={"Content-Type": media})

    assert asyncio.run(send()).status_code < 500


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "limit=-1",
        "limit=1&continue=%00",
        "resourceVersion=abc",
        "labelSelector=%21%21",
        "fieldSelector=a",
        "watch=1&resourceVersion=x",
        "watch=1&timeoutSeconds=x",
        "watch=1&sendInitialEvents=true",
    ],
)
async def test_options_that_make_no_sense_are_refused(server, query):
    async with _client(server) as client:
        answer = await client.get(f"{ROOTS['Pod']}?{query}")
    assert answer.status_code == 400
    assert answer.json()["kind"] == "Status"


@pytest.mark.parametrize("token", ["", "wrong", "token2", "tok"])
async def test_only_the_token_opens_the_api(server, token):
    async with _client(server, token) as client:
        answer = await client.get(ROOTS["Pod"])
        assert answer.status_code == 401
        assert answer.json()["reason"] == "Unauthorized"
        healthy = await client.get("/readyz")
        assert healthy.status_code == (401 if token else 200)


async def test_a_body_that_would_fill_the_memory_is_refused(server):
    async with _client(server) as client:
        answer = await client.post(ROOTS["ConfigMap"], content=b" " * (3 * 1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_an_object_nested_too_deep_is_refused(server):
    async with _client(server) as client:
        for depth in (900, 5_000, 100_000):
            nested = '{"metadata":{"name":"x"},"spec":' + '{"a":' * depth + "1" + "}" * depth + "}"
            answer = await client.post(ROOTS["Deployment"], content=nested)
            assert answer.status_code in (400, 422), depth


async def test_a_partition_holds_answers_back_until_it_ends(server):
    server.gate.set(0, api_partition=True)
    async with _client(server) as client, asyncio.TaskGroup() as group:
        asked = group.create_task(client.get("/version"))
        await asyncio.sleep(0.02)
        assert not asked.done()
        server.gate.set(0, api_partition=False)
    assert asked.result().status_code == 200


async def test_a_slow_api_answers_later(server):
    server.gate.set(50, api_partition=False)
    before = asyncio.get_running_loop().time()
    async with _client(server) as client:
        await client.get("/version")
    assert asyncio.get_running_loop().time() - before >= 0.05
