"""Brings one cluster to what is wanted of one application: look, decide, save, act."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from crossfade.base.clock import Clock
from crossfade.base.errors import InputError, NotFound
from crossfade.base.ids import NO_EPOCH, ApplicationName, ClusterName, Epoch, RevisionId
from crossfade.core.application import Application, Route
from crossfade.core.failover.standby import at_rest, size_of, sized
from crossfade.core.fleet.placement import placed
from crossfade.core.release.converge import (
    Act,
    Install,
    Rest,
    Roll,
    Scale,
    Uninstall,
    WriteRoute,
    next_act,
)
from crossfade.core.release.report import Address, Cause, Report, RevisionReport
from crossfade.core.release.revision import Revision
from crossfade.core.release.sizing import FULL
from crossfade.core.rollout.record import Record
from crossfade.engine.records import Records, report_name, save_report
from crossfade.engine.shared_charts import SharedCharts
from crossfade.ports.blobs import Blobs
from crossfade.ports.cluster_access import ClusterAccess, Connections
from crossfade.ports.releases import RevisionStatus
from crossfade.ports.router import RouteBackend, RouteStatus, TrafficRouter, WantedRoute

_NO_ROUTE = RouteStatus(NO_EPOCH, in_force=False)
SETTLED_SECONDS = 2.0
WAITING_SECONDS = 0.2
"""Until the next look after something has changed; longer each time that nothing has."""
NOT_PLACED_SECONDS = 30.0
ADDRESS_SECONDS = 5.0
REFUSED_SECONDS = 30.0
"""After this time a revision that was refused is tried again: somebody may have mended it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A cluster or Helm did not take a revision's objects."""

    why: str
    at: float
    rollout: int
    """Number of the rollout that was the newest one: the next one tries anew."""


