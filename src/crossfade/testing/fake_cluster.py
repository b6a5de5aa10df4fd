"""
Clusters in memory for tests of the engine, with the faults that real ones have.

Pods and routes follow at once unless told to wait, so that a test says what it is about and no
more.  The ports pass the same contract suites as the real adapters.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from crossfade.base.errors import Conflict, Denied, InputError, NotFound, Unavailable
from crossfade.base.ids import ApplicationName, Epoch, RevisionId
from crossfade.core.application import Application
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.nodes import Node
from crossfade.core.release.report import Address, Cause
from crossfade.core.release.revision import Revision
from crossfade.ports.cluster_access import ClusterAccess
from crossfade.ports.gateway_probe import Tls
from crossfade.ports.router import GatewayEndpoint, RouteStatus, WantedRoute
from crossfade.ports.traffic_counts import SLOWER_EDGES, Counts
from crossfade.testing.fake_gateway import Answered, answer, reached
from crossfade.testing.fake_releases import FakeReleases, Installed, is_chart

GATEWAY = "infra/public"


class HubKilled(BaseException):
    """The hub dies at this very place; nothing catches it, as nothing catches SIGKILL."""


@dataclass(slots=True)
class Faults:
    """What is wrong with a cluster; change it at any time."""

    unreachable: bool = False
    denied: bool = False
    """The credentials are refused."""
    seconds: float = 0.0
    """Time that every answer takes."""
    blind: bool = False
    """Its control plane says that none of its pods is ready; they serve."""
    gateway_down: bool = False
    """The data plane answers nobody, counters included."""
    kill_before: int | None = None
    """The hub is killed before this many further acts have been done."""
    kill_after: int | None = None
    """The hub is killed right after this many further acts have been done: it learns no result."""

    @contextmanager
    def act(self) -> Iterator[None]:
        """Surround one act that changes the cluster."""
        self.kill_before = _count_down(self.kill_before)
        yield
        self.kill_after = _count_down(self.kill_after)


def _count_down(acts: int | None) -> int | None:
    if acts is not None and acts <= 1:
        raise HubKilled
    return None if acts is None else acts - 1


@dataclass(slots=True)
class FakeCluster:
    """One cluster; `releases`, `router`, `probe` and `counts` are its ports."""

    name: str = "aws"
    faults: Faults = field(default_factory=Faults)
    pods_start: bool = True
    """False: pods of what is installed from now on start only when `start_pods` is called."""
    routes_follow: bool = True
    """False: the data plane serves a new route only when `follow_route` is called."""
    refused: dict[RevisionId, str] = field(default_factory=dict)
    """Revisions whose objects the cluster refuses, and why."""
    acts: list[str] = field(default_factory=list)
    """What was done to the cluster, in order, as `install r1234567`."""
    revisions: dict[tuple[ApplicationName, RevisionId], Installed] = field(default_factory=dict)
    shared: dict[tuple[str, str], str] = field(default_factory=dict)
    """Digests of shared releases, by namespace and name."""
    shared_troubles: dict[str, str] = field(default_factory=dict)
    """Shared releases that do not get ready, and why."""
    routes: dict[tuple[str, ApplicationName], WantedRoute] = field(default_factory=dict)
    """Routes that the API holds, by namespace and application."""
    served: dict[tuple[str, ApplicationName], WantedRoute] = field(default_factory=dict)
    """Routes that the data plane serves."""
    gateways: dict[str, GatewayEndpoint] = field(default_factory=dict)
    requests: dict[tuple[ApplicationName, RevisionId], Counts] = field(default_factory=dict)
    ready_nodes: int = 3
    """Of three, as the API server says."""
    living_nodes: int = 3
    """Of three: the others have died, and the API server has not noticed yet."""
    node_looks: int = 0
    """How often the nodes were looked at."""
    held_requests: dict[tuple[ApplicationName, RevisionId], Counts] | None = None
    """What the gateway's counters show while they stand still; None: what was counted."""
    visits: int = 0
    """Requests of users that were sent one by one; shares are met over each hundred of them."""

    def __post_init__(self) -> None:
        """Give the cluster the Gateway that every sandbox cloud has."""
        url = f"http://{self.name}.test/stats/prometheus"
        self.gateways.setdefault(GATEWAY, GatewayEndpoint(f"{self.name}.test", 80, url))

    @property
    def releases(self) -> "FakeReleases":
        """The Releases port."""
        return FakeReleases(self)

    @property
    def router(self) -> "FakeRouter":
        """The TrafficRouter port."""
        return FakeRouter(self)

    @property
    def probe(self) -> "FakeProbe":
        """The ClusterProbe port."""
        return FakeProbe(self)

    @property
    def counts(self) -> "FakeCounts":
        """The TrafficCounts port."""
        return FakeCounts(self)

    def start_pods(self, revision: RevisionId) -> None:
        """Let all pods of the revision become ready."""
        for each in self._all(revision):
            each.ready_pods, each.trouble, each.cause = each.wanted, "", Cause.NONE

    def stop_pods(
        self,
        revision: RevisionId,
        trouble: str = "pods are starting",
        cause: Cause = Cause.NONE,
    ) -> None:
        """Let no pod of the revision be ready, for the reason given."""
        for each in self._all(revision):
            each.ready_pods, each.trouble, each.cause = 0, trouble, cause

    def leave_half_done(self, revision: RevisionId) -> None:
        """Let the revision be as after a crash in the middle of its installation."""
        for each in self._all(revision):
            each.installed = False

    def follow_route(self) -> None:
        """Let the data plane serve the routes that the API holds."""
        self.served = dict(self.routes)

    def shares(self, application: ApplicationName) -> dict[RevisionId, float]:
        """Return the split of users that the data plane really serves."""
        for (_, name), route in self.served.items():
            if name == application:
                return {each.revision: each.percent for each in route.backends}
        return {}

    def epoch(self, application: ApplicationName) -> int:
        """Return the epoch of what the data plane serves, 0 before the first."""
        for (_, name), route in self.served.items():
            if name == application:
                return route.epoch
        return 0

    def empty(self, application: ApplicationName) -> bool:
        """Return whether it has pods, and none is ready: its gateway has nobody to ask."""
        every = ((name, each) for (name, _), each in self.revisions.items())
        pods = [each.ready_pods for name, each in every if name == application and each.wanted]
        return bool(pods) and not any(pods)

    def serve(
        self,
        application: ApplicationName,
        revision: RevisionId,
        requests: int,
        errors: int = 0,
        slower: Mapping[int, int] | None = None,
    ) -> None:
        """Count requests at the gateway, `errors` failed, so many `slower` than each edge in ms."""
        key = (application, revision)
        before = self.requests.get(key, Counts(revision, 0, 0))
        edges = {edge: before.slower.get(edge, 0) for edge in SLOWER_EDGES}
        edges |= {edge: edges.get(edge, 0) + more for edge, more in (slower or {}).items()}
        total = before.requests + requests
        self.requests[key] = Counts(revision, total, before.errors + errors, edges)

    def visit(
        self, application: ApplicationName, headers: Mapping[str, str] | None = None
    ) -> Answered:
        """Send a request of a user through the data plane, count it, and return what came of it."""
        route = next(each for (_, name), each in self.served.items() if name == application)
        self.visits += 1
        answered = answer(route, headers or {}, self.visits)
        self.serve(application, answered.revision, 1)
        if answered.copied_to is not None:
            self.serve(application, answered.copied_to, 1)
        return answered

    def hold_counters(self) -> None:
        """Let the gateway's counters stand still; what is counted shows when they are released."""
        if self.held_requests is None:
            self.held_requests = dict(self.requests)

    def release_counters(self) -> None:
        """Let the gateway's counters show what was counted."""
        self.held_requests = None

    def restart_gateway(self) -> None:
        """Let the gateway's counters begin anew."""
        self.requests.clear()

    async def ask(self) -> None:
        """Answer as the API server does before it looks at what is asked."""
        await asyncio.sleep(self.faults.seconds)
        if self.faults.unreachable:
            raise Unavailable("no answer", hint="restore the cluster", cluster=self.name)
        if self.faults.denied:
            raise Denied("the credentials are refused", hint="log in again", cluster=self.name)

    def refuse(self, revision: Revision, chart: bytes) -> None:
        """Raise InputError if the chart is none, or the cluster refuses the revision."""
        why = self.refused.get(revision.id, "")
        if why or not is_chart(chart):
            raise InputError(why or "this is no chart", hint="mend it", cluster=self.name)

    def _all(self, revision: RevisionId) -> list[Installed]:
        return [each for (_, id_), each in self.revisions.items() if id_ == revision]


