"""What the gateway sees of its cluster, kept up to date by watches."""

import asyncio
from collections.abc import Mapping

from crossfade.sandbox.gateway.virtual_services import service_key
from crossfade.sandbox.gateway.world import CONTROLLER, Key, World, key_of
from crossfade.sandbox.kube.client import Change, KubeClient, Object
from crossfade.sandbox.kube.kinds import (
    DESTINATION_RULE,
    ENDPOINT_SLICE,
    GATEWAY,
    GATEWAY_CLASS,
    HTTP_ROUTE,
    NAMESPACE,
    POD,
    SERVICE,
    VIRTUAL_SERVICE,
    Kind,
)

KINDS = (
    GATEWAY_CLASS,
    GATEWAY,
    HTTP_ROUTE,
    VIRTUAL_SERVICE,
    DESTINATION_RULE,
    SERVICE,
    ENDPOINT_SLICE,
    NAMESPACE,
    POD,
)
_SERVICE_LABEL = "kubernetes.io/service-name"


class Watched:
    """The objects of every kind that the gateway needs."""

    def __init__(self, client: KubeClient, port: int) -> None:
        self._client, self._port = client, port
        self._objects: dict[str, dict[Key, Object]] = {kind.kind: {} for kind in KINDS}
        self._missing = {kind.kind for kind in KINDS}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow the cluster, endlessly."""
        async with asyncio.TaskGroup() as group:
            for kind in KINDS:
                group.create_task(self._follow(kind), name=f"gateway watches {kind.plural}")

    async def changed(self) -> None:
        """Return once something has changed since the last call, and all kinds are listed."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not self._missing:
                return

    def touch(self) -> None:
        """Make `changed` return although nothing has."""
        self._changed.set()

    def all(self, kind: Kind) -> Mapping[Key, Object]:
        """Return the objects of a kind as last seen."""
        return self._objects[kind.kind]

    def world(self) -> World:
        """Return what is there now.  Objects are shared: they never change in place."""
        classes = {
            name
            for (_, name), thing in self.all(GATEWAY_CLASS).items()
            if thing["spec"].get("controllerName") == CONTROLLER
        }
        slices: dict[Key, tuple[Object, ...]] = {}
        for (namespace, _), thing in sorted(self.all(ENDPOINT_SLICE).items()):
            owner = (thing["metadata"].get("labels") or {}).get(_SERVICE_LABEL)
            if owner:
                slices[namespace, owner] = (*slices.get((namespace, owner), ()), thing)
        return World(
            port=self._port,
            gateways={
                key: thing
                for key, thing in self.all(GATEWAY).items()
                if thing["spec"].get("gatewayClassName") in classes
            },
            routes=dict(self.all(HTTP_ROUTE)),
            services=dict(self.all(SERVICE)),
            slices=slices,
            namespaces={
                name: thing["metadata"].get("labels") or {}
                for (_, name), thing in self.all(NAMESPACE).items()
            },
            virtual_services=dict(self.all(VIRTUAL_SERVICE)),
            subsets=self._subsets(),
            pods={
                key: thing["metadata"].get("labels") or {} for key, thing in self.all(POD).items()
            },
        )

    def _subsets(self) -> dict[Key, dict[str, Mapping[str, str]]]:
        found: dict[Key, dict[str, Mapping[str, str]]] = {}
        for (namespace, _), rule in sorted(self.all(DESTINATION_RULE).items()):
            spec = rule.get("spec") or {}
            subsets = found.setdefault(service_key(str(spec.get("host")), namespace), {})
            for subset in spec.get("subsets") or []:
                subsets[str(subset.get("name"))] = subset.get("labels") or {}
        return found

    async def _follow(self, kind: Kind) -> None:
        objects = self._objects[kind.kind]
        async for event in self._client.watch(kind):
            if event.change is Change.SYNC:
                if kind.kind not in self._missing:
                    await self._forget_lost(kind)
                self._missing.discard(kind.kind)
            elif event.change is Change.DELETED:
                objects.pop(key_of(event.object), None)
            else:
                key = key_of(event.object)
                before, objects[key] = objects.get(key), event.object
                if kind is POD and before is not None and _labels(before) == _labels(event.object):
                    continue  # of pods nothing else is looked at
            self._changed.set()

    async def _forget_lost(self, kind: Kind) -> None:
        """Drop what was deleted while the watch was broken."""
        alive = {key_of(thing) for thing in await self._client.list(kind)}
        for gone in set(self.all(kind)) - alive:
            del self._objects[kind.kind][gone]


def _labels(thing: Object) -> Object:
    found: Object = thing["metadata"].get("labels") or {}
    return found
