"""
The objects of one cloud with their history: what etcd and the watch cache are to the real server.

Collections are named `pods` or `deployments.apps`. Stored objects are never changed in place, so
that readers, watchers and the history share them without copies. All methods are synchronous and
run on the event loop's thread: each is atomic.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from crossfade.sandbox.kube.client import ApiError, Change, Object
from crossfade.sandbox.kube.journal import Journal
from crossfade.sandbox.kube.status import expired, too_new

Key = tuple[str, str, str]
"""Collection, namespace (empty for cluster-scoped kinds), name."""


class Event(NamedTuple):
    """One change of one object."""

    revision: int
    change: Change
    collection: str
    object: Object
    previous: Object | None
    """The object before the change; watches with a selector need it."""


class _Collection:
    """The objects of one kind, by namespace and name, and its latest changes."""

    __slots__ = ("events", "floor", "objects", "wakers")

    def __init__(self, floor: int) -> None:
        self.objects: dict[str, dict[str, Object]] = {}
        self.events: list[Event] = []
        self.floor = floor
        """Changes up to this revision are no longer (completely) known."""
        self.wakers: set[asyncio.Event] = set()

    def remember(self, event: Event, window: int) -> None:
        self.events.append(event)
        if len(self.events) >= 2 * window:
            self.forget(window)

    def forget(self, window: int) -> None:
        if len(self.events) > window:
            del self.events[:-window]
            self.floor = self.events[0].revision - 1


_HISTORY_AFTER_START = 50
"""Changes kept per collection: enough for watchers that come back, little to start with."""


class Store:
    """Objects, revisions and changes; kept in a journal unless `path` is None."""

    def __init__(self, path: Path | None = None, *, window: int = 200) -> None:
        """
        Open the store; `window` is the least number of changes kept per collection.

        Raises BlockingIOError while another process holds it, ValueError for another format.
        """
        self.revision = 1
        self._window = window
        self._floor = 1
        self._collections: dict[str, _Collection] = {}
        self._dependents: dict[str, dict[Key, None]] = {}
        self.observers: list[Callable[[Event], None]] = []
        """Called after each change, on the event loop's thread; they must be quick."""
        self._journal = Journal(path) if path else None
        if self._journal:
            self._load(self._journal)

    def _load(self, journal: Journal) -> None:
        records = journal.load()
        head = next(records)
        snapshot = int(head.get("revision", 1))
        self._floor = self.revision = snapshot
        for record in records:
            self._replay(record, snapshot)
        for collection in self._collections.values():
            collection.forget(_HISTORY_AFTER_START)
        if not head:
            journal.rewrite({"revision": self.revision}, ())

    def _replay(self, record: dict[str, Any], snapshot: int) -> None:
        collection, obj = record["c"], record["o"]
        revision = int(obj["metadata"]["resourceVersion"])
        if record.get("gone"):
            self._forget(collection, obj, revision)
        elif revision <= snapshot:
            self._insert(collection, obj)
        else:
            self._keep(collection, obj, revision)
        self.revision = max(self.revision, revision)

    def _at(self, collection: str) -> _Collection:
        found = self._collections.get(collection)
        if found is None:
            found = self._collections[collection] = _Collection(self._floor)
        return found

    def get(self, collection: str, namespace: str, name: str) -> Object | None:
        """Return one object, or None."""
        found = self._collections.get(collection)
        return found.objects.get(namespace, {}).get(name) if found else None

    def objects(self, collection: str, namespace: str | None = None) -> list[Object]:
        """Return the objects of one namespace, or of all, in the order of their names."""
        found = self._collections.get(collection)
        if found is None:
            return []
        spaces = sorted(found.objects) if namespace is None else [namespace]
        objects: list[Object] = []
        for space in spaces:
            members = found.objects.get(space, {})
            objects.extend(members[name] for name in sorted(members))
        return objects

    def objects_at(self, collection: str, namespace: str | None, revision: int) -> list[Object]:
        """Return the objects as they were at `revision`; raises ApiError 410, 504."""
        later = self.events_after(collection, revision)
        found = {
            (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): obj
            for obj in self.objects(collection, namespace)
        }
        for event in reversed(later):
            metadata = event.object["metadata"]
            key = (metadata.get("namespace", ""), metadata["name"])
            if namespace is not None and key[0] != namespace:
                continue
            if event.previous is None:
                found.pop(key, None)
            else:
                found[key] = event.previous
        return [found[key] for key in sorted(found)]

    def collections(self) -> tuple[str, ...]:
        """Return the names of all collections that ever had an object."""
        return tuple(self._collections)

    def dependents(self, uid: str) -> tuple[Key, ...]:
        """Return the keys of the objects that name this uid in `metadata.ownerReferences`."""
        return tuple(self._dependents.get(uid, ()))

    def put(self, collection: str, obj: Object) -> Object:
        """
        Store the object, new or changed, and return it with its new resourceVersion.

        The caller gives up the object. Raises ApiError 500 when it cannot be kept.
        """
        revision = self.revision + 1
        obj["metadata"]["resourceVersion"] = str(revision)
        self._write({"c": collection, "o": obj})
        event = self._keep(collection, obj, revision)
        self._announce(event)
        return obj

    def remove(self, collection: str, obj: Object) -> Object:
        """Remove a stored object and return its last state, versioned as its removal."""
        revision = self.revision + 1
        last = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}}
        self._write({"c": collection, "o": last, "gone": True})
        event = self._forget(collection, last, revision)
        self._announce(event)
        return last

    def _keep(self, collection: str, obj: Object, revision: int) -> Event:
        previous = self._insert(collection, obj)
        change = Change.MODIFIED if previous else Change.ADDED
        event = Event(revision, change, collection, obj, previous)
        self._at(collection).remember(event, self._window)
        self.revision = revision
        return event

    def _insert(self, collection: str, obj: Object) -> Object | None:
        metadata = obj["metadata"]
        space, name = metadata.get("namespace", ""), metadata["name"]
        members = self._at(collection).objects.setdefault(space, {})
        previous = members.get(name)
        members[name] = obj
        self._index((collection, space, name), previous, obj)
        return previous

    def _forget(self, collection: str, last: Object, revision: int) -> Event:
        metadata = last["metadata"]
        space, name = metadata.get("namespace", ""), metadata["name"]
        where = self._at(collection)
        members = where.objects.get(space, {})
        previous = members.pop(name, None)
        if not members:
            where.objects.pop(space, None)
        self._index((collection, space, name), previous, None)
        event = Event(revision, Change.DELETED, collection, last, previous)
        where.remember(event, self._window)
        self.revision = revision
        return event

    def _index(self, key: Key, before: Object | None, after: Object | None) -> None:
        old, new = _owners(before), _owners(after)
        if old == new:
            return
        for uid in old - new:
            members = self._dependents.get(uid, {})
            members.pop(key, None)
            if not members:
                self._dependents.pop(uid, None)
        for uid in new - old:
            self._dependents.setdefault(uid, {})[key] = None

    def _write(self, record: dict[str, Any]) -> None:
        if self._journal is None:
            return
        try:
            if self._journal.grown():
                self._compact(self._journal)
            self._journal.append(record)
        except OSError as error:
            message = f"the sandbox could not keep the change: {error.strerror or error}"
            raise ApiError(500, "InternalError", message) from error

    def _compact(self, journal: Journal) -> None:
        journal.rewrite(
            {"revision": self.revision},
            (
                {"c": name, "o": obj}
                for name, collection in self._collections.items()
                for members in collection.objects.values()
                for obj in members.values()
            ),
        )

    def _announce(self, event: Event) -> None:
        for waker in self._at(event.collection).wakers:
            waker.set()
        for observer in self.observers:
            observer(event)

    def events_after(self, collection: str, revision: int) -> list[Event]:
        """
        Return the changes of a collection after `revision`.

        Raises ApiError 410 when they are no longer all known, 504 for a future revision.
        """
        where = self._at(collection)
        if revision < where.floor:
            raise expired(f"too old resource version: {revision} ({where.floor + 1})")
        if revision > self.revision:
            raise too_new(revision, self.revision)
        events = where.events
        if not events or events[-1].revision <= revision:
            return []
        start = len(events)
        while start and events[start - 1].revision > revision:
            start -= 1
        return events[start:]

    @contextmanager
    def waker(self, collection: str) -> Iterator[asyncio.Event]:
        """Give an event that is set at each change of the collection, for as long as it is open."""
        waker = asyncio.Event()
        wakers = self._at(collection).wakers
        wakers.add(waker)
        try:
            yield waker
        finally:
            wakers.discard(waker)

    def close(self) -> None:
        """Give the journal to others; the store must not be used any more."""
        if self._journal:
            self._journal.close()
            self._journal = None


def _owners(obj: Object | None) -> frozenset[str]:
    references = obj["metadata"].get("ownerReferences") if obj else None
    return frozenset(reference["uid"] for reference in references) if references else frozenset()
