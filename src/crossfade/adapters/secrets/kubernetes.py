"""Secrets in clusters: the keys of Kubernetes Secrets."""

import base64
import binascii
from collections.abc import Callable

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.base.errors import InputError, NotFound
from crossfade.base.ids import ClusterName
from crossfade.base.secrets import Secret, SecretRef


class KubernetesSecrets:
    """`{secretRef: {cluster, namespace, name, key}}`, read with the credentials of the fleet."""

    def __init__(self, api: Callable[[ClusterName], KubeApi]) -> None:
        """`api` returns the API of a cluster of the fleet, or raises NotFound."""
        self._api = api

    def holds(self, ref: SecretRef) -> bool:
        """Say whether the reference is to a Secret in a cluster."""
        return bool(ref.namespace)

    async def resolve(self, ref: SecretRef) -> Secret:
        """Return the secret; see the port for errors."""
        api = self._api(ClusterName(ref.cluster))
        found = await api.find(f"/api/v1/namespaces/{ref.namespace}/secrets/{ref.name}")
        if found is None:
            raise NotFound(
                f"there is no Secret `{ref.namespace}/{ref.name}`",
                hint=f"kubectl -n {ref.namespace} create secret generic {ref.name}"
                f" --from-literal={ref.key}=...",
                cluster=ref.cluster,
            )
        data = found.get("data") or {}
        if ref.key not in data:
            raise NotFound(
                f"the Secret `{ref.namespace}/{ref.name}` has no key `{ref.key}`",
                hint=f"it has: {', '.join(sorted(data)) or 'none'}",
                cluster=ref.cluster,
            )
        try:
            return Secret(base64.b64decode(data[ref.key], validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            raise InputError(
                f"the secret `{ref}` is no text", hint="store it as UTF-8", cluster=ref.cluster
            ) from None
