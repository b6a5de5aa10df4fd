"""What the gateway has seen in its cloud: the Gateway API objects and what they refer to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.sandbox.kube.client import Object

CONTROLLER = "crossfade.dev/sandbox-gateway"
"""`spec.controllerName` of the GatewayClass, and the author of every status written here."""
CLASS_NAME = "sandbox"

Key = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class World:
    """A consistent look at the objects; each mapping is keyed by namespace and name."""

    port: int
    """The one port that the gateway listens on."""
    gateways: Mapping[Key, Object] = field(default_factory=dict)
    """Only those of our class."""
    routes: Mapping[Key, Object] = field(default_factory=dict)
    services: Mapping[Key, Object] = field(default_factory=dict)
    slices: Mapping[Key, tuple[Object, ...]] = field(default_factory=dict)
    """EndpointSlices by the Service that they belong to."""
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels of each namespace."""


def key_of(thing: Object) -> Key:
    """Return namespace and name of an object."""
    meta = thing["metadata"]
    return meta.get("namespace", ""), meta["name"]


def cluster_name(namespace: str, service: str, port: int) -> str:
    """Return the name under which Envoy serves and counts one port of a Service."""
    return f"{namespace}/{service}:{port}"
