"""What an edge says of the clusters behind it this very moment, from its admin page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from crossfade.adapters.envoy.resources import application_of
from crossfade.base.errors import Unavailable
from crossfade.base.ids import ApplicationName, ClusterName

_SECONDS = 2.0
_Key = tuple[ApplicationName, ClusterName]


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """One cluster of the fleet as one edge sees it for one application."""

    application: ApplicationName
    cluster: ClusterName
    weight: int
    """Proportion of users; 0 for a cluster that is only watched."""
    healthy: bool
    """Whether it may get requests now, by probes and by outlier detection."""
    trouble: str
    """Why not: `probe`, `requests` (outlier detection), `unknown` (no probe yet); "" if healthy."""
    requests: int
    """Tries that ended since the cluster got its first users, retries included."""
    errors: int
    """Of these, answers 5xx and no answers."""
    active: int
    """Requests in flight."""


class EdgeStats:
    """Reads one edge's admin page."""

    def __init__(self, admin_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=admin_url, timeout=_SECONDS)

    async def read(self) -> tuple[TargetFigures, ...]:
        """
        Return the figures of all applications and clusters, sorted.

        Raises Unavailable when the edge does not answer: that is not "no traffic".
        """
        seen = await self._get("/clusters", {"format": "json"})
        configured = await self._get(
            "/config_dump", {"include_eds": "", "resource": "dynamic_endpoint_configs"}
        )
        return figures(seen, configured)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer = await self._client.get(path, params=query)
            answer.raise_for_status()
            page: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(
                "the edge's admin page cannot be read",
                hint="is the edge running?",
                address=str(self._client.base_url),
                why=str(error) or type(error).__name__,
            ) from error
        return page


def figures(seen: Mapping[str, Any], configured: Mapping[str, Any]) -> tuple[TargetFigures, ...]:
    """Return the figures in Envoy's `/clusters?format=json` and its dump of endpoints.  Pure."""
    weights = dict(_weights(configured))
    found: dict[_Key, TargetFigures] = {}
    for cluster in seen.get("cluster_statuses", ()):
        name, standby = application_of(cluster["name"])
        if "added_via_api" not in cluster:  # the hub itself
            continue
        for host in cluster.get("host_statuses", ()):
            key = (ApplicationName(name), ClusterName(host["locality"]["zone"]))
            one = _figures(key, host, 0 if standby else weights.get(key, 0))
            found[key] = _together(found[key], one) if key in found else one
    return tuple(found[key] for key in sorted(found))


def _figures(key: _Key, host: Mapping[str, Any], weight: int) -> TargetFigures:
    # Counters are strings, and left out or a plain 0 while they are zero.
    counts = {each["name"]: int(each.get("value", 0)) for each in host.get("stats", ())}
    health = host.get("health_status", {})
    if health.get("pending_active_hc"):
        trouble = "unknown"
    elif health.get("failed_active_health_check"):
        trouble = "probe"
    elif health.get("failed_outlier_check"):
        trouble = "requests"
    else:
        trouble = ""
    errors = counts.get("rq_error", 0)
    return TargetFigures(
        *key,
        weight=weight,
        healthy=not trouble,
        trouble=trouble,
        requests=counts.get("rq_success", 0) + errors,
        errors=errors,
        active=counts.get("rq_active", 0),
    )


def _together(one: TargetFigures, other: TargetFigures) -> TargetFigures:
    """Return the figures of two endpoints of one cluster: healthy when one of them is."""
    return replace(
        one,
        weight=max(one.weight, other.weight),
        healthy=one.healthy or other.healthy,
        trouble="" if one.healthy or other.healthy else one.trouble,
        requests=one.requests + other.requests,
        errors=one.errors + other.errors,
        active=one.active + other.active,
    )


def _weights(configured: Mapping[str, Any]) -> Iterator[tuple[_Key, int]]:
    for part in configured.get("configs", ()):
        assignment = part.get("endpoint_config", {})
        name, standby = application_of(assignment.get("cluster_name", ""))
        if standby:
            continue
        for locality in assignment.get("endpoints", ()):
            cluster = ClusterName(locality.get("locality", {}).get("zone", ""))
            yield (ApplicationName(name), cluster), locality.get("load_balancing_weight", 0)
