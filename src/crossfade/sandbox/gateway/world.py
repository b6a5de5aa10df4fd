"""What the gateway has seen in its cloud: the Gateway API objects and what they refer to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crossfade.sandbox.kube.client import Object

CONTROLLER = "crossfade.dev/sandbox-gateway"
"""`spec.controllerName` of the GatewayClass, and the author of every status written here."""
CLASS_NAME = "sandbox"

Key = tuple[str, str]
"""Namespace and name."""
Named = tuple[str, str, str]
"""Kind, namespace and name."""


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
    virtual_services: Mapping[Key, Object] = field(default_factory=dict)
    subsets: Mapping[Key, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """By Service, the pod labels of each subset that a DestinationRule names."""
    pods: Mapping[Key, Mapping[str, str]] = field(default_factory=dict)
    """Labels of each pod."""

    def written(self) -> dict[Named, Object]:
        """Return all that people write to say where users go."""
        routes = {("HTTPRoute", *key): thing for key, thing in self.routes.items()}
        return routes | {("VirtualService", *k): v for k, v in self.virtual_services.items()}

    def with_written(self, things: Mapping[Named, Object]) -> "World":
        """Return the world as if only these had been written."""
        kinds: dict[str, dict[Key, Object]] = {"HTTPRoute": {}, "VirtualService": {}}
        for (kind, *key), thing in things.items():
            kinds[kind][key[0], key[1]] = thing
        routes, services = kinds["HTTPRoute"], kinds["VirtualService"]
        return replace(self, routes=routes, virtual_services=services)

    def subset(self, service: Key, name: str) -> Mapping[str, str] | None:
        """Return the pod labels of a Service's subset, None when there is no such subset."""
        return self.subsets.get(service, {}).get(name)


def key_of(thing: Object) -> Key:
    """Return namespace and name of an object."""
    meta = thing["metadata"]
    return meta.get("namespace", ""), meta["name"]


def cluster_name(namespace: str, service: str, port: int) -> str:
    """Return the name under which Envoy serves and counts one port of a Service."""
    return f"{namespace}/{service}:{port}"


def subset_name(namespace: str, service: str, port: int, subset: str) -> str:
    """Return the name of the part of a Service port that a subset is; "" is all of it."""
    whole = cluster_name(namespace, service, port)
    return f"{whole}|{subset}" if subset else whole
