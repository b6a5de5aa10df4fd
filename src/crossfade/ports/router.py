"""The split of one application's users over revisions inside one cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from crossfade.base.ids import ApplicationName, Epoch, RevisionId
from crossfade.core.traffic.split import HeaderRoute, Mirror, Sticky


@dataclass(frozen=True, slots=True)
class RouteBackend:
    """A revision's Service and its share."""

    revision: RevisionId
    service: str
    percent: float
    """At most two decimals."""


@dataclass(frozen=True, slots=True)
class WantedRoute:
    """The one route of an application in a cluster."""

    application: ApplicationName
    namespace: str
    host: str
    gateway: str
    """`namespace/name`."""
    port: int
    epoch: Epoch
    backends: tuple[RouteBackend, ...]
    """Percentages sum to 100; one that only header routes or the mirror name has 0."""
    headers: tuple[HeaderRoute, ...] = ()
    """The first one that matches decides, before the percentages."""
    mirror: Mirror | None = None
    sticky: Sticky | None = None


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """What the data plane of a cluster says about an application's route."""

    epoch: Epoch
    """Epoch of the route that the cluster holds; 0 when there is none."""
    in_force: bool
    """True once the data plane has confirmed that it serves exactly this route."""
    percents: Mapping[RevisionId, float] = field(default_factory=dict)
    trouble: str = ""
    """Why it is not in force, as the router says it."""
    reached: frozenset[RevisionId] = frozenset()
    """Revisions that the route leads any users to, or copies: also by headers, with 0 percent."""


@dataclass(frozen=True, slots=True)
class GatewayEndpoint:
    """Where edges reach the cluster's gateway, and where its counters are read."""

    host: str
    port: int
    metrics_url: str | None = None
    """Prometheus page of the gateway's Envoy; None when the cluster does not publish one."""


class TrafficRouter(Protocol):
    """
    Splits users over revisions in one cluster.

    Every implementation passes tests/contract/test_traffic_router.py.
    """

    async def read(self, application: ApplicationName, namespace: str) -> RouteStatus:
        """Return the route in the cluster and whether it is in force.  Raises Unavailable."""
        ...

    async def write(self, wanted: WantedRoute) -> None:
        """
        Ask for the route.  Safe to repeat; returns once accepted, not once in force.

        Raises Conflict if the cluster holds a route of a higher epoch, Unavailable.
        """
        ...

    async def remove(self, application: ApplicationName, namespace: str) -> None:
        """Take the route away.  Safe to repeat.  Raises Unavailable."""
        ...

    async def endpoint(self, gateway: str) -> GatewayEndpoint:
        """
        Return the address of the Gateway `namespace/name`.

        Raises NotFound when there is no such Gateway or it has no address yet, Unavailable.
        """
        ...
