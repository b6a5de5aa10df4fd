"""Drives rollouts: look at what is reported, decide, save.  The convergence loop acts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from crossfade.base import tracing
from crossfade.base.clock import Clock
from crossfade.base.ids import NO_EPOCH, ApplicationName
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.standby import at_rest, unsized
from crossfade.core.failover.users import Users
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.placement import placed
from crossfade.core.release.report import Report, RevisionReport
from crossfade.core.release.wanted import Wanted
from crossfade.core.rollout.decide import decide
from crossfade.core.rollout.freeze import look
from crossfade.core.rollout.gating import Answers, closed, unwanted
from crossfade.core.rollout.loss import beside
from crossfade.core.rollout.record import Record, advance, next_expiry, with_wanted
from crossfade.core.rollout.state import ClusterSight, Decision, Rollout, Sight
from crossfade.core.rollout.waves import wave_of
from crossfade.engine.decisions import decision_event
from crossfade.engine.loops.judging import Judging
from crossfade.engine.loops.runs import Runs
from crossfade.engine.records import (
    APPLICATION,
    Records,
    Stored,
    rollout_name,
    save_application,
    save_rollout,
)
from crossfade.engine.rollout_traces import tell_step
from crossfade.ports.documents import Event, Save

ACTIVE_SECONDS = 1.0
"""Reports, verdicts and answers wake it at once; this is for what only time changes."""
QUIET_SECONDS = 8.0
"""The longest time without a look while a rollout is under way."""
_EXACT_SECONDS = 0.05
"""How exactly the time is found at which time alone changes something."""
IDLE_SECONDS = 30.0
TALK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Rollouts:
    """One application at a time: the next state of its rollout, and what is wanted of clusters."""

    records: Records
    judging: Judging
    runs: Runs
    clock: Clock
    _told: dict[str, float] = field(default_factory=dict)
    """When each application's last decision was written down."""

    async def keys(self) -> list[str]:
        """Return the names of all applications."""
        return [each.value.spec.name for each in await self.records.applications()]

    async def reconcile(self, name: str) -> float:
        """Take at most one step; return seconds until the next look."""
        stored = await self.records.application(ApplicationName(name))
        rollout = await self.records.rollout(stored.value)
        now = self.clock.now()
        clusters = [
            each.value
            for each in await self.records.clusters()
            if placed(stored.value.spec.placement, each.value)
        ]
        if rollout is not None and rollout.value.active:
            return await self._step(stored, rollout, clusters, now)
        record = with_wanted(stored.value, None, [each.name for each in clusters], now)
        if record != stored.value:
            reason = "what clusters should run has changed: kept revisions, or the fleet"
            await self.records.commit(
                save_application(stored, record),
                events=(Event(f"{APPLICATION}/{name}", now, reason, {}),),
            )
        return min(next_expiry(record, now) or IDLE_SECONDS, IDLE_SECONDS)

    async def _step(
        self,
        stored: Stored[Record],
        rollout: Stored[Rollout],
        clusters: Sequence[Cluster],
        now: float,
    ) -> float:
        sight = await self._look(stored.value, rollout.value, clusters, now)
        decision = decide(rollout.value, sight, now)
        names = [each.name for each in clusters]
        record, after = advance(stored.value, rollout.value, decision, names, now)
        changes: list[Save] = []
        if record != stored.value:
            changes.append(save_application(stored, record))
        if after != rollout.value:
            changes.append(save_rollout(rollout, after))
        talk = bool(changes) and self._is_mere_talk(rollout.value, after, now)
        if talk or not changes:
            quiet = TALK_SECONDS if talk else next_expiry(record, now) or QUIET_SECONDS
            return self._pause(rollout.value, sight, decision, now, min(quiet, QUIET_SECONDS))
        event = decision_event(rollout.value, sight, now, decision)
        tracing.belongs_to(rollout.value.traceparent)
        await self.records.commit(*changes, events=(event,))
        tell_step(rollout.value, after, now)
        self._told[record.spec.name] = now
        return 0.0

    async def _answers(self, rollout: Rollout) -> Answers:
        """Return what gates and hooks have said; most rollouts have none, and nothing is read."""
        if not (rollout.strategy.gates or rollout.strategy.hooks):
            return Answers()
        document = rollout_name(rollout.application, rollout.number)
        stored = await self.records.find_answers(document)
        return stored.value if stored else Answers()

    def _pause(
        self, rollout: Rollout, sight: Sight, decision: Decision, now: float, longest: float
    ) -> float:
        """
        Return how long to wait for news: until the time at which the decision becomes another.

        On one sight times only ever pass limits: what is decided both now and later is decided in
        between, too, so the time of a change is found by trying out.  What else of the sight
        changes with the clock, verdicts and freezes, says until when it stays as it is.
        """
        freeze = None if rollout.swap else look(rollout.strategy.freeze, now).changes_at
        until = min(self.judging.holds_until(rollout, now), math.inf if freeze is None else freeze)
        longest = min(longest, until - now)
        longest = max(longest, _EXACT_SECONDS)
        later = decide(rollout, sight, now + longest)
        if later == decision:
            return longest
        if _apart_from_words(rollout, later, decision):
            return min(longest, ACTIVE_SECONDS)
        same, other = 0.0, longest
        while other - same > _EXACT_SECONDS:
            middle = (same + other) / 2
            if _apart_from_words(rollout, decide(rollout, sight, now + middle), decision):
                same = middle
            else:
                other = middle
        return other

    def _is_mere_talk(self, before: Rollout, after: Rollout, now: float) -> bool:
        """Say whether only reasons differ, which change many times a second: one is enough."""
        told = self._told.get(after.application, 0.0)
        return now - told < TALK_SECONDS and without_reasons(before) == without_reasons(after)

    async def _look(
        self, record: Record, rollout: Rollout, clusters: Sequence[Cluster], now: float
    ) -> Sight:
        health = await self.records.health()
        found = [await self.records.find_report(record.spec.name, each.name) for each in clusters]
        reports = {each.value.cluster: each.value for each in found if each is not None}
        stored = await self.records.find_users(record.spec.name)
        users = stored.value if stored else Users(record.spec.name)
        bursting = self.judging.bursting(rollout)
        sights = tuple(
            beside(
                cluster_sight(
                    record,
                    rollout,
                    cluster,
                    reports.get(cluster.name),
                    health[cluster.name].value if cluster.name in health else None,
                ),
                health[cluster.name].value if cluster.name in health else None,
                users,
                record.spec.failover,
                only_new_fails=cluster.name in bursting,
            )
            for cluster in clusters
        )
        reachable = tuple(each.cluster for each in sights if each.reachable)
        answers = await self._answers(rollout)
        return Sight(
            sights,
            self.judging.judgement(record, rollout, reachable, now),
            runs=await self.runs.standing(rollout),
            frozen="" if rollout.swap else look(rollout.strategy.freeze, now).reason,
            closed=closed(rollout, answers),
            unwanted=unwanted(rollout, answers),
        )


