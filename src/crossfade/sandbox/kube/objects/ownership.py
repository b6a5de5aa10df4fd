"""Who controls an object (`metadata.ownerReferences`), and names derived from owners."""

import hashlib
from collections.abc import Iterable
from typing import Any

from crossfade.sandbox.kube.client import KubeClient, Object
from crossfade.sandbox.kube.kinds import Kind

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words


def controller_of(obj: Object) -> dict[str, Any] | None:
    """Return the owner reference with `controller: true`, or None."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: dict[str, Any] = reference
            return found
    return None


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """Return whether `owner` itself (not an earlier one of the same name) controls `obj`."""
    reference = controller_of(obj)
    return reference is not None and reference.get("uid") == owner["metadata"]["uid"]


def controller_reference(kind: Kind, owner: Object) -> dict[str, Any]:
    """Return the reference that makes `owner` the controller of an object."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


async def adopt(client: KubeClient, kind: Kind, obj: Object, reference: dict[str, Any]) -> Object:
    """Make an object without a controller ours and return it."""
    meta = obj["metadata"]
    owners = [*(meta.get("ownerReferences") or ()), reference]
    return await client.patch(
        kind,
        meta.get("namespace"),
        meta["name"],
        {"metadata": {"uid": meta["uid"], "ownerReferences": owners}},
    )


async def release(client: KubeClient, kind: Kind, obj: Object, owner: Object) -> None:
    """Take `owner` out of the owners of an object that it no longer selects."""
    meta, uid = obj["metadata"], owner["metadata"]["uid"]
    owners = [one for one in meta.get("ownerReferences") or () if one.get("uid") != uid]
    merge = {"metadata": {"uid": meta["uid"], "ownerReferences": owners}}
    await client.patch(kind, meta.get("namespace"), meta["name"], merge)


def short_hash(parts: Iterable[str], length: int = 10) -> str:
    """Return a name part that depends on nothing but `parts`."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:length])
