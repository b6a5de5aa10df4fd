"""The API as controllers of the same process use it."""

import asyncio

import pytest

from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.client import ApiError, Change
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.kinds import CONFIG_MAP, POD


@pytest.fixture
def client() -> DirectClient:
    return DirectClient(open_api())


async def _next(events, count: int) -> list[tuple[str, str]]:
    async with asyncio.timeout(5):
        told = [await anext(events) for _ in range(count)]
    return [(event.change, event.object.get("metadata", {}).get("name", "")) for event in told]


async def test_a_watch_lists_then_syncs_then_follows(client):
    await client.create(CONFIG_MAP, {"metadata": {"name": "a"}})
    events = client.watch(CONFIG_MAP)
    assert await _next(events, 2) == [(Change.ADDED, "a"), (Change.SYNC, "")]
    await client.create(CONFIG_MAP, {"metadata": {"name": "b"}})
    await client.delete(CONFIG_MAP, "default", "a")
    assert await _next(events, 2) == [(Change.ADDED, "b"), (Change.DELETED, "a")]
    await events.aclose()


async def test_a_watcher_that_is_too_slow_lists_again(client):
    events = client.watch(CONFIG_MAP)
    await _next(events, 1)
    await client.create(CONFIG_MAP, {"metadata": {"name": "a"}})
    for number in range(1_200):
        await client.patch(CONFIG_MAP, "default", "a", {"data": {"n": str(number)}})
    assert await _next(events, 2) == [(Change.ADDED, "a"), (Change.SYNC, "")]
    await events.aclose()


async def test_a_watch_by_field_sees_pods_come_and_go(client):
    events = client.watch(POD, "spec.nodeName=here")
    await _next(events, 1)
    spec = {"containers": [{"name": "c", "image": "host"}]}
    await client.create(POD, {"metadata": {"name": "p"}, "spec": spec})
    await client.patch(POD, "default", "p", {"spec": {"nodeName": "here"}})
    assert await _next(events, 1) == [(Change.ADDED, "p")]
    await events.aclose()


async def test_what_a_caller_changes_later_does_not_change_the_store(client):
    body = {"metadata": {"name": "a"}, "data": {"k": "v"}}
    await client.create(CONFIG_MAP, body)
    body["data"]["k"] = "changed"
    merge = {"data": {"m": "1"}, "metadata": {"labels": {"x": "1"}}}
    await client.patch(CONFIG_MAP, "default", "a", merge)
    merge["metadata"]["labels"]["x"] = "changed"
    found = await client.get(CONFIG_MAP, "default", "a")
    assert found["data"] == {"k": "v", "m": "1"}
    assert found["metadata"]["labels"] == {"x": "1"}


async def test_an_update_of_an_older_version_is_a_conflict(client):
    old = await client.create(CONFIG_MAP, {"metadata": {"name": "a"}})
    await client.update(CONFIG_MAP, old | {"data": {"k": "1"}})
    with pytest.raises(ApiError) as caught:
        await client.update(CONFIG_MAP, old | {"data": {"k": "2"}})
    assert (caught.value.code, caught.value.reason) == (409, "Conflict")
