"""Judges each rollout, window by window, and remembers the evidence and every verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.analysis.counters import closes_at, compared
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import (
    Evidence,
    Look,
    begin,
    judgement_of,
    look,
    verdict_of,
)
from crossfade.core.analysis.expiry import expires_at
from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.analysis.past import again, before_first, spoiled
from crossfade.core.analysis.spec import Judge
from crossfade.core.analysis.standstill import bursts, sorted_out, stood
from crossfade.core.analysis.thresholds import judge as within_limit
from crossfade.core.failover.during_rollout import settled_at
from crossfade.core.fleet.placement import placed
from crossfade.core.rollout.interruption import settling_of
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.spec import Ramp
from crossfade.core.rollout.state import NOT_JUDGED, ClusterPhase, Phase, Progress, Rollout
from crossfade.engine.loops.telemetry import REST_SECONDS, Telemetry, rules_for
from crossfade.engine.records import EVIDENCE, Records, Stored, rollout_name, save_evidence
from crossfade.engine.verdicts import facts_of, read_past
from crossfade.ports.documents import Event

SILENT_SECONDS = 5.0
LIMIT_SECONDS = 1.0
"""How often what was counted is held against a threshold."""
_GRAVITY = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.HOLD, Verdict.INCONCLUSIVE, Verdict.PASS)
"""The worst first: what one says, the other cannot take back."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A verdict and what it was given on; the rollout asks for it many times a window."""

    evidence: Evidence
    excluded: tuple[ClusterName, ...]
    at: float
    until: float
    """When time alone may change it."""
    judgement: Judgement

    def holds(self, evidence: Evidence, excluded: tuple[ClusterName, ...], now: float) -> bool:
        """Say whether a verdict on this, now, would be the same."""
        same = self.evidence is evidence and self.excluded == excluded
        return same and self.at <= now < self.until


