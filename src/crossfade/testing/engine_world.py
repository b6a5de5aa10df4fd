"""The real engine over a store and clusters in memory, turn by turn on a clock that is set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.application import Application, Values
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.rollout.state import Rollout
from crossfade.core.traffic.destinations import PARTS
from crossfade.engine.commands import Commands
from crossfade.engine.deployments import Deployments
from crossfade.engine.queries import Queries
from crossfade.engine.records import Records
from crossfade.ports.edge import (
    EdgeAnswers,
    EdgeClass,
    EdgeClassSight,
    EdgePlan,
    EdgeRoute,
    EdgeTarget,
    EdgeTargetSight,
    Way,
)
from crossfade.ports.traffic_counts import SLOWER_EDGES
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.clock import FakeClock
from crossfade.testing.engine_hub import EngineHub, KillingDocuments
from crossfade.testing.fake_charts import FakeCharts
from crossfade.testing.fake_cluster import FakeCluster, FakeConnections
from crossfade.testing.fake_edges import FakeEdges
from crossfade.testing.fake_measurements import FakeMeasurements
from crossfade.testing.fake_notifier import FakeGates
from crossfade.testing.fake_store import FakeStore

EDGE_SECONDS = 1.0
"""Between two reports of an edge."""


@dataclass(slots=True)
class EngineWorld:
    """
    An application on three clusters, a hub that can be killed, and a person's commands.

    There may be others `beside` it, which share clusters, edges, hub and store.
    """

    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=FakeClock)
    clusters: dict[ClusterName, FakeCluster] = field(
        default_factory=lambda: {name: FakeCluster(name) for name in CLUSTERS}
    )
    edges: FakeEdges = field(init=False)
    requests_per_second: int = 100
    """What each gateway counts per second, split by the shares in force."""
    edge_names: tuple[str, ...] = ("edge-1",)
    beside: dict[ApplicationName, int] = field(default_factory=dict)
    """Other applications, and the requests per second of all their users."""
    users_follow: bool = False
    """Gateways count the users whom edges send there, and not all the same."""
    capacities: Mapping[ClusterName, int] = field(default_factory=dict)
    """Requests per second that clusters are said to carry; nobody knows it of the others."""
    deaf: set[str] = field(default_factory=set)
    """Edges that are cut off from the hub: they report nothing, and take no plan."""
    blind: set[tuple[str, ClusterName]] = field(default_factory=set)
    """Edges that cannot reach a cluster, which serves everybody else."""
    in_force: dict[str, EdgePlan] = field(default_factory=dict)
    """The plan that each edge follows."""
    told_times: int = 0
    """How often edges were told."""
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
    hub: EngineHub = field(init=False)
    _owed: dict[tuple[str, str, str], float] = field(default_factory=dict)
    """Parts of requests that are still to come, so that few users are some after a while."""
    _unreported: float = 0.0
    """Seconds since the edges' last reports."""

    def __post_init__(self) -> None:
        """Start the first hub."""
        self.edges = FakeEdges(self.clock)
        self.start_hub()

    def start_hub(self) -> EngineHub:
        """Start a new hub on the same store, as after a kill: nothing else is remembered."""
        self.hub = EngineHub(self, KillingDocuments(self.store))
        return self.hub

    @property
    def connections(self) -> FakeConnections:
        """The clusters as a hub reaches them."""
        return FakeConnections(*self.clusters.values())

    @property
    def _records(self) -> Records:
        return Records(self.store, values=self.store.values)

    @property
    def commands(self) -> Commands:
        """What a person can ask for."""
        return Commands(self._records, self.connections, self.clock)

    @property
    def deployments(self) -> Deployments:
        """Deploy and undo."""
        charts = FakeCharts("/charts/colors")
        return Deployments(self._records, self.store, charts, self.clock, self.connections)

    @property
    def queries(self) -> Queries:
        """What a person can look at."""
        return Queries(self._records, self.clock)

    async def prepare(self, spec: Application | None = None) -> None:
        """Add the clusters and the application."""
        for name in self.clusters:
            room = self.capacities.get(name)
            cluster = Cluster(name, name, "/kubeconfig", name, "sandbox", capacity=room)
            await self.commands.add_cluster(cluster)
        await self.commands.apply(spec or application())

    async def deploy(
        self, values: Values, turns: int = 200, application_name: ApplicationName = APP
    ) -> Rollout:
        """Deploy, let the hub work until the rollout has ended, and return it."""
        await self.deployments.deploy(application_name, values)
        return await self.until_ended(turns, application_name)

    async def until_ended(
        self, turns: int = 200, application_name: ApplicationName = APP
    ) -> Rollout:
        """Let the hub work until the newest rollout has ended, and return it."""
        for _ in range(turns):
            await self.turn()
            rollout = await self.rollout(application_name)
            if not rollout.active:
                return rollout
        raise AssertionError(f"not ended: {(await self.rollout(application_name)).state}")

    async def rollout(self, application_name: ApplicationName = APP) -> Rollout:
        """Return the newest rollout."""
        return (await self.queries.rollout(application_name)).rollout

    async def turn(self, seconds: float = 0.5) -> None:
        """Let time pass, users come, and every loop of the hub look once."""
        self.pass_time(seconds)
        await self.hub.turn()
        self.tell_edges(*self.edge_names)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, users come, and edges report what they have seen of them."""
        self.clock.advance(seconds)
        self._users(seconds)
        self._edges_report(seconds)

    def tell_edges(self, *edges: str) -> None:
        """Let these edges follow the newest plan, if they can be told."""
        if self.edges.plans:
            self.told_times += 1
            self.in_force |= dict.fromkeys(set(edges) - self.deaf, self.edges.plans[-1])

    def reached(self, edge: str, cluster: ClusterName) -> bool:
        """Return whether users of the edge are answered by the cluster."""
        cut = (edge, cluster) in self.blind
        return not cut and not self.clusters[cluster].faults.gateway_down

    def route(self, edge: str, application: ApplicationName = APP) -> EdgeRoute | None:
        """Return the application's route in the plan that the edge follows, None without one."""
        plan = self.in_force.get(edge)
        routes = plan.routes if plan is not None else ()
        for route in routes:
            if route.application == application:
                return route
        return None

    def sent(self, edge: str, application: ApplicationName = APP) -> dict[ClusterName, float]:
        """
        Return which part of its users the edge sends to each cluster, by the plan that it follows.

        Edges leave out by themselves what they cannot reach; nobody is sent anywhere when that is
        everything.
        """
        route = self.route(edge, application)
        weights = {
            each.cluster: each.weight
            for each in (route.targets if route is not None else ())
            if each.weight and each.way is Way.OPEN and self.reached(edge, each.cluster)
        }
        total = sum(weights.values())
        return {name: weight / total for name, weight in weights.items()}

    def told(self, edge: str, application: ApplicationName = APP) -> dict[ClusterName, int]:
        """Return the weights of the plan that the edge follows, by cluster; empty without one."""
        route = self.route(edge, application)
        return {each.cluster: each.weight for each in route.targets} if route is not None else {}

    @property
    def applications(self) -> tuple[ApplicationName, ...]:
        """All applications that have users."""
        return (APP, *self.beside)

    def demand(self, application: ApplicationName = APP) -> int:
        """Return the requests per second of all users of the application."""
        if application == APP:
            return self.requests_per_second * len(self.clusters)
        return self.beside.get(application, 0)

    def _users(self, seconds: float) -> None:
        for whose in self.applications:
            everybody = self._asked(whose)
            for name, cluster in self.clusters.items():
                if not cluster.faults.gateway_down:
                    self._serve(whose, cluster, everybody.get(name, 0.0) * seconds)

    def _serve(self, application: ApplicationName, cluster: FakeCluster, asked: float) -> None:
        for revision, percent in cluster.shares(application).items():
            key = cluster.name, application, revision
            requests = self._whole(key, asked * percent / 100)
            rate = self.error_rates.get(revision, 0.0)
            rate = self.error_rates_at.get((cluster.name, revision), rate)
            errors = round(requests * rate)
            took = self.milliseconds.get(revision, 0)
            slower = {edge: requests for edge in SLOWER_EDGES if edge < took}
            cluster.serve(application, revision, requests, errors, slower)

    def _whole(self, key: tuple[str, str, str], requests: float) -> int:
        """Return how many requests that is; what is left of one comes later."""
        owed = self._owed.get(key, 0.0) + requests
        whole = int(owed + 1e-6)
        self._owed[key] = owed - whole
        return whole

    def _asked(self, application: ApplicationName) -> dict[ClusterName, float]:
        """Return the requests per second that reach each cluster."""
        demand = self.demand(application)
        if not (self.users_follow and self.in_force):
            return dict.fromkeys(self.clusters, demand / len(self.clusters))
        asked = dict.fromkeys(self.clusters, 0.0)
        for edge in self.edge_names:
            served = demand * (1 - self.refused(edge, application)) / len(self.edge_names)
            for name, part in self.sent(edge, application).items():
                asked[name] += served * part
        return asked

    def refused(self, edge: str, application: ApplicationName) -> float:
        """Return which part of its users the edge turns away, by the plan that it follows."""
        route = self.route(edge, application)
        shares = self._class_shares(route.classes if route is not None else ())
        return sum(share * each.turned_away / PARTS for each, share in shares)

    def _edges_report(self, seconds: float) -> None:
        """Let edges report each second what they have seen of every cluster in their plan."""
        self._unreported += seconds
        if self._unreported < EDGE_SECONDS or not self.edges.plans:
            return
        counted, self._unreported = self._unreported, 0.0
        for edge in self.edge_names:
            if edge not in self.deaf:
                self._report(edge, self.in_force.get(edge, self.edges.plans[-1]), counted)

    def _report(self, edge: str, plan: EdgePlan, seconds: float) -> None:
        seen: list[EdgeTargetSight] = []
        classes: list[EdgeClassSight] = []
        answers: list[EdgeAnswers] = []
        for route in plan.routes:
            asked = self.demand(route.application) * seconds / len(self.edge_names)
            turned = self._turn_away(route, asked)
            served = asked - sum(each.turned_away for each in turned)
            targets = self._seen_by(edge, route, served)
            answers.append(self._answers(route, served, targets))
            classes += turned
            seen += targets
        self.edges.report(edge, *seen, classes=classes, answers=tuple(answers), seconds=seconds)

    def _answers(self, route: EdgeRoute, served: float, seen: list[EdgeTargetSight]) -> EdgeAnswers:
        """Return how users fared: second tries save those who met a dead cluster."""
        failed = 0 if any(each.healthy for each in seen) else round(served)
        failed += round(served * self.failing_users)
        return EdgeAnswers(route.application, round(served), failed)

    def _turn_away(self, route: EdgeRoute, asked: float) -> list[EdgeClassSight]:
        found = []
        for each, share in self._class_shares(route.classes):
            name = each.priority.name
            away = round(asked * share * each.turned_away / PARTS)
            found.append(EdgeClassSight(route.application, name, round(asked * share) - away, away))
        return found

    def _class_shares(self, classes: tuple[EdgeClass, ...]) -> Iterator[tuple[EdgeClass, float]]:
        left = 1.0
        for each in classes:
            share = left if each is classes[-1] else self.classes.get(each.priority.name, 0.0)
            left -= share
            yield each, share

    def _seen_by(self, edge: str, route: EdgeRoute, asked: float) -> list[EdgeTargetSight]:
        total = sum(each.weight for each in route.targets) or 1
        return [self._seen_at(edge, route, each, asked / total) for each in route.targets]

    def _seen_at(
        self, edge: str, route: EdgeRoute, target: EdgeTarget, asked: float
    ) -> EdgeTargetSight:
        dead = target.way is not Way.OPEN or not self.reached(edge, target.cluster)
        dead = dead or self.clusters[target.cluster].empty(route.application)
        requests = self._whole((edge, target.cluster, route.application), asked * target.weight)
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

    def weights(self, application: ApplicationName = APP) -> dict[str, int]:
        """Return what the edges are told, by cluster, in percent of the largest share."""
        plan = self.edges.plans[-1] if self.edges.plans else None
        routes = plan.routes if plan is not None else ()
        found = (each.targets for each in routes if each.application == application)
        told = {target.cluster: target.weight for targets in found for target in targets}
        most = max(told.values(), default=0) or 1
        return {name: round(100 * weight / most) for name, weight in told.items()}
