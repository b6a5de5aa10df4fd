"""What Pods take from ConfigMaps, Secrets and from themselves."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from crossfade.base.quantities import thousandths
from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.kinds import CONFIG_MAP, SECRET, Kind


class ConfigError(Exception):
    """A reference leads nowhere; the text is what `kubectl describe` shows."""


async def config_map(client: KubeClient, namespace: str, name: str) -> dict[str, bytes] | None:
    """Return keys and contents, or None when there is no such ConfigMap."""
    found = await _get(client, CONFIG_MAP, namespace, name)
    if found is None:
        return None
    contents = {key: str(text).encode() for key, text in (found.get("data") or {}).items()}
    return contents | _decoded(found.get("binaryData"))


async def secret(client: KubeClient, namespace: str, name: str) -> dict[str, bytes] | None:
    """Return keys and contents, or None when there is no such Secret."""
    found = await _get(client, SECRET, namespace, name)
    return None if found is None else _decoded(found.get("data"))


async def _get(client: KubeClient, kind: Kind, namespace: str, name: str) -> Object | None:
    try:
        return await client.get(kind, namespace, name)
    except ApiError as error:
        if error.code == 404:
            return None
        raise ConfigError(error.message) from error


def _decoded(data: Mapping[str, str] | None) -> dict[str, bytes]:
    result = {}
    for key, text in (data or {}).items():
        try:
            result[key] = base64.b64decode(text)
        except (binascii.Error, ValueError) as error:
            raise ConfigError(f"key {key} is not base64") from error
    return result


def pod_field(pod: Object, path: str, address: str) -> str:
    """Return what a `fieldRef` means; raises ConfigError for a field that cannot be asked for."""
    meta, spec = pod["metadata"], pod["spec"]
    plain = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": address,
        "status.hostIPs": address,
        "status.podIP": address,
        "status.podIPs": address,
    }
    if path in plain:
        return str(plain[path])
    for part in ("labels", "annotations"):
        values: dict[str, str] = meta.get(part) or {}
        if path == f"metadata.{part}":
            return "\n".join(f'{key}="{value}"' for key, value in sorted(values.items()))
        if path.startswith(f"metadata.{part}['") and path.endswith("']"):
            return str(values.get(path[len(f"metadata.{part}['") : -2], ""))
    raise ConfigError(f"unsupported fieldPath: {path}")


def resource_field(
    pod: Object, container: Object, reference: Mapping[str, Any], capacity: Mapping[str, str]
) -> str:
    """Return what a `resourceFieldRef` means, in whole divisors, rounded up."""
    named = reference.get("containerName")
    if named:
        matching = [one for one in pod["spec"]["containers"] if one["name"] == named]
        if not matching:
            raise ConfigError(f"container {named} not found")
        container = matching[0]
    where, _, resource = str(reference.get("resource", "")).partition(".")
    resources = container.get("resources") or {}
    amount = (resources.get(where) or {}).get(resource)
    if amount is None and where == "requests":
        amount = (resources.get("limits") or {}).get(resource, 0)
    if amount is None and where == "limits":
        amount = capacity.get(resource, 0)
    if where not in ("limits", "requests"):
        raise ConfigError(f"unsupported container resource: {reference.get('resource')}")
    divisor = thousandths(reference.get("divisor") or "1") or 1000
    return str(-(-thousandths(amount) // divisor))