@dataclass(frozen=True, slots=True)
class FakeRouter:
    """The TrafficRouter port of a cluster in memory."""

    cluster: FakeCluster

    async def read(self, application: ApplicationName, namespace: str) -> RouteStatus:
        """Return the route and whether it is in force; see the port."""
        await self.cluster.ask()
        key = (namespace, application)
        held = self.cluster.routes.get(key)
        if held is None:
            return RouteStatus(Epoch(0), in_force=False)
        in_force = self.cluster.served.get(key) == held and not self.cluster.faults.gateway_down
        return RouteStatus(
            epoch=held.epoch,
            in_force=in_force,
            percents={each.revision: each.percent for each in held.backends},
            trouble="" if in_force else "the Gateway has not seen the newest route yet",
            reached=reached(held),
        )

    async def write(self, wanted: WantedRoute) -> None:
        """Ask for the route; see the port."""
        await self.cluster.ask()
        key = (wanted.namespace, wanted.application)
        with self.cluster.faults.act():
            held = self.cluster.routes.get(key)
            if held is not None and held.epoch > wanted.epoch:
                raise Conflict(
                    "the cluster holds a newer route", hint="read again", epoch=held.epoch
                )
            self.cluster.acts.append(f"route {wanted.epoch}")
            self.cluster.routes[key] = wanted
            if self.cluster.routes_follow:
                self.cluster.follow_route()

    async def remove(self, application: ApplicationName, namespace: str) -> None:
        """Take the route away; see the port."""
        await self.cluster.ask()
        with self.cluster.faults.act():
            self.cluster.acts.append(f"remove route of {application}")
            self.cluster.routes.pop((namespace, application), None)
            if self.cluster.routes_follow:
                self.cluster.follow_route()

    async def endpoint(self, gateway: str) -> GatewayEndpoint:
        """Return the address of the Gateway; see the port."""
        await self.cluster.ask()
        found = self.cluster.gateways.get(gateway)
        if found is None:
            raise NotFound("there is no such Gateway", hint="check route.gateway", gateway=gateway)
        return found


