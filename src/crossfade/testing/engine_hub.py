"""The loops of one hub on ports in memory, which can be killed before any operation of theirs."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from crossfade.base.clock import Clock
from crossfade.base.errors import CrossfadeError
from crossfade.core.application import Application
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Address
from crossfade.core.release.revision import Revision
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.engine.loops.convergence import Convergence
from crossfade.engine.loops.drills import Drills
from crossfade.engine.loops.failover import FailoverLoop
from crossfade.engine.loops.fleet import Fleet
from crossfade.engine.loops.gating import Gating
from crossfade.engine.loops.judging import Judging
from crossfade.engine.loops.rollouts import Rollouts
from crossfade.engine.loops.runs import Runs
from crossfade.engine.loops.telemetry import Telemetry
from crossfade.engine.loops.traffic import Traffic
from crossfade.engine.records import Records
from crossfade.ports.cluster_access import ClusterAccess
from crossfade.ports.documents import Document, Event, Remove, Save
from crossfade.ports.edge import EdgePlan, EdgeSight, EdgeStatus
from crossfade.ports.event_log import HubStore
from crossfade.ports.gateway_probe import Tls
from crossfade.ports.traffic_counts import TrafficCounts
from crossfade.testing.fake_cluster import FakeConnections, HubKilled
from crossfade.testing.fake_edges import FakeEdges
from crossfade.testing.fake_measurements import FakeSources

if TYPE_CHECKING:
    from crossfade.testing.engine_world import EngineWorld

FIRST_EPOCH = 1


class _Keyed(Protocol):
    async def keys(self) -> list[str]: ...


class _Loop(Protocol):
    async def reconcile(self, key: str, /) -> float: ...


@dataclass(slots=True)
class Life:
    """Of one hub: others may come between any two of its operations, and one may be its last."""

    yields: bool = False
    """Let whoever else can go on do so before each operation."""
    left: int | None = None
    """Operations until the hub is killed; None: it is not."""
    dead: bool = False

    async def operation(self) -> None:
        """Return when the operation may be made.  Raises HubKilled if it never will be."""
        if self.yields:
            await asyncio.sleep(0)
        if self.left is not None:
            self.left -= 1
            self.dead |= self.left < 0
        if self.dead:
            raise HubKilled


class Mortal:
    """Any port of a hub: its operations are made while the hub lives."""

    def __init__(self, port: object, life: Life) -> None:
        self._port, self._life = port, life

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return the operation of this name."""
        method, life = getattr(self._port, name), self._life

        async def operation(*arguments: object, **named: object) -> object:
            await life.operation()
            return await method(*arguments, **named)

        return operation


@dataclass(frozen=True, slots=True)
class _MortalConnections:
    """The ports Connections and GatewayProbe of one hub."""

    inner: FakeConnections
    life: Life

    def cluster(self, cluster: Cluster) -> ClusterAccess:
        access = self.inner.cluster(cluster)
        return ClusterAccess(
            probe=cast("Any", Mortal(access.probe, self.life)),
            releases=cast("Any", Mortal(access.releases, self.life)),
            router=cast("Any", Mortal(access.router, self.life)),
        )

    def counts(
        self, application: Application, address: Address, revisions: tuple[Revision, ...]
    ) -> TrafficCounts:
        counts = self.inner.counts(application, address, revisions)
        return cast("TrafficCounts", Mortal(counts, self.life))

    async def answers(self, host: str, port: int, tls: Tls | None = None) -> None:
        await self.life.operation()
        await self.inner.answers(host, port, tls)


@dataclass(frozen=True, slots=True)
class SkewedClock:
    """A clock that is ahead of another one, or behind."""

    clock: Clock
    ahead: float

    def now(self) -> float:
        """Return the time as this clock shows it."""
        return self.clock.now() + self.ahead


@dataclass(frozen=True, slots=True)
class _HubEdges:
    """
    The port Edges of one hub: it has heard nothing before it began, and has its own clock.

    Its first report of each edge counts nobody, as there is none to compare it with.
    """

    inner: FakeEdges
    life: Life
    began: float
    ahead: float

    async def publish(self, plan: EdgePlan) -> None:
        await self.life.operation()
        await self.inner.publish(plan)

    async def status(self) -> tuple[EdgeStatus, ...]:
        await self.life.operation()
        return await self.inner.status()

    async def sights(self) -> tuple[EdgeSight, ...]:
        heard = (self._heard(each) for each in await self.inner.sights() if each.at >= self.began)
        return tuple(heard)

    def _heard(self, sight: EdgeSight) -> EdgeSight:
        """Return a report as this hub has taken it in, with those before it that it has heard."""
        first = sight.earlier[0] if sight.earlier else sight
        if self.ahead == 0.0 and first.at - first.seconds >= self.began:
            return sight
        whole = sight if sight.at - sight.seconds >= self.began else _first(sight)
        earlier = tuple(self._heard(each) for each in sight.earlier if each.at >= self.began)
        return replace(whole, at=sight.at + self.ahead, earlier=earlier)


