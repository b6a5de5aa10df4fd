"""Clusters with many applications in memory, and rollouts in their middle, for benchmarks."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from crossfade.base.clock import Clock
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.analysis.spec import Analysis
from crossfade.core.application import Application, Placement, Route, Source
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Address
from crossfade.core.release.revision import Revision
from crossfade.core.release.shared import SharedRelease
from crossfade.core.rollout.record import Record, with_wanted
from crossfade.core.rollout.spec import Ramp, Strategy
from crossfade.core.rollout.state import ClusterPhase, Phase, Progress, Rollout, State
from crossfade.engine.records import (
    Records,
    Stored,
    save_application,
    save_cluster,
    save_rollout,
)
from crossfade.ports.cluster_access import ClusterAccess
from crossfade.ports.documents import Documents
from crossfade.ports.releases import RevisionStatus
from crossfade.ports.router import GatewayEndpoint, RouteStatus, WantedRoute
from crossfade.ports.shared_releases import SharedStatus
from crossfade.testing.fake_cluster import FakeCluster, FakeCounts
from crossfade.testing.fake_releases import Installed

CLUSTERS = {
    ClusterName("aws"): {"three": "yes", "two": "yes", "one": "yes"},
    ClusterName("gcp"): {"three": "yes", "two": "yes"},
    ClusterName("onprem"): {"three": "yes"},
}
"""Each application asks for one of the labels, and so runs on one to three clusters."""
REQUESTS, ERRORS = 40.0, 0.005
"""Per second and application in each cluster; share of them that fails."""
USERS_SECONDS = 1.0


class Fleet:
    """The ports Connections and GatewayProbe: in each cluster every application has its part."""

    def __init__(self) -> None:
        self.parts: dict[tuple[ClusterName, ApplicationName], FakeCluster] = {}

    def part(self, cluster: str, application: ApplicationName) -> FakeCluster:
        """Return what the application has of the cluster."""
        key = ClusterName(cluster), application
        if key not in self.parts:
            self.parts[key] = FakeCluster(cluster)
        return self.parts[key]

    def cluster(self, cluster: Cluster) -> ClusterAccess:
        """Return the ports of the cluster."""
        whole = _Whole(self, cluster.name)
        return ClusterAccess(probe=whole, releases=whole, router=whole)

    def counts(
        self, application: Application, address: Address, revisions: tuple[Revision, ...]
    ) -> FakeCounts:
        """Return what reads the counters of the application's part."""
        return self.part(address.host.removesuffix(".test"), application.name).counts

    async def answers(self, host: str, port: int) -> None:
        """Answer as the gateway at this address."""

    async def serve(self) -> None:
        """Count users by the shares in force, until cancelled; a part of the fleet at a time."""
        rng = random.Random(1)  # noqa: S311 - a simulation
        while True:
            for number, ((_, application), part) in enumerate(tuple(self.parts.items())):
                for revision, percent in part.shares(application).items():
                    mean = REQUESTS * USERS_SECONDS * percent / 100
                    requests = int(mean + rng.random())
                    errors = sum(rng.random() < ERRORS for _ in range(requests))
                    part.serve(application, revision, requests, errors)
                if number % 100 == 99:
                    await asyncio.sleep(USERS_SECONDS * 100 / len(self.parts))
            await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class _Whole:
    """The ports of one cluster over the parts of its applications."""

    fleet: Fleet
    name: ClusterName

    async def api(self) -> str:
        return "v1.32.0"

    async def status(
        self, application: ApplicationName, namespace: str
    ) -> tuple[RevisionStatus, ...]:
        return await self.fleet.part(self.name, application).releases.status(application, namespace)

    async def install(self, revision: Revision, chart: bytes, percent: int = 100) -> None:
        await self._of(revision).releases.install(revision, chart, percent)

    async def scale(self, revision: Revision, percent: int) -> None:
        await self._of(revision).releases.scale(revision, percent)

    async def uninstall(self, revision: Revision) -> None:
        await self._of(revision).releases.uninstall(revision)

    async def upgrade_shared(self, shared: SharedRelease) -> None:
        raise NotImplementedError  # no application here has any

    async def shared_status(self, shared: Sequence[SharedRelease]) -> tuple[SharedStatus, ...]:
        return ()

    async def read(self, application: ApplicationName, namespace: str) -> RouteStatus:
        return await self.fleet.part(self.name, application).router.read(application, namespace)

    async def write(self, wanted: WantedRoute) -> None:
        await self.fleet.part(self.name, wanted.application).router.write(wanted)

    async def endpoint(self, gateway: str) -> GatewayEndpoint:
        return GatewayEndpoint(f"{self.name}.test", 80, "")

    def _of(self, revision: Revision) -> FakeCluster:
        return self.fleet.part(self.name, revision.application)


async def begin(
    documents: Documents, fleet: Fleet, applications: int, seconds: float, clock: Clock
) -> None:
    """Put the clusters into the store, and one by one applications in the middle of a canary."""
    records, began = Records(documents), clock.now()
    for name, labels in CLUSTERS.items():
        cluster = Cluster(name, name, "/kubeconfig", name, "sandbox", labels=labels)
        await records.commit(save_cluster(0, cluster))
    for number in range(applications):
        now = clock.now()
        await asyncio.sleep(began + seconds * number / applications - now)
        label = ("one", "two", "three")[number % 3]
        names = [name for name, labels in CLUSTERS.items() if label in labels]
        record, rollout = _middle(ApplicationName(f"app-{number:04}"), label, names, now)
        for name in names:
            part = fleet.part(name, record.spec.name)
            for each in record.revisions:
                part.revisions[each.application, each.id] = Installed(each)
        await records.commit(
            save_application(Stored(record), record), save_rollout(Stored(rollout), rollout)
        )


def _middle(
    name: ApplicationName, label: str, clusters: list[ClusterName], now: float
) -> tuple[Record, Rollout]:
    stable, canary = (
        Revision(RevisionId(each), name, "default", "0" * 64, f"{name}-{each}")
        for each in ("blue", "yellow")
    )
    strategy = Strategy(steps=(Ramp(50.0),))
    spec = Application(
        name,
        Source("/charts/colors"),
        Route(f"{name}.localhost", name),
        placement=Placement({label: "yes"}),
        strategy=strategy,
        analysis=Analysis(),
    )
    progress = Progress(ClusterPhase.STEPPING, 0, 5.0, 100, since=now, level_since=now)
    state = State(Phase.PROGRESSING, dict.fromkeys(clusters, progress), phase_since=now)
    rollout = Rollout(name, 1, canary, stable, strategy, spec.analysis, now, state=state)
    record = Record(spec, active=stable, rollout=1)
    return with_wanted(record, rollout, clusters, now), rollout
