"""All of Envoy's configuration for what the gateway has seen, and a verdict on each route."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.sandbox.gateway import resources
from crossfade.sandbox.gateway.attachment import Attachment, Condition, attachments
from crossfade.sandbox.gateway.filters import Unsupported
from crossfade.sandbox.gateway.rules import render_rules
from crossfade.sandbox.gateway.virtual_services import render_virtual_service
from crossfade.sandbox.gateway.world import Key, World, subset_name
from crossfade.sandbox.kube.client import Object


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one HTTPRoute."""

    attachments: tuple[Attachment, ...]
    resolved: Condition


@dataclass(frozen=True, slots=True)
class Config:
    """What Envoy is to serve; equal values need no new files."""

    clusters: Mapping[str, dict[str, Any]]
    endpoints: Mapping[str, dict[str, Any]]
    routes: dict[str, Any]
    verdicts: Mapping[Key, Verdict]
    used: frozenset[str]
    """Clusters that routes refer to; the others are kept for their counters."""
    virtual: Mapping[Key, str] = field(default_factory=dict)
    """Why each VirtualService cannot be served as it stands, "" when it is."""


def endpoints_file(files: Path, name: str) -> Path:
    """Return where the endpoints of a cluster are written."""
    return files / "endpoints" / (re.sub("[/:|]", "_", name) + ".json")


def render(world: World, files: Path, kept: frozenset[str] = frozenset()) -> Config:
    """
    Return the configuration for `world`.

    `kept` are clusters served before: as long as their Service exists they stay, so that
    their counters go on.
    """
    verdicts: dict[Key, Verdict] = {}
    hosts: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {}
    used: set[str] = set()
    for key, route in sorted(world.routes.items()):
        parents = attachments(world, route)
        if not parents:
            continue
        try:
            rules = render_rules(world, route)
        except Unsupported as error:
            verdicts[key] = refusal(parents, str(error))
            continue
        except (KeyError, TypeError, ValueError) as error:
            # One malformed route must not stop the others.
            verdicts[key] = refusal(parents, f"malformed rule: {error!r}")
            continue
        verdicts[key] = Verdict(parents, rules.resolved)
        served = {host for parent in parents for host in parent.hosts}
        for host in served:
            hosts.setdefault(host, []).extend(rules.routes)
        if served:
            used |= rules.clusters
    ordered = {
        host: [route for _, route in sorted(routes, key=lambda one: one[0])]
        for host, routes in hosts.items()
    }
    virtual: dict[Key, str] = {}
    for key, service in sorted(world.virtual_services.items()):
        virtual[key] = _add_virtual_service(world, service, ordered, used)
    clusters, endpoints = _clusters(world, files, frozenset(used) | kept)
    routes = resources.route_configuration(ordered)
    return Config(clusters, endpoints, routes, verdicts, frozenset(used), virtual)


def _add_virtual_service(
    world: World, service: Object, hosts: dict[str, list[dict[str, Any]]], used: set[str]
) -> str:
    """Add its routes behind those of HTTPRoutes; return what is wrong with it."""
    try:
        rules = render_virtual_service(world, service)
    except Unsupported as error:
        return f"the sandbox has no {error}"
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return f"malformed rule: {error!r}"
    for host in rules.hosts:
        hosts.setdefault(host, []).extend(rules.routes)
    used |= rules.clusters
    return f"not found: {', '.join(rules.missing)}" if rules.missing else ""


def refusal(parents: tuple[Attachment, ...], why: str) -> Verdict:
    """Return the verdict on a route that cannot be served as it is written."""
    no = Condition("Accepted", False, "UnsupportedValue", why)
    return Verdict(
        tuple(Attachment(one.parent, no) for one in parents),
        Condition("ResolvedRefs", True, "ResolvedRefs"),
    )


def _clusters(
    world: World, files: Path, names: frozenset[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    clusters, endpoints = {}, {}
    for key, service in world.services.items():
        for port in service["spec"].get("ports") or []:
            for subset, labels in {"": {}, **world.subsets.get(key, {})}.items():
                name = subset_name(*key, port["port"], subset)
                if name not in names:
                    continue
                slices = _of_pods(world, world.slices.get(key, ()), labels)
                addresses = resources.ready_addresses(slices, port.get("name") or "")
                endpoints[name] = resources.assignment(name, addresses)
                clusters[name] = resources.cluster(
                    name,
                    endpoints_file(files, name),
                    http2=port.get("appProtocol") == "kubernetes.io/h2c",
                )
    return clusters, endpoints


def _of_pods(
    world: World, slices: tuple[Object, ...], labels: Mapping[str, str]
) -> tuple[Object, ...]:
    """Return the slices with only those endpoints whose pods carry the labels."""
    if not labels:
        return slices

    def carries(endpoint: Object) -> bool:
        target = endpoint.get("targetRef") or {}
        pod = world.pods.get((target.get("namespace", ""), target.get("name", "")), {})
        return labels.items() <= pod.items()

    return tuple(
        {**one, "endpoints": [each for each in one.get("endpoints") or [] if carries(each)]}
        for one in slices
    )
