"""Watches end, and tell when they cannot go on."""

import asyncio
import json

import pytest

from crossfade.base.clock import SteadyClock
from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.builtin import builtin_kinds
from crossfade.sandbox.kube.kinds import CONFIG_MAP, NAMESPACE
from crossfade.sandbox.kube.registry import Registry
from crossfade.sandbox.kube.server.gate import Gate
from crossfade.sandbox.kube.server.target import parse
from crossfade.sandbox.kube.server.watching import Watcher, wanted
from crossfade.sandbox.kube.store import Store

PATH = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def api() -> Api:
    made = Api(Store(window=5), Registry(builtin_kinds()), SteadyClock())
    made.create(NAMESPACE, {"metadata": {"name": "default"}})
    return made


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def watcher(api, gate) -> Watcher:
    return Watcher(api, gate)


def _stream(api, watcher, **query: str):
    return watcher.stream(wanted(parse(api.registry, PATH), query), lambda obj: obj)


async def _events(stream) -> list[dict]:
    async with asyncio.timeout(5):
        chunks = [chunk async for chunk in stream]
    return [json.loads(line) for line in b"".join(chunks).splitlines()]


async def test_a_version_that_is_forgotten_is_an_error_in_the_stream(api, watcher):
    for number in range(30):
        api.create(CONFIG_MAP, {"metadata": {"name": f"m{number}"}})
    [event] = await _events(_stream(api, watcher, resourceVersion="3"))
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


async def test_a_reader_that_falls_behind_is_told_so(api, watcher):
    stream = _stream(api, watcher, resourceVersion=str(api.store.revision))
    api.create(CONFIG_MAP, {"metadata": {"name": "first"}})
    await anext(stream)
    for number in range(30):
        api.create(CONFIG_MAP, {"metadata": {"name": f"m{number}"}})
    [event] = await _events(stream)
    assert event["object"]["code"] == 410


async def test_all_watches_end_when_the_server_ends(api, watcher):
    query = {"allowWatchBookmarks": "true", "resourceVersion": str(api.store.revision)}
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(_events(_stream(api, watcher, **query)))
        await asyncio.sleep(0.01)
        watcher.close()
    assert [event["type"] for event in asked.result()] == ["BOOKMARK"]


async def test_an_idle_watch_does_nothing(api, watcher, monkeypatch):
    looks = []
    look = api.store.events_after
    monkeypatch.setattr(api.store, "events_after", lambda *key: looks.append(key) or look(*key))
    stream = _stream(api, watcher, resourceVersion=str(api.store.revision), timeoutSeconds="1")
    assert await _events(stream) == []
    assert len(looks) == 2, "one at the start, one at the end"


async def test_a_partition_holds_events_back(api, watcher, gate):
    stream = _stream(api, watcher, resourceVersion=str(api.store.revision))
    gate.set(0, api_partition=True)
    api.create(CONFIG_MAP, {"metadata": {"name": "a"}})
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(anext(stream))
        await asyncio.sleep(0.02)
        assert not asked.done()
        gate.set(0, api_partition=False)
    assert json.loads(asked.result())["type"] == "ADDED"
    await stream.aclose()