@dataclass(frozen=True, slots=True)
class FakeProbe:
    """The ClusterProbe port of a cluster in memory."""

    cluster: FakeCluster

    async def api(self) -> str:
        """Return the version of the API server; see the port."""
        await self.cluster.ask()
        return "v1.32.0"

    async def nodes(self) -> tuple[Node, ...]:
        """Return the nodes, each with another sign of life if it lives; see the port."""
        await self.cluster.ask()
        self.cluster.node_looks += 1
        signs = [
            str(self.cluster.node_looks) if n < self.cluster.living_nodes else "none"
            for n in range(3)
        ]
        ready = self.cluster.ready_nodes
        return tuple(Node(f"node-{n}", n < ready, sign) for n, sign in enumerate(signs))


@dataclass(frozen=True, slots=True)
class FakeCounts:
    """The TrafficCounts port of a cluster in memory."""

    cluster: FakeCluster

    async def read(self, application: ApplicationName) -> tuple[Counts, ...]:
        """Return the counters of the application's revisions; see the port."""
        await asyncio.sleep(self.cluster.faults.seconds)
        if self.cluster.faults.gateway_down:
            raise Unavailable("no counters", hint="restore the gateway", cluster=self.cluster.name)
        held = self.cluster.held_requests
        shown = self.cluster.requests if held is None else held
        return tuple(
            replace(counts)
            for (name, _), counts in sorted(shown.items())
            if name == application and counts.requests > 0
        )


class FakeConnections:
    """The Connections port over clusters in memory, by name."""

    def __init__(self, *clusters: FakeCluster) -> None:
        self.clusters: Mapping[str, FakeCluster] = {each.name: each for each in clusters}

    def cluster(self, cluster: Cluster) -> ClusterAccess:
        """Return the ports of the cluster."""
        found = self.clusters.get(cluster.name)
        if found is None:
            raise Unavailable("no answer", hint="there is no such cluster", cluster=cluster.name)
        return ClusterAccess(probe=found.probe, releases=found.releases, router=found.router)

    def counts(
        self, application: Application, address: Address, revisions: tuple[Revision, ...]
    ) -> FakeCounts:
        """Return what reads the counters of the gateway at the address."""
        return FakeCounts(self._at(address.host))

    async def answers(self, host: str, port: int, tls: Tls | None = None) -> None:
        """The GatewayProbe port: return when the gateway at the address answers."""
        found = self._at(host)
        await asyncio.sleep(found.faults.seconds)
        if found.faults.gateway_down:
            raise Unavailable("no answer", hint="restore the gateway", cluster=found.name)

    def _at(self, host: str) -> FakeCluster:
        return self.clusters[host.removesuffix(".test")]
