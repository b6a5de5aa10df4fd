"""What people can look at: the store as views that are ready to print."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import NotFound
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.analysis.evidence import verdict_of
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.edges import EdgeView
from crossfade.core.fleet.placement import placed
from crossfade.core.release.report import Report
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.remarks import remarks
from crossfade.core.rollout.skew import apart
from crossfade.core.rollout.state import Rollout
from crossfade.engine.records import Records, rollout_name
from crossfade.ports.edge import EdgePlan, EdgeTarget

WATCH_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ClusterView:
    """One cluster of a rollout."""

    cluster: ClusterName
    health: str
    """As `core.failover.evidence.Condition` has it; `unknown` before the first probe."""
    percent: float | None
    """Share of the new revision that the data plane confirms; None while none is in force."""
    canary_pods: str
    """Ready and wanted pods of the new revision, as `3/3`."""
    stable_pods: str
    user_percent: float
    """Share of all users that the edges are told to send here."""
    trouble: str
    phase: str = ""
    """Where it stands in the rollout: waiting, installing, stepping, done, back."""


@dataclass(frozen=True, slots=True)
class AnalysisView:
    """What the judge knows of a rollout."""

    requests: int
    """Of the new revision."""
    errors: int
    evidence: float
    """Against it; 1 is none."""
    threshold: float
    """Evidence with which users are taken back."""
    harmed: float
    """Requests that failed because of it."""
    budget: float
    ratios: Mapping[str, tuple[float, float | None]]
    """Range of the ratio to stable, by metric; None: no upper end yet."""
    reason: str


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A rollout with its clusters."""

    rollout: Rollout
    clusters: tuple[ClusterView, ...]
    analysis: AnalysisView | None = None
    """None before the judge has begun, or when nothing is judged."""
    remarks: tuple[str, ...] = ()
    """What its author may not have expected."""

    @property
    def step(self) -> str:
        """Which step it is at, as `2/4`."""
        total = len(self.rollout.strategy.steps)
        return f"{min(self.rollout.state.step, total)}/{total}"


@dataclass(frozen=True, slots=True)
class FleetView:
    """A cluster of the fleet with its health."""

    cluster: Cluster
    health: str
    detail: str
    version: str
    applications: int


