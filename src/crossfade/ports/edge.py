"""Edges: the proxies in front of all clouds that split users over clusters."""

from dataclasses import dataclass
from typing import Protocol

from crossfade.base.ids import ApplicationName, ClusterName


@dataclass(frozen=True, slots=True)
class EdgeTarget:
    """One cluster as users of one application reach it."""

    cluster: ClusterName
    cloud: str
    host: str
    port: int
    weight: int
    """Proportion among the targets; 0 keeps it known and gives it no users."""


@dataclass(frozen=True, slots=True)
class EdgeRoute:
    """One application at the edge."""

    application: ApplicationName
    host: str
    probe_path: str
    try_seconds: float
    targets: tuple[EdgeTarget, ...]


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


class Edges(Protocol):
    """Every implementation passes tests/contract/test_edges.py."""

    async def publish(self, plan: EdgePlan) -> None:
        """Hand the plan to every edge, connected now or later.  Safe to repeat."""
        ...

    async def status(self) -> tuple[EdgeStatus, ...]:
        """Return the edges that are connected now."""
        ...
