"""Events: repeated ones count up instead of filling the cloud."""

import asyncio

from crossfade.base.clock import SteadyClock
from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.kinds import EVENT, NODE, POD
from crossfade.sandbox.kube.objects.events import EventRecorder

WEB = {"metadata": {"name": "web", "namespace": "default", "uid": "u"}}


async def test_the_same_event_again_raises_its_count(until):
    client = DirectClient(open_api())
    recorder = EventRecorder(client, SteadyClock(), "kubelet", "n0")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(recorder.run())
        for _ in range(3):
            recorder.warning(POD, WEB, "BackOff", "Back-off restarting")
        recorder.normal(NODE, {"metadata": {"name": "n0", "uid": "n"}}, "Starting", "up")

        async def written():
            return len(await client.list(EVENT)) == 2

        await until(written)
        events = {event["reason"]: event for event in await client.list(EVENT)}
        assert events["BackOff"]["count"] == 3
        assert events["BackOff"]["type"] == "Warning"
        assert events["BackOff"]["involvedObject"]["uid"] == "u"
        assert events["Starting"]["metadata"]["namespace"] == "default"
        task.cancel()


async def test_events_about_a_namespace_that_is_gone_stop_nothing(until):
    client = DirectClient(open_api())
    recorder = EventRecorder(client, SteadyClock(), "kubelet")
    gone = {"metadata": {"name": "web", "namespace": "gone", "uid": "u"}}
    async with asyncio.TaskGroup() as group:
        task = group.create_task(recorder.run())
        recorder.normal(POD, gone, "Started", "started")
        recorder.normal(POD, WEB, "Started", "started")

        async def written():
            return await client.list(EVENT)

        await until(written)
        task.cancel()
