"""Edges: the proxies in front of all clouds that split users over clusters."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.fleet.edges import KEPT_SECONDS
from crossfade.core.traffic.priorities import Priority


class Way(StrEnum):
    """Whether edges get through to a cluster; what is not open is made so for a drill."""

    OPEN = "open"
    FAILING = "failing"
    """Connections fail, and no probe has noticed it yet: users' requests are what finds out."""
    CUT = "cut"
    """Connections fail, and so do probes."""


@dataclass(frozen=True, slots=True)
class EdgeTarget:
    """One cluster as users of one application reach it."""

    cluster: ClusterName
    cloud: str
    host: str
    port: int
    weight: int
    """Proportion among the targets; 0 keeps it known and gives it no users."""
    way: Way = Way.OPEN
    """Whether edges get through to it."""


@dataclass(frozen=True, slots=True)
class EdgeClass:
    """One priority class of an application's requests at the edge."""

    priority: Priority
    turned_away: int = 0
    """Of 10,000 of its requests: answered with 503 and the advice to try again later."""


@dataclass(frozen=True, slots=True)
class EdgeRoute:
    """One application at the edge."""

    application: ApplicationName
    host: str
    probe_path: str
    try_seconds: float
    targets: tuple[EdgeTarget, ...]
    retry_non_idempotent: bool = False
    """Whether a POST or PATCH that may have been worked on is tried at another cluster."""
    sticky: bool = False
    """Whether a user stays with the cluster that answered first, while it may have users."""
    classes: tuple[EdgeClass, ...] = ()
    """The most important first; one of them takes the rest.  None: all requests are alike."""


@dataclass(frozen=True, slots=True)
class EdgePlan:
    """Everything that edges should do, numbered."""

    number: int
    """Rises with each change."""
    routes: tuple[EdgeRoute, ...]


@dataclass(frozen=True, slots=True)
class EdgeStatus:
    """One connected edge and the plan it has acknowledged."""

    edge: str
    acknowledged: int
    """Number of the newest plan that is wholly in force there; 0 for none."""
    refused: str = ""
    """The edge's own words when it refused the newest plan; it keeps the last good one."""


@dataclass(frozen=True, slots=True)
class EdgeTargetSight:
    """One cluster as one edge saw it for one application since its sight before."""

    application: ApplicationName
    cluster: ClusterName
    healthy: bool
    """Whether the edge would send it users' requests, by its probes and by outlier detection."""
    trouble: str = ""
    """Why not, in a few words for people; "" while healthy."""
    requests: int = 0
    """Tries that ended, second tries included, probes not."""
    failed: int = 0
    """Of these, no connection, reset, no answer, 502, 503, 504; an application's 500 is not one."""
    slow: int = 0
    """Of these, tries given up because another cluster answered first, `try_seconds` later."""
    connect_failures: int = 0
    """Connections for users that were refused or not taken in time."""


@dataclass(frozen=True, slots=True)
class EdgeClassSight:
    """What one edge has counted of a priority class since its sight before."""

    application: ApplicationName
    priority: str
    served: int = 0
    """Requests that were sent to clusters; not counted for applications without classes."""
    turned_away: int = 0


@dataclass(frozen=True, slots=True)
class EdgeAnswers:
    """How users of one application fared at one edge since its sight before."""

    application: ApplicationName
    requests: int
    """That were sent to clusters, and whose last try ended."""
    failed: int
    """Of these, those that were answered with a 5xx, by whomever."""


@dataclass(frozen=True, slots=True)
class EdgeSight:
    """What one edge reported last."""

    edge: str
    at: float
    """When the report arrived, by the hub's clock."""
    targets: tuple[EdgeTargetSight, ...]
    """Every cluster in the edge's plan that it has looked at, by application and cluster."""
    classes: tuple[EdgeClassSight, ...] = ()
    """Priority classes that it counts, by application and name."""
    answers: tuple[EdgeAnswers, ...] = ()
    """Every application in the edge's plan, by name."""
    seconds: float = 0.0
    """How long it has counted for this report; 0 for a first one, which counts nobody."""
    earlier: tuple["EdgeSight", ...] = ()
    """Its reports before this one, oldest first, for `KEPT_SECONDS` (core/fleet/edges.py)."""


def kept(before: EdgeSight | None, now: float) -> tuple[EdgeSight, ...]:
    """Return what a report that arrives now has as its earlier ones; `before` is the last."""
    if before is None:
        return ()
    reports = (*before.earlier, replace(before, earlier=()))
    return tuple(each for each in reports if each.at > now - KEPT_SECONDS)


def unread(sights: Iterable[EdgeSight], read: Mapping[str, float]) -> tuple[EdgeSight, ...]:
    """
    Return the reports that arrived after those that were read, by edge and oldest first.

    Args:
        sights: the newest report of each edge.
        read: when the newest report of each edge arrived that was read.  Of an edge that is not
            there only the newest is unread: what it said before was nobody's to read.
    """
    return tuple(
        each
        for sight in sights
        for each in ((*sight.earlier, sight) if sight.edge in read else (sight,))
        if each.at > read.get(sight.edge, -math.inf)
    )


def read_until(sights: Iterable[EdgeSight]) -> dict[str, float]:
    """Return what to say to `unread` next time."""
    return {sight.edge: sight.at for sight in sights}


class Edges(Protocol):
    """Every implementation passes tests/contract/test_edges.py."""

    async def publish(self, plan: EdgePlan) -> None:
        """Hand the plan to every edge, connected now or later.  Safe to repeat."""
        ...

    async def status(self) -> tuple[EdgeStatus, ...]:
        """Return the edges that are connected now."""
        ...

    async def sights(self) -> tuple[EdgeSight, ...]:
        """
        Return the newest report of each edge, by name.

        Edges report every second.  One that has fallen silent stays, with the time of its last
        report, for five minutes (`FORGOTTEN_SECONDS` in core/fleet/edges.py): it is no voice any
        more, but it counts in a quorum.
        """
        ...