@dataclass(slots=True)
class Judging:
    """One application at a time; the rollouts loop asks it for the judgement."""

    records: Records
    telemetry: Telemetry
    clock: Clock
    _known: dict[str, Stored[Evidence]] = field(default_factory=dict)
    """The evidence of each application's newest rollout, by the name of the rollout's document."""
    _served: dict[str, dict[ClusterName, float]] = field(default_factory=dict)
    """Requests per second of each application's clusters, in their newest windows."""
    _given: dict[str, "_Given"] = field(default_factory=dict)
    """The newest verdict on each rollout whose evidence is known."""

    async def reconcile(self, name: str) -> float:
        """Take in the windows that have ended; return seconds until the next look."""
        stored = await self.records.application(ApplicationName(name))
        rollout = await self.records.rollout(stored.value)
        if rollout is None or not rollout.value.active:
            self._forget(name)
            self._served.pop(name, None)
            return REST_SECONDS
        judge = rollout.value.analysis.judge
        if judge is None or rollout.value.direct or rollout.value.state.phase is Phase.INSTALLING:
            return REST_SECONDS
        evidence = await self._evidence(stored.value, rollout.value, judge)
        windows, rps = self._windows(stored.value, rollout.value, judge)
        rps = evidence.value.rps if rps is None else rps
        await self._take_in(rollout.value, evidence, windows, rps)
        now = self.clock.now()
        return closes_at(now, rules_for(rollout.value)) - now

    async def _take_in(
        self, rollout: Rollout, evidence: Stored[Evidence], ended: Sequence[Window], rps: float
    ) -> None:
        """Judge what has ended, but for what says more of a move of users than of a revision."""
        now, state = self.clock.now(), rollout.state
        known, taken_back = await self._looked_through(rollout, evidence.value)
        clean, dirty = sorted_out(ended, state.shift, known.plan.tick_s)
        dirty = taken_back + dirty
        after = stood(known, dirty, now, still=state.interruption is not None)
        first = known.rps == 0 and rps > 0
        if clean or first or state.percent != known.percent or after != evidence.value:
            excluded = _excluded(rollout, known)
            seen = look(after, clean, state.percent, rps, excluded, now)
            document = rollout_name(rollout.application, rollout.number)
            self._known[document] = await self._save(rollout, evidence, seen, dirty)

    async def _looked_through(
        self, rollout: Rollout, known: Evidence
    ) -> tuple[Evidence, tuple[Window, ...]]:
        """Return the evidence without what was counted before a move of users was noticed."""
        shift = rollout.state.shift
        if shift is None or shift.began == known.shifted_at:
            return known, ()
        try:
            past = await read_past(self.records, rollout.application, rollout.number)
        except InputError:  # of a hub of another version: what it has judged stays judged
            past = []
        found = spoiled(past, shift, known.plan.tick_s)
        if found:
            known = again(before_first(known), past, found)
        return replace(known, shifted_at=shift.began), found

    def bursting(self, rollout: Rollout) -> tuple[ClusterName, ...]:
        """Return where only the new revision fails, by far, while the rollout stands still."""
        known = self._known.get(rollout_name(rollout.application, rollout.number))
        still = known is not None and known.value.still_since is not None
        return bursts(known.value.aside) if known is not None and still else ()

    def judgement(
        self,
        record: Record,
        rollout: Rollout,
        reachable: tuple[ClusterName, ...],
        now: float,
    ) -> Judgement:
        """Return the verdict on the new revision; clusters that are away are not waited for."""
        if rollout.direct or not rollout.analysis.judged:
            return Judgement(Verdict.PASS, 0, 0, "nothing is to be judged")
        found = [self._limited(record, rollout, reachable, now), self._judged(rollout, now)]
        told = [each for each in found if each is not None]
        worst = min(told, key=lambda each: _GRAVITY.index(each.verdict))
        from_judge = told[-1]
        if worst is from_judge or found[1] is None:
            return worst
        return Judgement(
            worst.verdict,
            from_judge.requests,
            from_judge.errors,
            worst.reason,
            scope=worst.scope,
            ramp=from_judge.ramp,
            evidence=from_judge.evidence,
            harmed=from_judge.harmed,
        )

    def _judged(self, rollout: Rollout, now: float) -> Judgement | None:
        judge = rollout.analysis.judge
        if judge is None:
            return None
        name = rollout_name(rollout.application, rollout.number)
        known = self._known.get(name)
        if known is None:
            return NOT_JUDGED
        evidence, excluded = known.value, tuple(_excluded(rollout, known.value))
        given = self._given.get(name)
        if given is None or not given.holds(evidence, excluded, now):
            found = judgement_of(judge, evidence, verdict_of(evidence, excluded, now))
            until = expires_at(evidence, excluded, now)
            given = self._given[name] = _Given(evidence, excluded, now, until, found)
        return given.judgement

    def holds_until(self, rollout: Rollout, now: float) -> float:
        """Return until when the newest judgement stays the same, unless there is news."""
        if rollout.direct or not rollout.analysis.judged:
            return math.inf
        if rollout.analysis.threshold is not None:
            return now + LIMIT_SECONDS  # it rests on counters whose news nobody tells
        given = self._given.get(rollout_name(rollout.application, rollout.number))
        return math.inf if given is None else given.until

    def _limited(
        self, record: Record, rollout: Rollout, reachable: tuple[ClusterName, ...], now: float
    ) -> Judgement | None:
        limit, name = rollout.analysis.threshold, record.spec.name
        if limit is None:
            return None
        if not rollout.state.meets_users:
            return NOT_JUDGED
        settled = settled_at(rollout.state.shift, settling_of(rollout))
        if now < settled:
            return Judgement(Verdict.UNKNOWN, 0, 0, "users are moving between clusters")
        # A retry begins anew, and so does what follows a move of users.
        since = max(now - limit.window_seconds, rollout.started_at, settled)
        requests, errors = self.telemetry.lately(name, rollout.canary.id, since)
        meeting = tuple(
            each for each in reachable if rollout.state.clusters.get(each, Progress()).meets_users
        )
        silent = self.telemetry.silent(name, meeting, SILENT_SECONDS)
        return within_limit(limit, requests, errors, silent)

    async def _evidence(self, record: Record, rollout: Rollout, judge: Judge) -> Stored[Evidence]:
        name = rollout_name(rollout.application, rollout.number)
        known = self._known.get(name)
        if known is None:
            # One rollout may follow another between two looks; what was known of that is not it.
            self._forget(rollout.application)
            known = await self.records.find_evidence(name)
        if known is None:
            known = Stored(await self._begin(record, rollout, judge))
        self._known[name] = known
        return known

    def _forget(self, application: str) -> None:
        for name in [each for each in self._known if each.rpartition(".")[0] == application]:
            del self._known[name]
            self._given.pop(name, None)

    async def _begin(self, record: Record, rollout: Rollout, judge: Judge) -> Evidence:
        clouds = {
            each.value.name: each.value.cloud
            for each in await self.records.clusters()
            if placed(record.spec.placement, each.value)
        }
        stable = rollout.stable.id if rollout.stable else rollout.canary.id
        history = self.telemetry.served(record.spec.name, stable)
        ramps = [each.max_percent for each in rollout.strategy.steps if isinstance(each, Ramp)]
        scraped = rollout.analysis.counters is not None
        most = max(ramps, default=50.0)
        return begin(judge, clouds, history, most, self.clock.now(), scraped=scraped)

    def _windows(
        self, record: Record, rollout: Rollout, judge: Judge
    ) -> tuple[tuple[Window, ...], float | None]:
        """Return the windows that have ended, and the requests per second of all users in them."""
        rules = rules_for(rollout)
        found = []
        served = self._served.setdefault(record.spec.name, {})
        for cluster, progress in rollout.state.clusters.items():
            base = record.pinned.get(cluster) or (rollout.stable.id if rollout.stable else None)
            for window in self.telemetry.windows(record.spec.name, cluster, rules):
                requests = sum(each.requests for each in window.revisions.values())
                if cluster in served:  # the first window began before we looked
                    served[cluster] = requests / judge.window_seconds
                served.setdefault(cluster, math.nan)
                if base is None or not progress.meets_users:
                    continue
                both = compared(window, rollout.canary.id, base, rules)
                if both is not None:
                    found.append(both)
        needed = {name for name, each in rollout.state.clusters.items() if not each.late}
        counted = served.keys() >= needed
        rps = sum(served.values())
        known = counted and not math.isnan(rps)
        return tuple(sorted(found, key=lambda each: (each.id, each.cluster))), (
            rps if known else None
        )

    async def _save(
        self, rollout: Rollout, before: Stored[Evidence], seen: Look, dirty: Sequence[Window]
    ) -> Stored[Evidence]:
        name = rollout_name(rollout.application, rollout.number)
        reason = seen.found.reason
        if dirty:
            many = "1 window is" if len(dirty) == 1 else f"{len(dirty)} windows are"
            reason += f"; {many} thrown away: users were moving between clusters"
        event = Event(f"{EVIDENCE}/{name}", seen.at, reason, facts_of(seen, tuple(dirty)))
        await self.records.commit(save_evidence(before.version, name, seen.after), events=(event,))
        return Stored(seen.after, before.version + 1)


def _excluded(rollout: Rollout, evidence: Evidence) -> Sequence[ClusterName]:
    """Return the clusters that say nothing now: no user of theirs meets the new revision."""
    states = rollout.state.clusters
    meeting = [
        name
        for name, each in states.items()
        if each.meets_users and each.phase is not ClusterPhase.BACK and not each.late
    ]
    if not meeting:
        return ()
    return [each for each in evidence.plan.clusters if each not in meeting]
