"""Drives rollouts: look at what is reported, decide, save.  The convergence loop acts."""

from dataclasses import dataclass, replace

from crossfade.base.clock import Clock
from crossfade.base.ids import NO_EPOCH, ApplicationName
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.health import ClusterHealth
from crossfade.core.fleet.placement import placed
from crossfade.core.release.report import Report
from crossfade.core.rollout.decide import decide
from crossfade.core.rollout.record import Record, advance, next_expiry, wanted_of
from crossfade.core.rollout.state import ClusterSight, Rollout, Sight
from crossfade.engine.loops.telemetry import Telemetry
from crossfade.engine.records import (
    APPLICATION,
    Records,
    Stored,
    rollout_name,
    save_application,
    save_rollout,
)
from crossfade.ports.documents import Event, Save

ACTIVE_SECONDS = 0.5
IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Rollouts:
    """One application at a time: the next state of its rollout, and what is wanted of clusters."""

    records: Records
    telemetry: Telemetry
    clock: Clock

    async def keys(self) -> list[str]:
        """Return the names of all applications."""
        return [each.value.spec.name for each in await self.records.applications()]

    async def reconcile(self, name: str) -> float:
        """Take at most one step; return seconds until the next look."""
        stored = await self.records.application(ApplicationName(name))
        rollout = await self.records.rollout(stored.value)
        now = self.clock.now()
        if rollout is None or not rollout.value.active:
            record = replace(stored.value, wanted=wanted_of(stored.value, None, now))
            if record != stored.value:
                reason = "kept revisions whose time is over are removed"
                await self.records.commit(
                    save_application(stored, record),
                    events=(Event(f"{APPLICATION}/{name}", now, reason, {}),),
                )
            return min(next_expiry(record, now) or IDLE_SECONDS, IDLE_SECONDS)
        return await self._step(stored, rollout, now)

    async def _step(self, stored: Stored[Record], rollout: Stored[Rollout], now: float) -> float:
        sight = await self._look(stored.value, rollout.value, now)
        decision = decide(rollout.value, sight, now)
        record, after = advance(stored.value, rollout.value, decision, now)
        changes: list[Save] = []
        if record != stored.value:
            changes.append(save_application(stored, record))
        if after != rollout.value:
            changes.append(save_rollout(rollout, after))
        if changes:
            await self.records.commit(*changes, events=(_event(rollout.value, after, sight, now),))
            return 0.0
        return ACTIVE_SECONDS

    async def _look(self, record: Record, rollout: Rollout, now: float) -> Sight:
        clusters = [each.value for each in await self.records.clusters()]
        health = await self.records.health()
        reports = {
            each.value.cluster: each.value
            for each in await self.records.reports()
            if each.value.application == record.spec.name
        }
        sights = tuple(
            cluster_sight(
                record,
                rollout,
                cluster,
                reports.get(cluster.name),
                health[cluster.name].value if cluster.name in health else None,
            )
            for cluster in clusters
            if placed(record.spec.placement, cluster)
        )
        reachable = tuple(each.cluster for each in sights if each.reachable)
        return Sight(sights, self.telemetry.judge(record, rollout, reachable, now))


def cluster_sight(
    record: Record,
    rollout: Rollout,
    cluster: Cluster,
    report: Report | None,
    health: ClusterHealth | None,
) -> ClusterSight:
    """Return one cluster as the rollout sees it; one never looked at has nothing to show."""
    reachable = health is None or health.api.up
    silence = health.api.detail if health is not None and not reachable else ""
    if report is None:
        stable_whole = rollout.stable is None
        return ClusterSight(cluster.name, reachable, False, False, stable_whole, silence)
    fresh = health is None or (not health.lost and report.looked_at >= health.back_at)
    canary = report.of(rollout.canary.id)
    whole = rollout.stable is None or report.of(rollout.stable.id).ready
    # Before the first user there is no route, and so nothing that a data plane could confirm.
    settled = report.epoch == record.wanted.epoch and (report.in_force or report.epoch == NO_EPOCH)
    return ClusterSight(
        cluster.name,
        reachable,
        converged=reachable and fresh and settled,
        canary_ready=fresh and canary.ready,
        stable_whole=whole,
        trouble=(canary.trouble if canary.refused else silence) or canary.trouble or report.trouble,
        # What was refused in an earlier rollout may have been mended since.
        refused=canary.refused and report.looked_at >= rollout.started_at,
    )


def _event(before: Rollout, after: Rollout, sight: Sight, now: float) -> Event:
    state = after.state
    facts = {
        "phase": state.phase.value,
        "percent": state.percent,
        "step": state.step,
        "outcome": state.outcome.value,
        "pending": list(state.pending),
        "from_phase": before.state.phase.value,
        "from_percent": before.state.percent,
        "requests": sight.judgement.requests,
        "errors": sight.judgement.errors,
        "revision": after.canary.id,
    }
    subject = f"rollout/{rollout_name(after.application, after.number)}"
    return Event(subject, now, state.reason, facts)
