"""How a CustomResourceDefinition that is deleted takes its objects along first."""

import asyncio
import logging

from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError, Change, Object
from crossfade.sandbox.kube.deletion import DeleteOptions
from crossfade.sandbox.kube.kinds import CUSTOM_RESOURCE_DEFINITION
from crossfade.sandbox.kube.registry import is_custom
from crossfade.sandbox.kube.rules import CLEANUP_FINALIZER
from crossfade.sandbox.kube.store import Event

_LOG = logging.getLogger(__name__)
_COLLECTION = "customresourcedefinitions.apiextensions.k8s.io"


class Definitions:
    """Ends the deletions of CustomResourceDefinitions of one API until cancelled."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._wake = asyncio.Event()
        self._wake.set()
        api.store.observers.append(self._follow)

    def _follow(self, event: Event) -> None:
        if event.collection == _COLLECTION:
            self._wake.set()
        elif event.change is Change.DELETED:
            kind = self._api.registry.collection(event.collection)
            if kind is not None and is_custom(kind):
                self._wake.set()

    async def run(self) -> None:
        """Look at all deleted definitions whenever one may be ready to go."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for definition in self._api.select(CUSTOM_RESOURCE_DEFINITION):
                if "deletionTimestamp" in definition["metadata"]:
                    try:
                        self._empty(definition)
                    except ApiError as error:
                        _LOG.debug("definition %s: %s", definition["metadata"]["name"], error)

    def _empty(self, definition: Object) -> None:
        name = definition["metadata"]["name"]  # which is what its collection is called
        kind = self._api.registry.collection(name)
        if kind is not None:
            for obj in self._api.store.objects(name):
                if "deletionTimestamp" not in obj["metadata"]:
                    metadata = obj["metadata"]
                    options = DeleteOptions(propagation="Background")
                    self._api.delete(kind, metadata.get("namespace"), metadata["name"], options)
            if self._api.store.objects(name):
                return
        metadata = definition["metadata"]
        kept = [one for one in metadata.get("finalizers") or () if one != CLEANUP_FINALIZER]
        changed = {**definition, "metadata": {**metadata, "finalizers": kept}}
        self._api.update(CUSTOM_RESOURCE_DEFINITION, changed)