@dataclass(frozen=True, slots=True)
class Queries:
    """Reads only; never asks a cluster."""

    records: Records
    clock: Clock

    async def fleet(self) -> tuple[FleetView, ...]:
        """Return all clusters, by name."""
        health = await self.records.health()
        applications = [each.value for each in await self.records.applications()]
        views = []
        for stored in await self.records.clusters():
            cluster = stored.value
            known = health[cluster.name].value if cluster.name in health else None
            views.append(
                FleetView(
                    cluster,
                    known.summary if known else "unknown",
                    known.detail if known else "",
                    known.version if known else "",
                    sum(placed(each.spec.placement, cluster) for each in applications),
                )
            )
        return tuple(views)

    async def edges(self) -> EdgeView:
        """Return all edges, and which plan is the newest."""
        plan = await self.records.edge_plan()
        edges = (await self.records.edges()).value.edges
        return EdgeView(plan.value.number if plan else 0, edges, self.clock.now())

    async def rollouts(self, application: ApplicationName | None = None) -> tuple[Rollout, ...]:
        """Return the newest rollout of each application, or all of one, newest first."""
        if application is not None:
            record = (await self.records.application(application)).value
            known = [replace(record, rollout=number) for number in range(record.rollout, 0, -1)]
        else:
            known = [each.value for each in await self.records.applications()]
        return tuple(each.value for each in await self.records.rollouts_of(known))

    async def rollout(self, application: ApplicationName, number: int | None = None) -> RolloutView:
        """Return the newest rollout of the application, or that `number`.  Raises NotFound."""
        record = (await self.records.application(application)).value
        wanted = record if number is None else replace(record, rollout=number)
        stored = await self.records.rollout(wanted)
        if stored is None and number is not None:
            hint = f"`crossfade rollout list {application}` lists them"
            raise NotFound(f"there is no rollout {number} of `{application}`", hint=hint)
        if stored is None:
            raise NotFound(
                f"`{application}` has no rollout yet",
                hint=f"`crossfade deploy {application}` starts one",
            )
        clusters = await self._clusters(record, stored.value)
        analysis = await self._analysis(stored.value)
        return RolloutView(
            stored.value, clusters, analysis, await self._remarks(record, stored.value)
        )

    async def _remarks(self, record: Record, rollout: Rollout) -> tuple[str, ...]:
        fleet = [each.value for each in await self.records.clusters()]
        mine = [each for each in fleet if placed(record.spec.placement, each)]
        told = remarks(rollout.strategy, rollout.analysis, mine)
        return (*told, *apart(rollout))

    async def _analysis(self, rollout: Rollout) -> AnalysisView | None:
        stored = await self.records.find_evidence(rollout_name(rollout.application, rollout.number))
        if stored is None:
            return None
        evidence = stored.value
        newest = max((c.last_s for c in evidence.state.clusters.values()), default=0.0)
        found = verdict_of(evidence, (), max(newest, evidence.level_since))
        return AnalysisView(
            requests=evidence.requests,
            errors=evidence.errors,
            evidence=found.e,
            threshold=1 / evidence.plan.alpha,
            harmed=found.harm,
            budget=evidence.plan.budget,
            ratios=dict(found.ratio),
            reason=found.reason,
        )

    async def watch(
        self, application: ApplicationName, number: int | None = None
    ) -> AsyncIterator[RolloutView]:
        """
        Yield what is now the newest rollout, or that `number`, whenever it has changed.

        Ends when the rollout has ended.

        One that is superseded ends with that; the rollout after it is another one's.
        """
        last: RolloutView | None = None
        while True:
            view = await self.rollout(application, number)
            number = view.rollout.number
            if view != last:
                yield view
                last = view
            if not view.rollout.active:
                return
            await asyncio.sleep(WATCH_SECONDS)

    async def record(self, application: ApplicationName) -> Record:
        """Return everything remembered of the application.  Raises NotFound."""
        return (await self.records.application(application)).value

    async def _clusters(self, record: Record, rollout: Rollout) -> tuple[ClusterView, ...]:
        health = await self.records.health()
        plan = await self.records.edge_plan()
        targets = _targets(plan.value if plan else None, record.spec.name)
        total = sum(each.weight for each in targets.values())
        views = []
        for stored in await self.records.clusters():
            cluster = stored.value
            if not placed(record.spec.placement, cluster):
                continue
            report = await self.records.find_report(record.spec.name, cluster.name)
            known = health[cluster.name].value if cluster.name in health else None
            target = targets.get(cluster.name)
            share = 100.0 * target.weight / total if target and total else 0.0
            views.append(
                _cluster_view(rollout, cluster, report.value if report else None, known, share)
            )
        return tuple(views)


def _cluster_view(
    rollout: Rollout,
    cluster: Cluster,
    report: Report | None,
    health: ClusterHealth | None,
    user_percent: float,
) -> ClusterView:
    progress = rollout.state.clusters.get(cluster.name)
    percent = None
    if report is not None and report.epoch > 0:
        percent = report.shares.get(rollout.canary.id, 0)
    return ClusterView(
        cluster=cluster.name,
        health=health.summary if health else "unknown",
        percent=percent,
        canary_pods=_pods(report, rollout.canary.id),
        stable_pods=_pods(report, rollout.stable.id) if rollout.stable else "",
        user_percent=round(user_percent, 1),
        trouble=report.trouble if report else "not looked at yet",
        phase=progress.phase.value if progress else "",
    )


def _pods(report: Report | None, revision: RevisionId) -> str:
    if report is None:
        return ""
    known = report.of(revision)
    return f"{known.ready_pods}/{known.wanted_pods}"


def _targets(plan: EdgePlan | None, application: ApplicationName) -> dict[ClusterName, EdgeTarget]:
    for route in plan.routes if plan else ():
        if route.application == application:
            return {each.cluster: each for each in route.targets}
    return {}