@dataclass(slots=True)
class Convergence:
    """One application in one cluster at a time; keys are `application@cluster`."""

    records: Records
    blobs: Blobs
    connections: Connections
    clock: Clock
    _unchanged: dict[str, int] = field(default_factory=dict)
    """How many looks in a row have seen nothing new."""
    _refused: dict[tuple[str, RevisionId], Refusal] = field(default_factory=dict)
    _shared: dict[str, str] = field(default_factory=dict)
    """What each installation waits for: a shared chart."""
    _addresses: dict[tuple[str, str], tuple[float, Address]] = field(default_factory=dict)

    async def keys(self) -> list[str]:
        """Return every application with every cluster that it is placed on."""
        clusters = [each.value for each in await self.records.clusters()]
        return [
            report_name(stored.value.spec.name, cluster.name)
            for stored in await self.records.applications()
            for cluster in clusters
            if placed(stored.value.spec.placement, cluster)
        ]

    async def reconcile(self, key: str) -> float:
        """Take one step in the cluster; return seconds until the next look."""
        application, _, cluster_name = key.partition("@")
        stored = await self.records.find_application(ApplicationName(application))
        cluster = await self.records.find_cluster(ClusterName(cluster_name))
        if stored is None or cluster is None:
            return NOT_PLACED_SECONDS
        record, name = stored.value, cluster.value.name
        if name not in record.wanted:
            return WAITING_SECONDS  # it has just come: what it should run is being decided
        access = self.connections.cluster(cluster.value)
        seen, held = await self._look(key, record, name, access)
        drain = record.spec.strategy.drain_seconds
        wanted = sized(record.at(name), await self._size(record.spec, name))
        act = next_act(wanted, seen, held, drain, seen.looked_at)
        waits = self._shared.get(key, "") if isinstance(act, Install) else ""
        await self._save(key, replace(seen, trouble=waits or _trouble(act)))
        return await self._act(key, act, record, access)

    async def _look(
        self, key: str, record: Record, cluster: ClusterName, access: ClusterAccess
    ) -> tuple[Report, Epoch]:
        spec, now = record.spec, self.clock.now()
        route = _NO_ROUTE
        if spec.route is not None:
            route = await access.router_of(spec.route.router).read(spec.name, spec.namespace)
        confirmed_at = self.clock.now()  # the answer may have been long on its way
        statuses = await access.releases.status(spec.name, spec.namespace)
        address = None
        if spec.route is not None:
            address = await self._address(key, spec.route, access, now)
        before = await self.records.find_report(spec.name, cluster)
        revisions = {each.revision: _revision_report(each) for each in statuses}
        for revision, refusal in self._refusals(key, record, now).items():
            known = revisions.get(revision, RevisionReport())
            revisions[revision] = replace(
                known, trouble=refusal.why, refused=True, cause=Cause.REFUSED
            )

        last = before.value if before else None
        epoch, shares = _confirmed(route, last, await self._back_at(cluster))
        idle = _idle_since(last, route, revisions, confirmed_at)
        report = Report(
            application=spec.name,
            cluster=cluster,
            looked_at=now,
            epoch=epoch,
            shares=shares,
            in_force=route.in_force,
            revisions=revisions,
            idle_since=idle,
            address=address,
            trouble=route.trouble,
        )
        return report, route.epoch

    async def _size(self, spec: Application, cluster: ClusterName) -> int:
        """Return the percentage of its pods that the cluster should run: less in a standby."""
        rest = at_rest(spec.placement, cluster)
        users = await self.records.find_users(spec.name) if rest < FULL else None
        return size_of(spec.placement, cluster, users.value.standbys) if users else rest

    def _refusals(self, key: str, record: Record, now: float) -> dict[RevisionId, Refusal]:
        """Return what is still refused; what is to be tried again is forgotten."""
        mine = {r: refusal for (k, r), refusal in self._refused.items() if k == key}
        for revision, refusal in tuple(mine.items()):
            if refusal.rollout != record.rollout or now - refusal.at >= REFUSED_SECONDS:
                del self._refused[key, revision], mine[revision]
        return mine

    async def _address(
        self, key: str, route: Route, access: ClusterAccess, now: float
    ) -> Address | None:
        """Return where the gateway is; it moves so seldom that it is not asked each time."""
        gateway = route.gateway
        known = self._addresses.get((key, gateway))
        if known is not None and now - known[0] < ADDRESS_SECONDS:
            return known[1]
        try:
            found = await access.router_of(route.router).endpoint(gateway)
        except NotFound:
            return None
        address = Address(found.host, found.port, found.metrics_url)
        self._addresses[key, gateway] = (now, address)
        return address

    async def _back_at(self, cluster: ClusterName) -> float:
        health = await self.records.find_health(cluster)
        return health.value.back_at if health else 0.0

    async def _save(self, key: str, report: Report) -> None:
        """Save the report if it says anything new, or is the first since the cluster was lost."""
        stored = await self.records.find_report(report.application, report.cluster)
        if stored is not None:
            back_at = await self._back_at(report.cluster)
            same = replace(stored.value, looked_at=report.looked_at) == report
            if same and stored.value.looked_at >= back_at:
                self._unchanged[key] = self._unchanged.get(key, 0) + 1
                return
        self._unchanged[key] = 0
        await self.records.commit(save_report(stored.version if stored else 0, report))

    async def _act(self, key: str, act: Act, record: Record, access: ClusterAccess) -> float:
        match act:
            case Install(revision_id, percent):
                return await self._install(
                    key, _named(record, revision_id), percent, record, access
                )
            case Roll(revision_id, percent):
                return await self._install(
                    key, _named(record, revision_id), percent, record, access
                )
            case Scale(revision_id, percent):
                await access.releases.scale(_named(record, revision_id), percent)
                return 0.0
            case WriteRoute():
                wanted = wanted_route(record, ClusterName(key.partition("@")[2]))
                await _router(record, access).write(wanted)
                return 0.0
            case Uninstall(revision_id):
                await access.releases.uninstall(_named(record, revision_id))
                return 0.0
            case Rest(settled=True):
                return SETTLED_SECONDS
            case Rest():
                looks = min(self._unchanged.get(key, 0), 20)
                return min(WAITING_SECONDS * 1.25**looks, SETTLED_SECONDS)
            case _:
                assert_never(act)

    async def _install(
        self, key: str, revision: Revision, percent: int, record: Record, access: ClusterAccess
    ) -> float:
        try:
            waits = await SharedCharts(self.blobs).bring_up(record, access.releases)
            self._shared[key] = waits
            if waits:
                return WAITING_SECONDS
            chart = await self.blobs.fetch(revision.chart_digest)
            if record.spec.strategy.in_place:
                await access.releases.roll(revision, chart, percent)
            else:
                await access.releases.install(revision, chart, percent)
        except InputError as error:
            why = " ".join(error.what.split())  # it becomes part of a sentence
            self._refused[key, revision.id] = Refusal(why, self.clock.now(), record.rollout)
        return 0.0


