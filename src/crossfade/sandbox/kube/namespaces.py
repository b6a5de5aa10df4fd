"""What every namespace gets, and how one that is deleted loses its contents first."""

import asyncio
import logging

from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError, Change, Object
from crossfade.sandbox.kube.deletion import DeleteOptions
from crossfade.sandbox.kube.kinds import CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT
from crossfade.sandbox.kube.store import Event

_LOG = logging.getLogger(__name__)
_ROOT_CERTIFICATE = "kube-root-ca.crt"


class Namespaces:
    """Keeps the namespaces of one API in order until cancelled."""

    def __init__(self, api: Api, authority: str = "") -> None:
        """Watch from now on; `authority` is the PEM that pods would trust the API by."""
        self._api, self._authority = api, authority
        self._pending: dict[str, None] = {}
        self._wake = asyncio.Event()
        for obj in api.select(NAMESPACE):
            self._add(obj["metadata"]["name"])
        api.store.observers.append(self._follow)

    def _follow(self, event: Event) -> None:
        if event.collection == "namespaces":
            self._add(event.object["metadata"]["name"])
            return
        space = event.object["metadata"].get("namespace")
        if event.change is Change.DELETED and space and self._terminating(space):
            self._add(space)
        elif event.collection == "serviceaccounts" and event.change is Change.DELETED and space:
            self._add(space)  # the default one comes back

    def _add(self, name: str) -> None:
        self._pending[name] = None
        self._wake.set()

    def _terminating(self, name: str) -> bool:
        found = self._api.store.get("namespaces", "", name)
        return found is not None and "deletionTimestamp" in found["metadata"]

    async def run(self) -> None:
        """Keep order until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            pending, self._pending = self._pending, {}
            for name in pending:
                try:
                    self._look_at(name)
                except ApiError as error:
                    _LOG.debug("namespace %s: %s", name, error)
                await asyncio.sleep(0)

    def _look_at(self, name: str) -> None:
        found = self._api.store.get("namespaces", "", name)
        if found is None:
            return
        if "deletionTimestamp" in found["metadata"]:
            self._empty(found)
            return
        if self._api.store.get("serviceaccounts", name, "default") is None:
            self._api.create(SERVICE_ACCOUNT, {"metadata": {"name": "default", "namespace": name}})
        if self._authority and self._api.store.get("configmaps", name, _ROOT_CERTIFICATE) is None:
            metadata = {"name": _ROOT_CERTIFICATE, "namespace": name}
            body = {"metadata": metadata, "data": {"ca.crt": self._authority}}
            self._api.create(CONFIG_MAP, body)

    def _empty(self, namespace: Object) -> None:
        name, left = namespace["metadata"]["name"], False
        for collection in self._api.store.collections():
            kind = self._api.registry.collection(collection)
            if kind is None or not kind.namespaced:
                continue
            for obj in self._api.store.objects(collection, name):
                left = True
                if "deletionTimestamp" not in obj["metadata"]:
                    options = DeleteOptions(propagation="Background")
                    self._api.delete(kind, name, obj["metadata"]["name"], options)
        if left and self._has_contents(name):
            return
        rest = [one for one in namespace["spec"].get("finalizers") or () if one != "kubernetes"]
        current = self._api.get(NAMESPACE, None, name)
        spec = {**current["spec"], "finalizers": rest}
        self._api.update(NAMESPACE, {**current, "spec": spec}, "finalize")

    def _has_contents(self, name: str) -> bool:
        store = self._api.store
        return any(store.objects(collection, name) for collection in store.collections())
