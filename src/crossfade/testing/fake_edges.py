"""Edges in memory, for tests of what publishes plans."""

from collections.abc import Iterable

from crossfade.base.clock import Clock, SteadyClock
from crossfade.base.errors import Conflict, InputError
from crossfade.core.fleet.edges import FORGOTTEN_SECONDS
from crossfade.ports.edge import (
    EdgeAnswers,
    EdgeClassSight,
    EdgePlan,
    EdgeSight,
    EdgeStatus,
    EdgeTargetSight,
    kept,
)


class FakeEdges:
    """`Edges` whose proxies accept at once, unless told to refuse or to be slow."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SteadyClock()
        self._sights: dict[str, EdgeSight] = {}
        self.plans: list[EdgePlan] = []
        """Every plan that was published, oldest first; a repeated one only once."""
        self._acknowledged: dict[str, int] = {}
        self._refused: dict[str, str] = {}
        self._slow: set[str] = set()

    async def publish(self, plan: EdgePlan) -> None:
        """Hand the plan to every edge.  Raises InputError and Conflict as the real one does."""
        hosts = [route.host.lower() for route in plan.routes]
        if len(set(hosts)) < len(hosts) or "" in hosts:
            raise InputError("two applications want the same host", hint="change one")
        if self.plans and plan.number < self.plans[-1].number:
            raise Conflict("a newer plan has been published to the edges", hint="read again")
        if not self.plans or self.plans[-1] != plan:
            self.plans.append(plan)
        for edge in self._acknowledged:
            self._offer(edge)

    async def status(self) -> tuple[EdgeStatus, ...]:
        """Return the edges that are connected now, by name."""
        return tuple(
            EdgeStatus(edge, number, self._refused.get(edge, ""))
            for edge, number in sorted(self._acknowledged.items())
        )

    async def sights(self) -> tuple[EdgeSight, ...]:
        """Return the newest report of each edge that is not forgotten yet, by name."""
        oldest = self._clock.now() - FORGOTTEN_SECONDS
        return tuple(sight for _, sight in sorted(self._sights.items()) if sight.at > oldest)

    def report(
        self,
        edge: str,
        *targets: EdgeTargetSight,
        classes: Iterable[EdgeClassSight] = (),
        answers: tuple[EdgeAnswers, ...] = (),
        seconds: float | None = None,
    ) -> None:
        """Let an edge say now what it has seen since its report before, or for so many seconds."""
        before, now = self._sights.get(edge), self._clock.now()
        if seconds is None:
            seconds = now - before.at if before else 0.0
        ordered = sorted(targets, key=lambda each: (each.application, each.cluster))
        counted = sorted(classes, key=lambda each: (each.application, each.priority))
        self._sights[edge] = EdgeSight(
            edge, now, tuple(ordered), tuple(counted), answers, seconds, kept(before, now)
        )

    def forget(self, edge: str) -> None:
        """Drop the reports of an edge, as after it was taken down."""
        self._sights.pop(edge, None)

    def connect(self, edge: str, *, slow: bool = False, refuse: str = "") -> None:
        """Let an edge come; a slow one acknowledges nothing, a refusing one says these words."""
        self._acknowledged[edge] = 0
        self._slow.discard(edge)
        self._refused.pop(edge, None)
        if slow:
            self._slow.add(edge)
        if refuse:
            self._refused[edge] = refuse
        self._offer(edge)

    def disconnect(self, edge: str) -> None:
        """Let an edge go."""
        self._acknowledged.pop(edge, None)

    def _offer(self, edge: str) -> None:
        if self.plans and edge not in self._slow and edge not in self._refused:
            self._acknowledged[edge] = self.plans[-1].number
