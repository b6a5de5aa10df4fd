"""The real engine over a store and clusters in memory, turn by turn on a clock that is set."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from crossfade.base.errors import CrossfadeError
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.application import Application, Values
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.rollout.state import Rollout
from crossfade.core.traffic.destinations import PARTS
from crossfade.engine.commands import Commands
from crossfade.engine.deployments import Deployments
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
from crossfade.engine.queries import Queries
from crossfade.engine.records import Records
from crossfade.ports.documents import Event, Remove, Save
from crossfade.ports.edge import (
    EdgeAnswers,
    EdgeClassSight,
    EdgeRoute,
    EdgeTarget,
    EdgeTargetSight,
    Way,
)
from crossfade.ports.forwarding_documents import ForwardingDocuments
from crossfade.ports.traffic_counts import SLOWER_EDGES
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_charts import FakeCharts
from crossfade.testing.fake_cluster import FakeCluster, FakeConnections, HubKilled
from crossfade.testing.fake_edges import FakeEdges
from crossfade.testing.fake_measurements import FakeMeasurements, FakeSources
from crossfade.testing.fake_notifier import FakeGates
from crossfade.testing.fake_store import FakeStore

EDGE_SECONDS = 1.0
"""Between two reports of the edge."""
Reconcile: TypeAlias = Callable[[str], Awaitable[float]]


@dataclass(slots=True)
class KillingDocuments(ForwardingDocuments):
    """Documents whose writer is killed right before or right after a commit."""

    commits: int = 0
    kill_before: int = 0
    """Number of the commit that is never made; 0 for none."""
    kill_after: int = 0
    """Number of the commit whose result the writer never learns; 0 for none."""

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes, or die."""
        self.commits += 1
        if self.commits == self.kill_before:
            raise HubKilled
        sequence = await self.inner.commit(changes, events, fence)
        if self.commits == self.kill_after:
            raise HubKilled
        return sequence


