"""Informers: what was missed while a watch was broken is noticed."""

import asyncio

from crossfade.sandbox.kube.client import Change, WatchEvent
from crossfade.sandbox.kube.controllers.informers import Informer
from crossfade.sandbox.kube.kinds import POD


def pod(name, version="1"):
    return {"metadata": {"name": name, "namespace": "default", "resourceVersion": version}}


class Scripted:
    """A client whose watch tells a story."""

    def __init__(self, story, alive):
        self.story, self.alive = story, alive

    async def watch(self, kind, fields=""):
        for event in self.story:
            yield event
        await asyncio.Event().wait()

    async def list(self, kind, namespace=None, labels="", fields=""):
        return self.alive


SYNC = WatchEvent(Change.SYNC, {})


async def heard(story, alive, until, last):
    told = []
    informer = Informer(Scripted(story, alive), POD)
    informer.listen(lambda old, new: told.append((old and old["metadata"]["name"], new)))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(informer.run())
        await until(lambda: len(told) == last)
        task.cancel()
    return informer, told


async def test_an_object_that_vanished_while_nobody_watched_is_reported_as_gone(until):
    story = [
        WatchEvent(Change.ADDED, pod("old")),
        SYNC,
        WatchEvent(Change.ADDED, pod("short-lived")),
        WatchEvent(Change.ADDED, pod("new")),  # from here on: listed again after a loss
        SYNC,
    ]
    informer, told = await heard(story, [pod("new")], until, 5)
    assert {name for name, new in told if new is None} == {"old", "short-lived"}
    assert set(informer.objects) == {("default", "new")}


async def test_listeners_see_what_was_and_what_is(until):
    story = [
        WatchEvent(Change.ADDED, pod("a")),
        SYNC,
        WatchEvent(Change.MODIFIED, pod("a", "2")),
        WatchEvent(Change.DELETED, pod("a", "3")),
    ]
    _, told = await heard(story, [], until, 3)
    assert told == [(None, pod("a")), ("a", pod("a", "2")), ("a", None)]
