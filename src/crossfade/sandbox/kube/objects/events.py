"""Events: what `kubectl describe` and `kubectl get events` show."""

import asyncio
import logging
import uuid
from collections import OrderedDict
from dataclasses import dataclass

from crossfade.base.clock import Clock
from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.kinds import EVENT, Kind
from crossfade.sandbox.kube.objects.timestamps import stamp

_log = logging.getLogger(__name__)
_WAITING, _REMEMBERED = 1000, 2000


@dataclass(frozen=True, slots=True)
class _Entry:
    involved: tuple[tuple[str, str], ...]
    warning: bool
    reason: str
    message: str


class EventRecorder:
    """Writes events behind the back of the caller; the same one again only raises its count."""

    def __init__(self, client: KubeClient, clock: Clock, component: str, host: str = "") -> None:
        self._client, self._clock = client, clock
        self._component, self._host = component, host
        self._queue: asyncio.Queue[_Entry] = asyncio.Queue(_WAITING)
        self._written: OrderedDict[_Entry, tuple[str, str, int]] = OrderedDict()

    def normal(self, kind: Kind, obj: Object, reason: str, message: str, path: str = "") -> None:
        """Record that something went as it should."""
        self._record(_Entry(_involved(kind, obj, path), False, reason, message))

    def warning(self, kind: Kind, obj: Object, reason: str, message: str, path: str = "") -> None:
        """Record that something needs attention."""
        self._record(_Entry(_involved(kind, obj, path), True, reason, message))

    def _record(self, entry: _Entry) -> None:
        try:
            self._queue.put_nowait(entry)
        except asyncio.QueueFull:  # events inform, they must never hold up what they inform of
            _log.debug("event dropped reason=%s", entry.reason)

    async def run(self) -> None:
        """Write what is recorded, endlessly."""
        while True:
            entry = await self._queue.get()
            try:
                await self._write(entry)
            except ApiError as error:
                _log.debug("event refused reason=%s error=%s", entry.reason, error.message)

    async def _write(self, entry: _Entry) -> None:
        known = self._written.pop(entry, None)
        now = stamp(self._clock.now())
        if known is not None:
            namespace, name, count = known
            try:
                merge = {"count": count + 1, "lastTimestamp": now}
                await self._client.patch(EVENT, namespace, name, merge)
            except ApiError as error:
                if error.code != 404:
                    raise
            else:
                self._written[entry] = (namespace, name, count + 1)
                return
        event = await self._client.create(EVENT, self._body(entry, now))
        meta = event["metadata"]
        self._written[entry] = (meta["namespace"], meta["name"], 1)
        while len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

    def _body(self, entry: _Entry, now: str) -> Object:
        involved = dict(entry.involved)
        source = {"component": self._component}
        if self._host:
            source["host"] = self._host
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{involved['name']}.{uuid.uuid4().hex[:16]}",
                "namespace": involved.get("namespace") or "default",
            },
            "involvedObject": involved,
            "type": "Warning" if entry.warning else "Normal",
            "reason": entry.reason,
            "message": entry.message[:1024],
            "source": source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }


def _involved(kind: Kind, obj: Object, path: str) -> tuple[tuple[str, str], ...]:
    meta = obj["metadata"]
    found = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": meta["name"],
        "namespace": meta.get("namespace", ""),
        "uid": meta.get("uid", ""),
        "fieldPath": path,
    }
    return tuple((key, value) for key, value in found.items() if value)