def _as_rolled(canary: RevisionReport, wanted: Wanted) -> RevisionReport:
    """Return the revision as the steps see it: ready once the pods asked for have been replaced."""
    rolled = wanted.rolled
    if rolled is None or canary.refused:
        return canary
    there = canary.installed and canary.scale == rolled.percent
    return replace(canary, ready=there and (rolled.percent == 0 or canary.ready), scale=100)


def _apart_from_words(rollout: Rollout, one: Decision, other: Decision) -> bool:
    """Say whether two decisions are the same but for their reasons."""
    return without_reasons(replace(rollout, state=one.want)) == without_reasons(
        replace(rollout, state=other.want)
    )


def without_reasons(rollout: Rollout) -> Rollout:
    """Return the rollout without what is only for people."""
    clusters = {name: replace(p, reason="") for name, p in rollout.state.clusters.items()}
    return replace(rollout, state=replace(rollout.state, clusters=clusters, reason=""))


def cluster_sight(
    record: Record,
    rollout: Rollout,
    cluster: Cluster,
    report: Report | None,
    health: ClusterHealth | None,
) -> ClusterSight:
    """Return one cluster as the rollout sees it; one never looked at has nothing to show."""
    wave = wave_of(rollout.strategy.waves, cluster)
    reachable = health is None or health.api.up
    silence = health.api.detail if health is not None and not reachable else ""
    base = record.pinned.get(cluster.name) or (rollout.stable.id if rollout.stable else None)
    if report is None:
        return ClusterSight(
            cluster.name, reachable, False, False, base is None, silence, scale=0, wave=wave
        )
    fresh = health is None or (not health.lost and report.looked_at >= health.back_at)
    canary = report.of(rollout.canary.id)
    wanted = record.at(cluster.name)
    if rollout.strategy.in_place:
        canary = _as_rolled(canary, wanted)
    # Before the first user there is no route, and so nothing that a data plane could confirm.
    settled = report.epoch == wanted.epoch and (report.in_force or report.epoch == NO_EPOCH)
    if rollout.strategy.in_place:
        settled = canary.installed and canary.ready
    return ClusterSight(
        cluster.name,
        reachable,
        converged=reachable and fresh and settled,
        canary_ready=fresh and canary.ready,
        stable_whole=base is None or report.of(base).ready,
        trouble=(canary.trouble if canary.refused else silence) or canary.trouble or report.trouble,
        # What was refused in an earlier rollout may have been mended since.
        refused=canary.refused and report.looked_at >= rollout.started_at,
        cause=canary.cause,
        scale=_scale(record, rollout, cluster, canary) if canary.installed else 0,
        wave=wave,
    )


def _scale(record: Record, rollout: Rollout, cluster: Cluster, canary: RevisionReport) -> int:
    """Return the canary's scale; of a standby as if it ran in full, which it will once needed."""
    wanted = record.at(cluster.name).pods(rollout.canary.id)
    return unsized(wanted, canary.scale, at_rest(record.spec.placement, cluster.name))
