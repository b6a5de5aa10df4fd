"""Watches: the changes of a collection as a stream of JSON lines."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from crossfade.sandbox.kube import selectors
from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError, Change, Object
from crossfade.sandbox.kube.direct_client import selected_change
from crossfade.sandbox.kube.selectors import Matcher
from crossfade.sandbox.kube.server.answers import encode
from crossfade.sandbox.kube.server.gate import Gate
from crossfade.sandbox.kube.server.target import Target, flag, number
from crossfade.sandbox.kube.status import bad_request, failure
from crossfade.sandbox.kube.store import Event

BOOKMARK_SECONDS = 60.0
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class Watch:
    """What a client watches."""

    target: Target
    matches: Matcher
    revision: int | None
    """Tell of changes after this; None: first what is there."""
    bookmarks: bool
    timeout_seconds: float
    marks_initial: bool
    """Send a bookmark when all that is there has been told (`sendInitialEvents`)."""


def wanted(target: Target, query: Mapping[str, str]) -> Watch:
    """Return the watch that a query asks for; raises ApiError 400."""
    matches = _matcher(target, query)
    seconds = number(query, "timeoutSeconds")
    text = query.get("resourceVersion", "")
    initial = flag(query, "sendInitialEvents")
    if initial and query.get("resourceVersionMatch") != "NotOlderThan":
        raise bad_request(
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
            "resourceVersionMatch to NotOlderThan"
        )
    if text and not text.isdecimal():
        raise bad_request(f'resourceVersion: Invalid value: "{text}": must be a whole number')
    return Watch(
        target,
        matches,
        None if text in ("", "0") or initial else int(text),
        flag(query, "allowWatchBookmarks"),
        # Spread out as the real server does it, so that watches do not all end together.
        float(seconds) if seconds else 1800 * (1 + random.random()),  # noqa: S311
        initial,
    )


def _matcher(target: Target, query: Mapping[str, str]) -> Matcher:
    by_label = selectors.labels(query.get("labelSelector", ""))
    by_field = selectors.fields(target.kind, query.get("fieldSelector", ""))
    namespace = target.namespace
    if by_label is by_field is selectors.everything and namespace is None:
        return selectors.everything

    def matches(obj: Object) -> bool:
        metadata = obj["metadata"]
        return (
            (namespace is None or metadata.get("namespace") == namespace)
            and by_label(obj)
            and by_field(obj)
        )

    return matches


class Watcher:
    """Streams watches of one API until they time out or the server ends."""

    def __init__(self, api: Api, gate: Gate) -> None:
        self._api, self._gate = api, gate
        self._wakers: set[asyncio.Event] = set()
        self._closing = False

    def close(self) -> None:
        """End all watches now."""
        self._closing = True
        for waker in self._wakers:
            waker.set()

    async def stream(self, watch: Watch, form: Callable[[Object], Object]) -> AsyncIterator[bytes]:
        """Yield the lines of a watch; `form` is how an object looks in them."""
        collection = self._api.collection(watch.target.kind)
        with self._api.store.waker(collection) as waker:
            self._wakers.add(waker)
            try:
                async for chunk in self._chunks(watch, form, waker):
                    if not self._gate.clear:
                        await self._gate.passage()
                    yield chunk
            except ApiError as error:
                yield _line("ERROR", failure(error))
            finally:
                self._wakers.discard(waker)

    async def _chunks(
        self, watch: Watch, form: Callable[[Object], Object], waker: asyncio.Event
    ) -> AsyncIterator[bytes]:
        store, collection = self._api.store, self._api.collection(watch.target.kind)
        now = asyncio.get_running_loop().time
        deadline, bookmark_at = now() + watch.timeout_seconds, now() + BOOKMARK_SECONDS
        revision = watch.revision
        if revision is None:
            revision = store.revision
            yield self._initial(watch, form)
        while True:
            waker.clear()
            events = store.events_after(collection, revision)
            lines = [line for event in events if (line := _told(event, watch, form))]
            revision = store.revision
            if lines:
                yield b"".join(lines)
            ending = self._closing or now() >= deadline
            if watch.bookmarks and (ending or now() >= bookmark_at):
                bookmark_at = now() + BOOKMARK_SECONDS
                yield _bookmark(watch, revision)
            if ending:
                return
            if lines:
                continue  # more may have come while the client read
            until = min(deadline, bookmark_at) if watch.bookmarks else deadline
            try:
                async with asyncio.timeout_at(until):
                    await waker.wait()
            except TimeoutError:
                continue

    def _initial(self, watch: Watch, form: Callable[[Object], Object]) -> bytes:
        target = watch.target
        found = self._api.select(target.kind, target.namespace)
        lines = [_line("ADDED", form(obj)) for obj in found if watch.matches(obj)]
        if watch.marks_initial:
            lines.append(_bookmark(watch, self._api.store.revision, initial=True))
        return b"".join(lines)


def _told(event: Event, watch: Watch, form: Callable[[Object], Object]) -> bytes:
    change = selected_change(event, watch.matches)
    if change is None:
        return b""
    obj = event.object
    if change is Change.DELETED and event.change is not Change.DELETED and event.previous:
        metadata = {**event.previous["metadata"], "resourceVersion": str(event.revision)}
        obj = {**event.previous, "metadata": metadata}
    return _line(change, form(obj))


def _bookmark(watch: Watch, revision: int, *, initial: bool = False) -> bytes:
    kind = watch.target.kind
    metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
    return _line("BOOKMARK", obj)


def _line(type_: str, obj: Object) -> bytes:
    return encode({"type": type_, "object": obj}) + b"\n"
