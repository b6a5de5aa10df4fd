"""Collects objects whose owners are gone, and ends deletions that wait for their dependents."""

import asyncio
import logging

from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError, Change, Object
from crossfade.sandbox.kube.deletion import FOREGROUND_FINALIZER, ORPHAN_FINALIZER, DeleteOptions
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.store import Event, Key

_LOG = logging.getLogger(__name__)


class Garbage:
    """Follows every change of the store; looks only at what the change can have affected."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._pending: dict[Key, None] = {}
        self._wake = asyncio.Event()
        for collection in api.store.collections():
            for obj in api.store.objects(collection):
                self._look_at(collection, obj)
        api.store.observers.append(self._follow)

    def _follow(self, event: Event) -> None:
        metadata = event.object["metadata"]
        if event.change is Change.DELETED:
            for key in self._api.store.dependents(metadata["uid"]):
                self._add(key)
            for owner in metadata.get("ownerReferences") or ():
                self._add_owner(owner, metadata.get("namespace", ""))
        else:
            self._look_at(event.collection, event.object)

    def _look_at(self, collection: str, obj: Object) -> None:
        metadata = obj["metadata"]
        if metadata.get("ownerReferences") or "deletionTimestamp" in metadata:
            self._add((collection, metadata.get("namespace", ""), metadata["name"]))

    def _add(self, key: Key) -> None:
        self._pending[key] = None
        self._wake.set()

    def _add_owner(self, reference: Object, namespace: str) -> None:
        found = self._owner(reference, namespace)
        if found is not None and "deletionTimestamp" in found[1]["metadata"]:
            kind, owner = found
            metadata = owner["metadata"]
            name = self._api.collection(kind)
            self._add((name, metadata.get("namespace", ""), metadata["name"]))

    async def run(self) -> None:
        """Collect until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            pending, self._pending = self._pending, {}
            for key in pending:
                try:
                    self._collect(key)
                except ApiError as error:
                    _LOG.debug("not collected: %s: %s", "/".join(key), error)
                await asyncio.sleep(0)

    def _collect(self, key: Key) -> None:
        collection, namespace, name = key
        obj, kind = self._api.store.get(*key), self._api.registry.collection(collection)
        if obj is None or kind is None:
            return
        finalizers = obj["metadata"].get("finalizers") or ()
        if "deletionTimestamp" in obj["metadata"]:
            if ORPHAN_FINALIZER in finalizers:
                self._orphan(kind, obj)
            elif FOREGROUND_FINALIZER in finalizers:
                self._end_foreground(kind, obj)
            return
        references = obj["metadata"].get("ownerReferences") or ()
        if not references:
            return
        owners = [self._owner(reference, namespace) for reference in references]
        there = [owner for owner in owners if owner is not None]
        if not there:
            options = DeleteOptions(propagation=_policy(obj), uid=obj["metadata"]["uid"])
            self._api.delete(kind, namespace, name, options)
        elif len(there) < len(references):
            gone = {ref["uid"] for ref, owner in zip(references, owners, strict=True) if not owner}
            self._disown(kind, obj, gone)

    def _owner(self, reference: Object, namespace: str) -> tuple[Kind, Object] | None:
        served = self._api.registry.named(
            str(reference.get("apiVersion", "")), str(reference.get("kind", ""))
        )
        if served is None:
            return None
        space = namespace if served.kind.namespaced else ""
        name = self._api.collection(served.kind)
        found = self._api.store.get(name, space, str(reference.get("name", "")))
        if found is None or found["metadata"]["uid"] != reference["uid"]:
            return None
        return served.kind, found

    def _dependents(self, owner: Object) -> list[tuple[Kind, Object]]:
        found = []
        for key in self._api.store.dependents(owner["metadata"]["uid"]):
            obj, kind = self._api.store.get(*key), self._api.registry.collection(key[0])
            if obj is not None and kind is not None:
                found.append((kind, obj))
        return found

    def _end_foreground(self, kind: Kind, owner: Object) -> None:
        uid, blocking = owner["metadata"]["uid"], False
        for dependent_kind, dependent in self._dependents(owner):
            metadata = dependent["metadata"]
            others = [ref for ref in metadata["ownerReferences"] if ref["uid"] != uid]
            if any(self._owner(ref, metadata.get("namespace", "")) for ref in others):
                self._disown(dependent_kind, dependent, {uid})
                continue
            mine = next(ref for ref in metadata["ownerReferences"] if ref["uid"] == uid)
            blocking = blocking or bool(mine.get("blockOwnerDeletion"))
            if "deletionTimestamp" not in metadata:
                deeper = bool(self._api.store.dependents(metadata["uid"]))
                policy = "Foreground" if deeper else _policy(dependent)
                options = DeleteOptions(propagation=policy, uid=metadata["uid"])
                space = metadata.get("namespace")
                self._api.delete(dependent_kind, space, metadata["name"], options)
        if not blocking:
            self._release(kind, owner, FOREGROUND_FINALIZER)

    def _orphan(self, kind: Kind, owner: Object) -> None:
        for dependent_kind, dependent in self._dependents(owner):
            self._disown(dependent_kind, dependent, {owner["metadata"]["uid"]})
        self._release(kind, owner, ORPHAN_FINALIZER)

    def _disown(self, kind: Kind, obj: Object, owners: set[str]) -> None:
        references = obj["metadata"]["ownerReferences"]
        kept = [reference for reference in references if reference["uid"] not in owners]
        self._set_metadata(kind, obj, "ownerReferences", kept)

    def _release(self, kind: Kind, obj: Object, finalizer: str) -> None:
        kept = [name for name in obj["metadata"].get("finalizers") or () if name != finalizer]
        self._set_metadata(kind, obj, "finalizers", kept)

    def _set_metadata(self, kind: Kind, obj: Object, name: str, values: list[object]) -> None:
        metadata = {**obj["metadata"], name: values}
        self._api.update(kind, {**obj, "metadata": metadata})


def _policy(obj: Object) -> str:
    """Return how to delete a dependent: as its own finalizers say, else in the background."""
    finalizers = obj["metadata"].get("finalizers") or ()
    if ORPHAN_FINALIZER in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND_FINALIZER in finalizers else "Background"