def _first(sight: EdgeSight) -> EdgeSight:
    """Return the report of an edge that is not compared with one before."""
    targets = tuple(
        replace(each, requests=0, failed=0, slow=0, connect_failures=0) for each in sight.targets
    )
    classes = tuple(replace(each, served=0, turned_away=0) for each in sight.classes)
    answers = tuple(replace(each, requests=0, failed=0) for each in sight.answers)
    return EdgeSight(sight.edge, sight.at, targets, classes, answers)


@dataclass(slots=True)
class KillingDocuments:
    """Documents whose writer is killed right before or right after a commit, or at any read."""

    inner: HubStore
    commits: int = 0
    kill_before: int = 0
    """Number of the commit that is never made; 0 for none."""
    kill_after: int = 0
    """Number of the commit whose result the writer never learns; 0 for none."""
    life: Life = field(default_factory=Life)

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None."""
        await self.life.operation()
        return await self.inner.get(kind, name)

    async def list(self, kind: str, names: Collection[str] | None = None) -> tuple[Document, ...]:
        """Return all documents of the kind, or those of the names."""
        await self.life.operation()
        return await self.inner.list(kind, names)

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes, or die."""
        await self.life.operation()
        self.commits += 1
        if self.commits == self.kill_before:
            raise HubKilled
        sequence = await self.inner.commit(changes, events, fence)
        if self.commits == self.kill_after:
            raise HubKilled
        return sequence

    async def sequence(self) -> int:
        """Return the number of commits."""
        return await self.inner.sequence()

    async def events(
        self, subject: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        """Return the history."""
        return await self.inner.events(subject, after, limit)

    async def changed_outside(self, after: int) -> tuple[tuple[str, str], ...]:
        """Return what was changed without a fence since the commit `after`."""
        return await self.inner.changed_outside(after)

    async def event_counts(self) -> Mapping[str, int]:
        """Return how many events there are of each subject."""
        return await self.inner.event_counts()

    async def forget_events(self, numbers: tuple[int, ...], fence: int) -> None:
        """Remove the events with these numbers."""
        await self.inner.forget_events(numbers, fence)


class EngineHub:
    """The loops of one hub over the documents that it keeps, called by hand."""

    def __init__(
        self,
        world: "EngineWorld",
        documents: KillingDocuments,
        *,
        epoch: int = FIRST_EPOCH,
        ahead: float = 0.0,
    ) -> None:
        self.documents, self.life, self.epoch = documents, documents.life, epoch
        self.began = world.clock.now()
        self._kept = CachedDocuments(documents)
        self.records = Records(self._kept, fence=epoch, values=world.store.values)
        connections = _MortalConnections(world.connections, self.life)
        clock: Clock = SkewedClock(world.clock, ahead) if ahead else world.clock
        edges = _HubEdges(world.edges, self.life, world.clock.now(), ahead)
        sources = FakeSources(world.measurements)
        self._telemetry = Telemetry(self.records, connections, sources, clock)
        self._judging = Judging(self.records, self._telemetry, clock)
        self._runs = Runs(self.records, sources, clock)
        self._rollouts = Rollouts(self.records, self._judging, self._runs, clock)
        gating = Gating(self.records, world.gates, clock)
        convergence = Convergence(self.records, world.store, connections, clock)
        fleet = Fleet(self.records, connections, connections, clock)
        failover = FailoverLoop(self.records, edges, fleet, clock)
        traffic = Traffic(self.records, edges, clock)
        drills = Drills(self.records, edges, traffic, clock)
        self.loops: dict[str, tuple[_Keyed, _Loop]] = {
            "fleet": (fleet, fleet),
            "failover": (failover, failover),
            "telemetry": (convergence, self._telemetry),
            "judging": (self._rollouts, self._judging),
            "gating": (self._rollouts, gating),
            "runs": (self._rollouts, self._runs),
            "rollouts": (self._rollouts, self._rollouts),
            "convergence": (convergence, convergence),
            "drills": (drills, drills),
            "traffic": (traffic, traffic),
        }
        """Who has the keys and who looks at them, in the order in which they take turns."""

    async def refresh(self) -> None:
        """Notice what others have written."""
        await self._kept.refresh()

    async def turn(self) -> None:
        """Let every loop look at every key once; what cannot be reached is left for later."""
        await self.refresh()
        for name in self.loops:
            for key in await self.keys(name):
                with suppress(CrossfadeError):
                    await self.loops[name][1].reconcile(key)

    async def keys(self, loop: str) -> list[str]:
        """Return the keys that the loop looks at."""
        return await self.loops[loop][0].keys()

    async def look(self, loop: str, key: str) -> None:
        """Let one loop look at one key; nothing more happens if the hub is killed meanwhile."""
        try:
            with suppress(CrossfadeError):
                await self.loops[loop][1].reconcile(key)
        except* HubKilled:
            self.life.dead = True