@dataclass(slots=True)
class EngineWorld:
    """One application on three clusters, a hub that can be killed, and a person's commands."""

    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=FakeClock)
    clusters: dict[ClusterName, FakeCluster] = field(
        default_factory=lambda: {name: FakeCluster(name) for name in CLUSTERS}
    )
    edges: FakeEdges = field(init=False)
    requests_per_second: int = 100
    """What each gateway counts per second, split by the shares in force."""
    gates: FakeGates = field(default_factory=FakeGates)
    measurements: FakeMeasurements = field(default_factory=FakeMeasurements)
    """The one source of metrics that there is."""
    error_rates: dict[str, float] = field(default_factory=dict)
    """Share of failing requests, by revision."""
    error_rates_at: dict[tuple[str, str], float] = field(default_factory=dict)
    """Of one cluster and revision, instead."""
    milliseconds: dict[str, int] = field(default_factory=dict)
    """How long every answer of a revision takes; 0 unless said."""
    failing_users: float = 0.0
    """Share of users whose requests fail at the edge, after every second try."""
    troubled: dict[str, float] = field(default_factory=dict)
    """Share of users' requests that a cluster fails by itself, as edges see it."""
    classes: dict[str, float] = field(default_factory=dict)
    """Share of users' requests by priority class; what is left is in the last one."""
    hub: "EngineHub" = field(init=False)
    _unreported: float = 0.0
    """Seconds since the edge's last report."""

    def __post_init__(self) -> None:
        """Start the first hub."""
        self.edges = FakeEdges(self.clock)
        self.start_hub()

    def start_hub(self) -> "EngineHub":
        """Start a new hub on the same store, as after a kill: nothing else is remembered."""
        self.hub = EngineHub(self, KillingDocuments(self.store))
        return self.hub

    @property
    def connections(self) -> FakeConnections:
        """The clusters as a hub reaches them."""
        return FakeConnections(*self.clusters.values())

    @property
    def commands(self) -> Commands:
        """What a person can ask for."""
        return Commands(Records(self.store), self.connections, self.clock)

    @property
    def deployments(self) -> Deployments:
        """Deploy and undo."""
        charts = FakeCharts("/charts/colors")
        return Deployments(Records(self.store), self.store, charts, self.clock, self.connections)

    @property
    def queries(self) -> Queries:
        """What a person can look at."""
        return Queries(Records(self.store), self.clock)

    async def prepare(self, spec: Application | None = None) -> None:
        """Add the clusters and the application."""
        for name in self.clusters:
            await self.commands.add_cluster(Cluster(name, name, "/kubeconfig", name, "sandbox"))
        await self.commands.apply(spec or application())

    async def deploy(self, values: Values, turns: int = 200) -> Rollout:
        """Deploy, let the hub work until the rollout has ended, and return it."""
        await self.deployments.deploy(APP, values)
        return await self.until_ended(turns)

    async def until_ended(self, turns: int = 200) -> Rollout:
        """Let the hub work until the newest rollout has ended, and return it."""
        for _ in range(turns):
            await self.turn()
            rollout = await self.rollout()
            if not rollout.active:
                return rollout
        raise AssertionError(f"not ended: {(await self.rollout()).state}")

    async def rollout(self, application_name: ApplicationName = APP) -> Rollout:
        """Return the newest rollout."""
        return (await self.queries.rollout(application_name)).rollout

    async def turn(self, seconds: float = 0.5) -> None:
        """Let time pass, users come, and every loop of the hub look once."""
        self.clock.advance(seconds)
        self._users(seconds)
        self._edge_reports(seconds)
        await self.hub.turn()

    def _users(self, seconds: float) -> None:
        for cluster in self.clusters.values():
            if cluster.faults.gateway_down:
                continue
            for revision, percent in cluster.shares(APP).items():
                requests = round(self.requests_per_second * seconds * percent / 100)
                rate = self.error_rates.get(revision, 0.0)
                rate = self.error_rates_at.get((cluster.name, revision), rate)
                errors = round(requests * rate)
                took = self.milliseconds.get(revision, 0)
                slower = {edge: requests for edge in SLOWER_EDGES if edge < took}
                cluster.serve(APP, revision, requests, errors, slower)

    def _edge_reports(self, seconds: float) -> None:
        """Let the one edge report each second what it has seen of every cluster in its plan."""
        self._unreported += seconds
        if self._unreported < EDGE_SECONDS or not self.edges.plans:
            return
        targets = [(route, t) for route in self.edges.plans[-1].routes for t in route.targets]
        total = sum(t.weight for _, t in targets) or 1
        asked = self.requests_per_second * self._unreported * len(self.clusters)
        self._unreported = 0.0
        routes = self.edges.plans[-1].routes
        classes = [each for route in routes for each in self._turn_away(route, asked)]
        served = asked - sum(each.turned_away for each in classes)
        seen = [self._seen_at(r, t, served / total) for r, t in targets]
        self.edges.report("edge-1", *seen, classes=classes, answers=self._answers(served, seen))

    def _answers(self, served: float, seen: list[EdgeTargetSight]) -> tuple[EdgeAnswers, ...]:
        """Return how users fared: second tries save those who met a dead cluster."""
        failed = 0 if any(each.healthy for each in seen) else round(served)
        failed += round(served * self.failing_users)
        return tuple(
            EdgeAnswers(name, round(served), failed) for name in {each.application for each in seen}
        )

    def _turn_away(self, route: EdgeRoute, asked: float) -> list[EdgeClassSight]:
        found, left = [], 1.0
        for each in route.classes:
            name, last = each.priority.name, each is route.classes[-1]
            share = left if last else self.classes.get(name, 0.0)
            left -= share
            away = round(asked * share * each.turned_away / PARTS)
            found.append(EdgeClassSight(route.application, name, round(asked * share) - away, away))
        return found

    def _seen_at(self, route: EdgeRoute, target: EdgeTarget, asked: float) -> EdgeTargetSight:
        cluster = self.clusters[target.cluster]
        dead = cluster.faults.gateway_down or target.way is not Way.OPEN or cluster.empty
        requests = round(asked * target.weight)
        # An application's own errors are answers; what the cluster does to them is its trouble.
        failed = requests if dead else round(requests * self.troubled.get(target.cluster, 0.0))
        return EdgeTargetSight(
            route.application,
            target.cluster,
            healthy=not dead,
            trouble="no connection" if dead else "",
            requests=requests,
            failed=failed,
            connect_failures=requests if dead else 0,
        )

    def weights(self) -> dict[str, int]:
        """Return what the edges are told, by cluster, in percent of the largest share."""
        plan = self.edges.plans[-1] if self.edges.plans else None
        told = {t.cluster: t.weight for route in plan.routes for t in route.targets} if plan else {}
        most = max(told.values(), default=0) or 1
        return {name: round(100 * weight / most) for name, weight in told.items()}


class EngineHub:
    """The loops of one hub, called one after the other."""

    def __init__(self, world: EngineWorld, documents: KillingDocuments) -> None:
        self.documents = documents
        self.records = Records(documents)
        connections, clock = world.connections, world.clock
        self._telemetry = Telemetry(
            self.records, connections, FakeSources(world.measurements), clock
        )
        self._judging = Judging(self.records, self._telemetry, clock)
        self._runs = Runs(self.records, FakeSources(world.measurements), clock)
        self._gating = Gating(self.records, world.gates, clock)
        self._rollouts = Rollouts(self.records, self._judging, self._runs, clock)
        self._convergence = Convergence(self.records, world.store, connections, clock)
        self._fleet = Fleet(self.records, connections, connections, clock)
        self._failover = FailoverLoop(self.records, world.edges, self._fleet, clock)
        self._traffic = Traffic(self.records, world.edges, clock)
        self._drills = Drills(self.records, world.edges, self._traffic, clock)

    async def turn(self) -> None:
        """Let every loop look at every key once; what cannot be reached is left for later."""
        for loop, reconcile in (
            (self._fleet.keys, self._fleet.reconcile),
            (self._failover.keys, self._failover.reconcile),
            (self._convergence.keys, self._telemetry.reconcile),
            (self._rollouts.keys, self._judging.reconcile),
            (self._rollouts.keys, self._gating.reconcile),
            (self._rollouts.keys, self._runs.reconcile),
            (self._rollouts.keys, self._rollouts.reconcile),
            (self._convergence.keys, self._convergence.reconcile),
            (self._drills.keys, self._drills.reconcile),
            (self._traffic.keys, self._traffic.reconcile),
        ):
            for key in await loop():
                await self._look(reconcile, key)

    async def _look(self, reconcile: Reconcile, key: str) -> None:
        with suppress(CrossfadeError):
            await reconcile(key)
