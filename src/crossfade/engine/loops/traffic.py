"""Tells the edges which clusters get users, and keeps what it told them."""

from dataclasses import dataclass, replace

from crossfade.base.clock import Clock
from crossfade.base.ids import ClusterName
from crossfade.core.application import Route
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.health import ClusterHealth
from crossfade.core.fleet.placement import placed
from crossfade.core.release.report import Report
from crossfade.core.rollout.record import Record
from crossfade.core.traffic.plan import DEFAULT_WEIGHT, ClusterShare, cluster_share, settle
from crossfade.engine.records import EDGE_PLAN, Records, save_edge_plan
from crossfade.ports.documents import Event
from crossfade.ports.edge import EdgePlan, EdgeRoute, Edges, EdgeTarget

LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Traffic:
    """All applications at once: one plan for all edges."""

    records: Records
    edges: Edges
    clock: Clock

    async def keys(self) -> list[str]:
        """Return the one key: the plan is made as a whole."""
        return [EDGE_PLAN]

    async def reconcile(self, _: str) -> float:
        """Make the plan, save it if it is new, and hand it to the edges."""
        stored = await self.records.edge_plan()
        before = stored.value if stored else EdgePlan(0, ())
        routes, reasons = await self._routes(before)
        plan = before
        if routes != before.routes:
            plan = EdgePlan(before.number + 1, routes)
            now = self.clock.now()
            event = Event(f"{EDGE_PLAN}/current", now, "; ".join(reasons), {"number": plan.number})
            await self.records.commit(
                save_edge_plan(stored.version if stored else 0, plan), events=(event,)
            )
        await self.edges.publish(plan)
        return LOOK_SECONDS

    async def _routes(self, before: EdgePlan) -> tuple[tuple[EdgeRoute, ...], list[str]]:
        clusters = [each.value for each in await self.records.clusters()]
        health = {name: each.value for name, each in (await self.records.health()).items()}
        reports = {
            (each.value.application, each.value.cluster): each.value
            for each in await self.records.reports()
        }
        known = {route.application: route for route in before.routes}
        routes, reasons = [], []
        for stored in await self.records.applications():
            record = stored.value
            name = record.spec.name
            mine = {
                each.name: (each, reports[name, each.name])
                for each in clusters
                if (name, each.name) in reports and placed(record.spec.placement, each)
            }
            earlier = known.get(name)
            if record.spec.route is None:
                continue
            shares = self._shares(record, mine, health, earlier)
            if shares:
                routes.append(edge_route(record.spec.route, record, mine, shares, earlier))
                reasons += [f"{name}: {s.cluster} {s.weight} ({s.reason})" for s in shares]
        return tuple(routes), reasons

    def _shares(
        self,
        record: Record,
        mine: dict[ClusterName, tuple[Cluster, Report]],
        health: dict[ClusterName, ClusterHealth],
        before: EdgeRoute | None,
    ) -> tuple[ClusterShare, ...]:
        now = self.clock.now()
        weights = record.spec.edge_weights
        found = (
            cluster_share(
                record.at(name), report, health.get(name), weights.get(name, DEFAULT_WEIGHT), now
            )
            for name, (_, report) in mine.items()
        )
        earlier = {each.cluster: each.weight for each in before.targets} if before else {}
        return settle(tuple(each for each in found if each is not None), earlier)


def edge_route(
    route: Route,
    record: Record,
    mine: dict[ClusterName, tuple[Cluster, Report]],
    shares: tuple[ClusterShare, ...],
    earlier: EdgeRoute | None,
) -> EdgeRoute:
    """Return the application's route at the edge; clusters that it leaves stay where they were."""
    known = {each.cluster: each for each in earlier.targets} if earlier else {}
    targets = []
    for share in shares:
        cluster, report = mine.get(share.cluster, (None, None))
        if cluster is not None and report is not None and report.address is not None:
            host, port = report.address.host, report.address.port
            targets.append(EdgeTarget(cluster.name, cluster.cloud, host, port, share.weight))
        elif share.cluster in known:
            targets.append(replace(known[share.cluster], weight=share.weight))
    return EdgeRoute(
        record.spec.name,
        route.host,
        route.probe_path,
        route.try_seconds,
        tuple(targets),
        retry_non_idempotent=route.retry_non_idempotent,
        sticky=route.sticky,
    )
