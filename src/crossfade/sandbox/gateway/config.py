"""All of Envoy's configuration for what the gateway has seen, and a verdict on each route."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.sandbox.gateway import resources
from crossfade.sandbox.gateway.attachment import Attachment, Condition, attachments
from crossfade.sandbox.gateway.filters import Unsupported
from crossfade.sandbox.gateway.rules import render_rules
from crossfade.sandbox.gateway.world import Key, World, cluster_name


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


def endpoints_file(files: Path, name: str) -> Path:
    """Return where the endpoints of a cluster are written."""
    return files / "endpoints" / (name.replace("/", "_").replace(":", "_") + ".json")


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
    clusters, endpoints = _clusters(world, files, frozenset(used) | kept)
    return Config(
        clusters, endpoints, resources.route_configuration(ordered), verdicts, frozenset(used)
    )


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
            name = cluster_name(*key, port["port"])
            if name not in names:
                continue
            addresses = resources.ready_addresses(world.slices.get(key, ()), port.get("name") or "")
            endpoints[name] = resources.assignment(name, addresses)
            clusters[name] = resources.cluster(
                name,
                endpoints_file(files, name),
                http2=port.get("appProtocol") == "kubernetes.io/h2c",
            )
    return clusters, endpoints
