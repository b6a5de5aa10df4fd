"""
What controllers, kubelet and gateway need of a Kubernetes API.

Two implementations pass one contract: in the process of a sandbox cloud, and over HTTP, with
which our kubelet also serves as the node of a real control plane.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from crossfade.sandbox.kube.kinds import Kind

Object = dict[str, Any]
"""A Kubernetes object as JSON.  Never change one that a client returned: copy it first."""


class ApiError(Exception):
    """An answer of the Kubernetes API other than success, as its `Status` object says it."""

    def __init__(
        self, code: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details


class Change(StrEnum):
    """What happened to an object; SYNC ends each listing: what was not listed since is gone."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    SYNC = "SYNC"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change of the watched collection; `object` is empty with SYNC."""

    change: Change
    object: Object


class KubeClient(Protocol):
    """A Kubernetes API.  All methods raise ApiError (404, 409, 422, ...)."""

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Object:
        """Return one object."""
        ...

    async def list(
        self, kind: Kind, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Return the objects that match both selectors, of all namespaces when None."""
        ...

    def watch(self, kind: Kind, fields: str = "") -> AsyncIterator[WatchEvent]:
        """
        Yield the collection (ADDED each, then SYNC) and from then on every change.

        Endless: it lists again by itself after a 410 or a lost connection.
        """
        ...

    async def create(self, kind: Kind, body: Object) -> Object:
        """Create the object in `metadata.namespace` and return it as stored."""
        ...

    async def update(self, kind: Kind, body: Object, subresource: str = "") -> Object:
        """Replace; 409 unless `metadata.resourceVersion` is the stored one or absent."""
        ...

    async def patch(
        self, kind: Kind, namespace: str | None, name: str, merge: Object, subresource: str = ""
    ) -> Object:
        """Apply a JSON merge patch (RFC 7396) and return the object."""
        ...

    async def delete(
        self, kind: Kind, namespace: str | None, name: str, grace_seconds: int | None = None
    ) -> None:
        """Delete in the background; a Pod with a grace period gets a deletion time first."""
        ...
