"""Reads the gateways' counters of every revision, one application in one cluster at a time."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from crossfade.base.clock import Clock
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.analysis.counters import (
    ERRORS,
    ClusterWindow,
    Counters,
    Reading,
    Rules,
    Tally,
    add,
    close,
    phase_of,
    slower_than,
)
from crossfade.core.analysis.evidence import rules_of
from crossfade.core.analysis.placeholders import fill
from crossfade.core.analysis.presets import Arm, Place, counters
from crossfade.core.analysis.spec import CounterSource, Judge
from crossfade.core.analysis.windows import Reading as Totals
from crossfade.core.analysis.windows import Series
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Rollout
from crossfade.engine.records import Records, report_name
from crossfade.ports.cluster_access import Connections
from crossfade.ports.measurements import Sources, Span
from crossfade.ports.traffic_counts import Counts

READ_SECONDS = 0.5
"""The least time between two reads of one gateway."""
_READS_PER_WINDOW = 4
_SLOWEST_SECONDS = 2.5
"""Against a threshold silence must be noticed within seconds, however long windows are."""
_BEFORE_END = 0.1
"""The last read of a window comes so long before its end: what is read late counts in the next."""
IDLE_SECONDS = 2.0
REST_SECONDS = 30.0
"""Without a rollout; the hub has everything looked at when one begins."""
KEEP_SECONDS = 600.0
_SAME = 0.01
"""Share of a pause within which a read that is made early counts as the one that was due."""
_NOTHING = Tally(0)


@dataclass(slots=True)
class Telemetry:
    """
    What was read, in memory: after a restart it is read anew, and the time between is a gap.

    Keys are `application@cluster`.
    """

    records: Records
    connections: Connections
    sources: Sources
    clock: Clock
    _series: dict[tuple[str, RevisionId], Series] = field(default_factory=dict)
    _counters: dict[str, Counters] = field(default_factory=dict)
    _totals: dict[str, dict[RevisionId, Tally]] = field(default_factory=dict)
    _read_at: dict[str, float] = field(default_factory=dict)

    async def reconcile(self, key: str) -> float:
        """Read the counters once while a rollout is under way."""
        application, _, cluster = key.partition("@")
        name = ApplicationName(application)
        stored = await self.records.find_application(name)
        rollout = await self.records.rollout(stored.value) if stored else None
        if stored is None or rollout is None or not rollout.value.active:
            self._forget(key)
            return REST_SECONDS
        record = stored.value
        if rollout.value.analysis.counters is not None:
            return await self._scrape(key, record, rollout.value, rollout.value.analysis.counters)
        report = await self.records.find_report(name, ClusterName(cluster))
        if report is None or report.value.address is None:
            return IDLE_SECONDS
        counts = self.connections.counts(record.spec, report.value.address, record.revisions)
        found = {each.revision: each for each in await counts.read(name)}
        # A gateway forgets revisions that get no users: nothing of theirs was slow either.
        edges = {edge for count in found.values() for edge in count.slower}
        nothing = dict.fromkeys(edges, 0)
        known = [found.get(each.id, Counts(each.id, 0, 0, nothing)) for each in record.revisions]
        now = self._read_at[key] = self.clock.now()
        limited = rollout.value.analysis.threshold is not None
        if limited:
            self._extend(key, known, now)
        rules = rules_for(rollout.value)
        self._book(key, known, now, rules)
        pause = _next_read(now, rules) - now
        return min(pause, _SLOWEST_SECONDS) if limited else pause

    async def _scrape(
        self, key: str, record: Record, rollout: Rollout, wanted: CounterSource
    ) -> float:
        """Read the samples that Prometheus has taken since the last time."""
        judge, source = rollout.analysis.judge, rollout.analysis.source
        if judge is None or source is None:
            return IDLE_SECONDS
        cluster = ClusterName(key.partition("@")[2])
        labels = {name: fill(text, {"cluster": cluster}) for name, text in wanted.labels.items()}
        place = Place(cluster, record.spec.namespace, record.spec.name, labels)
        arms = tuple(Arm(each.id, each.service, at) for at, each in enumerate(record.revisions))
        query = counters(wanted.preset, place, arms, wanted.edges_seconds)
        now = self.clock.now()
        since = self._read_at.get(key, now) - 2 * judge.window_seconds
        found = await self.sources.open(source).counts(query, Span(since, now))
        rules = rules_for(rollout)
        known = self._counters.get(key, Counters(cluster))
        self._counters[key] = add(known, found, rules)
        newest = {(each.revision, each.source): each for each in found}
        for revision in {each.revision for each in found}:
            tallies = [each.totals for (of, _), each in newest.items() if of == revision]
            self._totals.setdefault(key, {})[revision] = together(tallies)
        if found:
            self._read_at[key] = now
        return judge.window_seconds / 2

    def _extend(self, key: str, counts: Sequence[Counts], now: float) -> None:
        for count in counts:
            series = self._series.get((key, count.revision), Series())
            totals = Totals(now, count.requests, count.errors)
            self._series[key, count.revision] = series.add(totals, KEEP_SECONDS)

    def _book(self, key: str, counts: Sequence[Counts], now: float, rules: Rules) -> None:
        cluster = ClusterName(key.partition("@")[2])
        totals = self._totals.setdefault(key, {})
        for count in counts:
            slower = {_event_of(edge): many for edge, many in count.slower.items()}
            totals[count.revision] = Tally(count.requests, {ERRORS: count.errors, **slower})
        readings = [Reading(each.revision, cluster, now, totals[each.revision]) for each in counts]
        known = self._counters.get(key, Counters(cluster))
        self._counters[key] = add(known, readings, rules)

    def windows(
        self, application: ApplicationName, cluster: ClusterName, rules: Rules
    ) -> tuple[ClusterWindow, ...]:
        """Return the windows of the cluster that have ended since the last call."""
        key = report_name(application, cluster)
        known = self._counters.get(key)
        if known is None:
            return ()
        self._counters[key], ended = close(known, self.clock.now(), rules)
        return ended

    def served(self, application: ApplicationName, revision: RevisionId) -> Tally:
        """Return what all gateways have ever counted of the revision."""
        total = _NOTHING
        for key, tallies in self._totals.items():
            tally = tallies.get(revision)
            if tally is not None and key.startswith(f"{application}@"):
                total = together([total, tally])
        return total

    def lately(
        self, application: ApplicationName, revision: RevisionId, since: float
    ) -> tuple[int, int]:
        """Return the requests of the revision since then, and how many of them failed."""
        sums = [
            series.sum(since)
            for (key, known), series in self._series.items()
            if known == revision and key.startswith(f"{application}@")
        ]
        return sum(each[0] for each in sums), sum(each[1] for each in sums)

    def silent(
        self, application: ApplicationName, clusters: tuple[ClusterName, ...], seconds: float
    ) -> tuple[ClusterName, ...]:
        """Return those of the clusters whose counters were last read longer ago than this."""
        oldest = self.clock.now() - seconds
        return tuple(
            each
            for each in clusters
            if self._read_at.get(report_name(application, each), 0.0) < oldest
        )

    def _forget(self, key: str) -> None:
        self._read_at.pop(key, None)
        self._counters.pop(key, None)
        self._totals.pop(key, None)
        for known in [each for each in self._series if each[0] == key]:
            del self._series[known]


def rules_for(rollout: Rollout) -> Rules:
    """Return how readings become windows of the rollout's application."""
    judge = rollout.analysis.judge or Judge(window_seconds=READ_SECONDS)
    rules = rules_of(judge, scraped=rollout.analysis.counters is not None)
    return replace(rules, phase_seconds=phase_of(rollout.application, rules.window_seconds))


def _next_read(now: float, rules: Rules) -> float:
    """Return when to read again: at regular times, the last of them just before a window ends."""
    reads = max(1, min(_READS_PER_WINDOW, int(rules.window_seconds / READ_SECONDS)))
    pause = rules.window_seconds / reads
    first = rules.phase_seconds - min(_BEFORE_END, pause / 4)
    return first + pause * (math.floor((now - first) / pause + _SAME) + 1)


@cache
def _event_of(edge_milliseconds: float) -> str:
    return slower_than(edge_milliseconds / 1000)


def together(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies; an event that one of them lacks counts where it is known."""
    requests, events = 0, dict[str, int]()
    for tally in tallies:
        requests += tally.requests
        for event, many in tally.events.items():
            events[event] = events.get(event, 0) + many
    return Tally(requests, events)
