"""The Kubernetes API as the controllers of the same process use it: no HTTP, no copies out."""

from collections.abc import AsyncIterator

from crossfade.sandbox.kube import selectors
from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError, Change, Object, WatchEvent
from crossfade.sandbox.kube.deletion import DeleteOptions
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.patch import merge_patch
from crossfade.sandbox.kube.selectors import Matcher
from crossfade.sandbox.kube.store import Event
from crossfade.sandbox.kube.values import clone


class DirectClient:
    """A KubeClient in the process of the server."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Object:
        """Return one object; raises ApiError 404."""
        return self._api.get(kind, namespace, name)

    async def list(
        self, kind: Kind, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Return the objects that match both selectors, of all namespaces when None."""
        return self._api.select(kind, namespace, labels, fields)

    async def watch(self, kind: Kind, fields: str = "") -> AsyncIterator[WatchEvent]:
        """Yield the collection (ADDED each, then SYNC) and from then on every change."""
        store, collection = self._api.store, self._api.collection(kind)
        matches = selectors.fields(kind, fields)
        with store.waker(collection) as waker:
            while True:
                revision = store.revision
                for obj in self._api.select(kind, None, "", fields):
                    yield WatchEvent(Change.ADDED, obj)
                yield WatchEvent(Change.SYNC, {})
                try:
                    while True:
                        waker.clear()
                        for event in store.events_after(collection, revision):
                            revision = event.revision
                            if (change := selected_change(event, matches)) is not None:
                                yield WatchEvent(change, event.object)
                        await waker.wait()
                except ApiError:
                    continue  # too slow for the history that is kept: list again

    async def create(self, kind: Kind, body: Object) -> Object:
        """Create the object in `metadata.namespace` and return it as stored."""
        return self._api.create(kind, clone(body))

    async def update(self, kind: Kind, body: Object, subresource: str = "") -> Object:
        """Replace; 409 unless `metadata.resourceVersion` is the stored one or absent."""
        return self._api.update(kind, clone(body), subresource)

    async def patch(
        self, kind: Kind, namespace: str | None, name: str, merge: Object, subresource: str = ""
    ) -> Object:
        """Apply a JSON merge patch (RFC 7396) and return the object."""
        merge = clone(merge)
        return self._api.change(
            kind, (namespace, name), lambda obj: merge_patch(obj, merge), subresource
        )

    async def delete(
        self, kind: Kind, namespace: str | None, name: str, grace_seconds: int | None = None
    ) -> None:
        """Delete in the background; a Pod with a grace period gets a deletion time first."""
        options = DeleteOptions(grace_seconds=grace_seconds, propagation="Background")
        self._api.delete(kind, namespace, name, options)


def selected_change(event: Event, matches: Matcher) -> Change | None:
    """
    Return what a change is to a watch that sees only matching objects; None: nothing.

    An object that begins to match is ADDED, one that no longer matches is DELETED.
    """
    if matches is selectors.everything:
        return event.change
    before = event.previous is not None and matches(event.previous)
    after = event.change is not Change.DELETED and matches(event.object)
    if before and after:
        return Change.MODIFIED
    if after:
        return Change.ADDED
    return Change.DELETED if before else None
