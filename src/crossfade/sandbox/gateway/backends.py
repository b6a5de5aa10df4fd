"""What routes refer to: Services that get requests, or copies of them.  Pure."""

from dataclasses import dataclass
from typing import Any

from crossfade.sandbox.gateway.attachment import Condition
from crossfade.sandbox.gateway.filters import Unsupported, header_changes
from crossfade.sandbox.gateway.world import World, cluster_name
from crossfade.sandbox.kube.client import Object

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Backend:
    """A Service port that a route refers to, or why it cannot be used."""

    cluster: str
    weight: int
    problem: Condition | None
    headers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copies:
    """A Service port that gets copies of a part of the requests, or why it cannot."""

    cluster: str
    per_million: int
    problem: Condition | None


def backend(world: World, namespace: str, ref: Object) -> Backend:
    """Return the backend of a route in `namespace`.  Raises Unsupported."""
    home = ref.get("namespace") or namespace
    port = ref.get("port", 0)
    name = cluster_name(home, ref["name"], port)
    problem = _reference_problem(world, namespace, ref)
    # An unknown cluster name makes Envoy answer 500 for this backend's share (Gateway API rule).
    return Backend(
        f"unresolved:{name}" if problem else name,
        int(ref.get("weight", 1)),
        problem,
        header_changes(ref.get("filters") or []),
    )


def _reference_problem(world: World, namespace: str, ref: Object) -> Condition | None:
    def no(reason: str, message: str) -> Condition:
        return Condition("ResolvedRefs", False, reason, message)

    if ref.get("kind", "Service") != "Service" or ref.get("group", "") != "":
        return no("InvalidKind", f"backend {ref['name']} is no Service")
    home = ref.get("namespace") or namespace
    if home != namespace:
        return no("RefNotPermitted", f"Service {home}/{ref['name']} is in another namespace")
    service = world.services.get((home, ref["name"]))
    if service is None:
        return no("BackendNotFound", f"Service {home}/{ref['name']} not found")
    if service["spec"].get("type") == "ExternalName":
        return no("UnsupportedProtocol", f"Service {home}/{ref['name']} is of type ExternalName")
    if ref.get("port") not in [one["port"] for one in service["spec"].get("ports") or []]:
        return no("BackendNotFound", f"Service {home}/{ref['name']} has no port {ref.get('port')}")
    return None


def copies(world: World, namespace: str, filters: list[Object]) -> tuple[Copies, ...]:
    """Return where the filters send copies to.  Raises Unsupported."""
    found = []
    for one in filters:
        if one["type"] == "RequestMirror":
            wanted = one["requestMirror"]
            ref = wanted["backendRef"]
            name = cluster_name(ref.get("namespace") or namespace, ref["name"], ref.get("port", 0))
            problem = _reference_problem(world, namespace, ref)
            found.append(Copies(name, _per_million(wanted), problem))
    return tuple(found)


def _per_million(mirror: Object) -> int:
    if "percent" in mirror and "fraction" in mirror:
        raise Unsupported("requestMirror with both percent and fraction")
    if "fraction" in mirror:
        top, bottom = mirror["fraction"]["numerator"], mirror["fraction"].get("denominator", 100)
        if not 0 <= top <= bottom:
            raise Unsupported(f"requestMirror.fraction {top}/{bottom}")
        return int(top * MILLION // bottom)
    return int(mirror.get("percent", 100) * MILLION // 100)


def mirror_policies(copies: tuple[Copies, ...]) -> list[dict[str, Any]]:
    """Return Envoy's policies for the copies that can be sent."""
    return [
        {
            "cluster": each.cluster,
            "runtime_fraction": {
                "default_value": {"numerator": each.per_million, "denominator": "MILLION"}
            },
            # A copy looks like the request that it is a copy of.
            "disable_shadow_host_suffix_append": True,
        }
        for each in copies
        if each.problem is None
    ]