def _router(record: Record, access: ClusterAccess) -> TrafficRouter:
    route = record.spec.route
    return access.router if route is None else access.router_of(route.router)


def wanted_route(record: Record, cluster: ClusterName) -> WantedRoute:
    """Return the application's route in the cluster, as it is wanted there."""
    spec, wanted = record.spec, record.at(cluster)
    if spec.route is None:
        raise ValueError(f"{spec.name} has no route")
    backends = tuple(
        RouteBackend(each, _named(record, each).service, wanted.share(each))
        for each in wanted.revisions
        if wanted.split.meets_users(each)
    )
    return WantedRoute(
        application=spec.name,
        namespace=spec.namespace,
        host=spec.route.host,
        gateway=spec.route.gateway,
        port=spec.route.port,
        epoch=wanted.epoch,
        backends=backends,
        headers=wanted.split.headers,
        mirror=wanted.split.mirror,
        sticky=wanted.split.sticky,
    )


def _named(record: Record, revision: RevisionId) -> Revision:
    """Return enough of a revision to remove it, also when it has long been forgotten."""
    known = record.known(revision)
    return known or Revision(revision, record.spec.name, record.spec.namespace, "", "")


def _trouble(act: Act) -> str:
    match act:
        case Rest(settled=True):
            return ""
        case Rest(reason):
            return reason
        case Install(revision):
            return f"installing {revision}"
        case Roll(revision, percent):
            return f"replacing pods: {percent} % of them by {revision}"
        case Scale(revision, percent):
            return f"scaling {revision} to {percent} % of its pods"
        case WriteRoute(epoch):
            return f"changing the route to epoch {epoch}"
        case Uninstall(revision_id):
            return f"removing {revision_id}"
        case _:
            assert_never(act)


def _revision_report(status: RevisionStatus) -> RevisionReport:
    return RevisionReport(
        installed=status.installed,
        ready=status.ready,
        wanted_pods=status.wanted_pods,
        ready_pods=status.ready_pods,
        trouble=status.trouble,
        refused=status.hopeless,
        cause=status.cause,
        scale=status.scale,
        chart_pods=status.chart_pods,
    )


def _confirmed(
    route: RouteStatus, last: Report | None, back_at: float
) -> tuple[Epoch, Mapping[RevisionId, float]]:
    """Return the route in force, or the last that was, unless the cluster was lost since then."""
    if route.in_force:
        return route.epoch, dict(route.percents)
    if last is None or last.looked_at < back_at:
        return NO_EPOCH, {}
    return last.epoch, last.shares


def _idle_since(
    before: Report | None,
    route: RouteStatus,
    revisions: dict[RevisionId, RevisionReport],
    now: float,
) -> dict[RevisionId, float]:
    """Return since when each installed revision has had 0 %, as the data plane confirms."""
    if not route.in_force:
        return {}
    earlier = before.idle_since if before is not None else {}
    return {
        revision: earlier.get(revision, now)
        for revision in revisions
        if route.percents.get(revision, 0) == 0 and revision not in route.reached
    }
