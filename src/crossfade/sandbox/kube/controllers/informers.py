"""One watch for each kind, shared by all controllers."""

from collections.abc import Callable
from typing import TypeAlias

from crossfade.sandbox.kube.client import Change, KubeClient, Object
from crossfade.sandbox.kube.controllers.work_queue import Key
from crossfade.sandbox.kube.kinds import Kind

Listener: TypeAlias = "Callable[[Object | None, Object | None], None]"
"""Gets an object as it was (None: new) and as it is (None: gone)."""


def key_of(obj: Object) -> Key:
    """Return the key under which controllers know the object."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


class Informer:
    """The objects of one kind as last seen, and whoever wants to hear of changes."""

    def __init__(self, client: KubeClient, kind: Kind, fields: str = "") -> None:
        self._client, self.kind, self._fields = client, kind, fields
        self.objects: dict[Key, Object] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` at each change; it must be quick and must not raise."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Follow the collection, endlessly."""
        synced = False
        async for event in self._client.watch(self.kind, self._fields):
            if event.change is Change.SYNC:
                if synced:
                    await self._forget_lost()
                synced = True
            elif event.change is Change.DELETED:
                self._tell(key_of(event.object), None)
            else:
                self._tell(key_of(event.object), event.object)

    async def _forget_lost(self) -> None:
        """Drop what was deleted while the watch was broken."""
        alive = {key_of(obj) for obj in await self._client.list(self.kind, fields=self._fields)}
        for key in set(self.objects) - alive:
            self._tell(key, None)

    def _tell(self, key: Key, new: Object | None) -> None:
        old = self.objects.get(key)
        if new is None:
            self.objects.pop(key, None)
        else:
            self.objects[key] = new
        for listener in self._listeners:
            listener(old, new)


class Informers:
    """The informers of one client, made on demand."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self.all: dict[Kind, Informer] = {}

    def of(self, kind: Kind) -> Informer:
        """Return the one informer of this kind."""
        found = self.all.get(kind)
        if found is None:
            found = self.all[kind] = Informer(self._client, kind)
        return found
