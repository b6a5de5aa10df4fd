"""Which HTTPRoutes hang on which listeners of our Gateways, and why the others do not.  Pure."""

from dataclasses import dataclass

from crossfade.sandbox.gateway.world import World, key_of
from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.selectors import label_selector


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a status, without its times."""

    type: str
    true: bool
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One parentRef of a route that names one of our Gateways."""

    parent: Object
    """The parentRef as the route writes it."""
    accepted: Condition
    hosts: tuple[str, ...] = ()
    """Host names served for the route through this parent; `*` is every host."""
    listeners: tuple[tuple[str, str, str], ...] = ()
    """Namespace, Gateway and listener that count the route as attached."""


def attachments(world: World, route: Object) -> tuple[Attachment, ...]:
    """Return what becomes of each parentRef that names a Gateway of ours; others are not ours."""
    namespace = route["metadata"]["namespace"]
    found = []
    for parent in route.get("spec", {}).get("parentRefs") or []:
        if parent.get("kind", "Gateway") != "Gateway":
            continue
        gateway = world.gateways.get((parent.get("namespace", namespace), parent["name"]))
        if gateway is not None:
            found.append(_attach(world, route, parent, gateway))
    return tuple(found)


def _attach(world: World, route: Object, parent: Object, gateway: Object) -> Attachment:
    named = [
        listener
        for listener in gateway.get("spec", {}).get("listeners") or []
        if parent.get("sectionName") in (None, listener["name"])
        and parent.get("port") in (None, listener["port"])
    ]
    if not named:
        return _refused(parent, "NoMatchingParent", "the Gateway has no such listener")
    allowed = [one for one in named if _allows(world, gateway, one, route)]
    if not allowed:
        return _refused(
            parent,
            "NotAllowedByListeners",
            "no listener allows HTTPRoutes of this namespace (spec.listeners[].allowedRoutes)",
        )
    wanted = tuple(route["spec"].get("hostnames") or ()) or ("*",)
    namespace, name = key_of(gateway)
    hosts: dict[str, None] = {}
    listeners = []
    for listener in allowed:
        common = [_common(listener.get("hostname") or "*", host) for host in wanted]
        served = [host for host in common if host]
        hosts.update(dict.fromkeys(served))
        if served:
            listeners.append((namespace, name, listener["name"]))
    if not hosts:
        return _refused(
            parent, "NoMatchingListenerHostname", "no listener serves a host name of this route"
        )
    if not any(listener_problem(world, one) is None for one in allowed):
        return _refused(parent, "NoMatchingParent", f"the sandbox serves port {world.port} only")
    accepted = Condition("Accepted", True, "Accepted", "attached to the gateway")
    return Attachment(parent, accepted, tuple(hosts), tuple(listeners))


def listener_problem(world: World, listener: Object) -> Condition | None:
    """Return why the sandbox cannot serve the listener, or None when it does."""
    if listener.get("protocol") != "HTTP":
        return Condition("Accepted", False, "UnsupportedProtocol", "the sandbox speaks HTTP only")
    if listener.get("port") != world.port:
        return Condition(
            "Accepted", False, "PortUnavailable", f"the sandbox serves port {world.port} only"
        )
    return None


def _refused(parent: Object, reason: str, message: str) -> Attachment:
    return Attachment(parent, Condition("Accepted", False, reason, message))


def _allows(world: World, gateway: Object, listener: Object, route: Object) -> bool:
    rules = listener.get("allowedRoutes") or {}
    kinds = [one["kind"] for one in rules.get("kinds") or []]
    if kinds and "HTTPRoute" not in kinds:
        return False
    namespaces = rules.get("namespaces") or {}
    own = route["metadata"]["namespace"]
    match namespaces.get("from", "Same"):
        case "All":
            return True
        case "Same":
            return bool(own == gateway["metadata"]["namespace"])
        case "Selector":
            return label_selector(namespaces.get("selector"))(world.namespaces.get(own, {}))
        case _:
            return False


def _common(listener: str, host: str) -> str | None:
    """Return the narrower of two host names that overlap, else None."""
    if listener == "*" or listener == host:
        return host
    if host == "*":
        return listener
    if listener.startswith("*.") and host.endswith(listener[1:]):
        return host
    if host.startswith("*.") and listener.endswith(host[1:]):
        return listener
    return None
