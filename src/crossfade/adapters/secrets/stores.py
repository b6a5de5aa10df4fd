"""Secret stores that pipelines refer to: clusters of the fleet, HashiCorp Vault."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from crossfade.adapters.http.caller import Call, HttpCaller, refused
from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.base.errors import InputError, NotFound, Unavailable
from crossfade.base.secrets import Secret
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.pipeline.secret_stores import KubernetesStore, VaultStore, is_path, is_resource

_SECONDS = 10.0
_MISSING = "which is meant is neither said by the store nor by the reference"
_SAY_WHICH = "write ${{secrets.STORE.RESOURCE@KEY}}, or give the store a resource-name"


class RemoteSecretStores:
    """Asks the store that is meant, with a deadline."""

    def __init__(
        self, cluster: Callable[[str], Awaitable[Cluster]], seconds: float = _SECONDS
    ) -> None:
        """`cluster` returns a cluster of the fleet by its name, or raises NotFound."""
        self._cluster, self._seconds = cluster, seconds

    async def read(self, store: KubernetesStore | VaultStore, resource: str, key: str) -> Secret:
        """Return one secret; see the port."""
        if store.resource and resource:
            raise InputError(
                f"the store is of `{store.resource}` alone, and `{resource}` is asked for",
                hint="write ${{secrets.STORE.KEY}}",
            )
        resource = store.resource or resource
        if not resource:
            raise InputError(_MISSING, hint=_SAY_WHICH)
        match store:
            case KubernetesStore():
                return await self._of_cluster(store, resource, key)
            case VaultStore():
                return await self._of_vault(store, resource, key)

    async def _of_cluster(self, store: KubernetesStore, resource: str, key: str) -> Secret:
        if not is_resource(resource):
            raise InputError(f"{resource!r} names no object of Kubernetes", hint=_SAY_WHICH)
        kind = "ConfigMap" if store.config_maps else "Secret"
        what = f"the {kind} `{store.namespace}/{resource}` of {store.cluster}"
        api = KubeApi(await self._cluster(store.cluster), seconds=self._seconds)
        try:
            found = await api.find(
                f"/api/v1/namespaces/{store.namespace}/{kind.lower()}s/{resource}"
            )
        finally:
            await api.close()
        if found is None:
            raise NotFound(f"there is no {what[4:]}", hint="make it, or mend the reference")
        value = _chosen(found.get("data") or {}, key, what)
        if store.config_maps:
            return Secret(str(value))
        try:
            return Secret(base64.b64decode(str(value), validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            raise InputError(f"`{key}` of {what} is no text", hint="store it as UTF-8") from None

    async def _of_vault(self, store: VaultStore, resource: str, key: str) -> Secret:
        if not is_path(resource):
            raise InputError(f"{resource!r} is no path of Vault", hint=_SAY_WHICH)
        inner = "data/" if store.version > 1 else ""
        headers = {"X-Vault-Token": store.token, "X-Vault-Request": "true"}
        if store.namespace:
            headers["X-Vault-Namespace"] = store.namespace
        call = Call(
            f"{store.address}/v1/{store.mount}/{inner}{resource}",
            headers=headers,
            secrets=(Secret(store.token),),
        )
        caller = HttpCaller(self._seconds)
        try:
            answer = await caller.send(call)
        finally:
            await caller.close()
        what = f"the secret `{store.mount}/{resource}` of Vault"
        said = answer.json()
        if answer.status == 404:
            hint = "put it there, or mend mount, version and path"
            raise NotFound(f"there is no {what[4:]}", hint=hint, address=call.place)
        if answer.status != 200:
            raise refused(call, answer, "Vault", _words(said))
        data = said.get("data") if isinstance(said, dict) else None
        data = data.get("data") if isinstance(data, dict) and store.version > 1 else data
        if not isinstance(data, dict):
            raise Unavailable(
                f"{what} is answered in a form that is not Vault's",
                hint="check address and version of the key-value engine",
                address=call.place,
            )
        value = _chosen(data, key, what)
        return Secret(value if isinstance(value, str) else json.dumps(value))


def _chosen(data: Mapping[str, Any], key: str, what: str) -> Any:  # noqa: ANN401 - of any JSON
    if data.get(key) is None:
        known = ", ".join(sorted(data)) or "none"
        raise NotFound(f"{what} has no key `{key}`", hint=f"it has: {known}")
    return data[key]


def _words(said: object) -> str:
    """Return what Vault says to its refusal."""
    errors = said.get("errors") if isinstance(said, dict) else None
    return "; ".join(map(str, errors)) if isinstance(errors, list) else ""
