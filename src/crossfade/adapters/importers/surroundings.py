"""What stands beside an imported object: its Service, the host that leads there, its workload."""

import re
from collections.abc import Iterator, Sequence

from crossfade.adapters.importers.objects import Content, KubernetesObject, at, items, mapping, text

_HOST = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+", re.ASCII)
_SERVED = ("name", "labels", "annotations")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Things = Sequence[KubernetesObject]


def find(things: Things, kind: str, name: str, namespace: str = "") -> KubernetesObject | None:
    """Return the object of this name, None when the files do not have it."""
    for each in things:
        near = not namespace or not each.namespace or each.namespace == namespace
        if each.kind == kind and each.name == name and near:
            return each
    return None


def port_of(things: Things, service: str) -> int | None:
    """Return the first port of a Service, None when the files do not have it."""
    found = find(things, "Service", service)
    ports = items(found.spec.get("ports")) if found else []
    port = at(ports[0], "port") if ports else None
    return port if isinstance(port, int) and not isinstance(port, bool) else None


def host_of(things: Things, services: Sequence[str]) -> str:
    """Return the first host name that leads to one of these Services, "" when none is known."""
    for thing in things:
        for host, leads_to in _routes(thing):
            short = {each.split(".")[0] for each in leads_to}
            if short & set(services) and is_host(host):
                return host
    return ""


def is_host(host: str) -> bool:
    """Say whether users may ask for this name: a whole one, without wildcards."""
    return bool(_HOST.fullmatch(host)) and not host.endswith(".svc.cluster.local")


def _routes(thing: KubernetesObject) -> Iterator[tuple[str, set[str]]]:
    """Yield each host of a route with the names of Services that it leads to."""
    match thing.kind:
        case "Ingress":
            for rule in items(thing.spec.get("rules")):
                yield text(at(rule, "host")), set(_names(rule, "service"))
        case "HTTPRoute":
            services = set(_names(thing.spec.get("rules"), "backendRefs"))
            for host in items(thing.spec.get("hostnames")):
                yield text(host), services
        case "VirtualService":
            services = set(_destinations(thing.spec))
            for host in items(thing.spec.get("hosts")):
                yield text(host), services
        case _:
            return


def _names(value: object, key: str) -> Iterator[str]:
    """Yield names of Services below a key, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from _names(item, key)
    elif isinstance(value, dict):
        for each, item in value.items():
            if each == key:
                for found in item if isinstance(item, list) else [item]:
                    yield text(at(found, "name"))
            yield from _names(item, key)


def _destinations(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _destinations(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "destination":
                yield text(at(item, "host"))
            yield from _destinations(item)


def bare(thing: KubernetesObject) -> Content:
    """Return an object as somebody would have written it, without what a cluster adds."""
    metadata = mapping(thing.content.get("metadata"))
    kept = {key: metadata[key] for key in _SERVED if key in metadata}
    annotations = mapping(kept.get("annotations"))
    if annotations:
        left = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        kept = {key: value for key, value in kept.items() if key != "annotations"}
        kept |= {"annotations": left} if left else {}
    spec = {key: value for key, value in thing.spec.items() if key not in _GIVEN_BY_CLUSTERS}
    return {
        "apiVersion": thing.content.get("apiVersion"),
        "kind": thing.kind,
        "metadata": kept,
        "spec": spec,
    }


_GIVEN_BY_CLUSTERS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
