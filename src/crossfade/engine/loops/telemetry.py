"""Reads the gateways' counters of every revision, one application in one cluster at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, field

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
_READS_PER_WINDOW = 6
_SLOWEST_SECONDS = 2.5
"""Silence must be noticed within seconds, however long windows are."""
IDLE_SECONDS = 2.0
REST_SECONDS = 30.0
"""Without a rollout; the hub has everything looked at when one begins."""
KEEP_SECONDS = 600.0
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
        rules = rules_of(rollout.value.analysis.judge or Judge(window_seconds=READ_SECONDS))
        # A gateway forgets revisions that get no users: nothing of theirs was slow either.
        edges = {edge for count in found.values() for edge in count.slower}
        nothing = dict.fromkeys(edges, 0)
        for each in record.revisions:
            count = found.get(each.id, Counts(each.id, 0, 0, nothing))
            self._book(key, ClusterName(cluster), count, rules)
        self._read_at[key] = self.clock.now()
        often = rules.window_seconds / _READS_PER_WINDOW
        return min(max(READ_SECONDS, often), _SLOWEST_SECONDS)

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
        rules = rules_of(judge, scraped=True)
        known = self._counters.get(key, Counters(cluster))
        self._counters[key] = add(known, found, rules)
        newest = {(each.revision, each.source): each for each in found}
        for revision in {each.revision for each in found}:
            tallies = [each.totals for (of, _), each in newest.items() if of == revision]
            self._totals.setdefault(key, {})[revision] = together(tallies)
        if found:
            self._read_at[key] = now
        return judge.window_seconds / 2

    def _book(self, key: str, cluster: ClusterName, count: Counts, rules: Rules) -> None:
        now, revision = self.clock.now(), count.revision
        series = self._series.get((key, revision), Series())
        totals = Totals(now, count.requests, count.errors)
        self._series[key, revision] = series.add(totals, KEEP_SECONDS)
        slower = {slower_than(edge / 1000): many for edge, many in count.slower.items()}
        tally = Tally(count.requests, {ERRORS: count.errors, **slower})
        self._totals.setdefault(key, {})[revision] = tally
        known = self._counters.get(key, Counters(cluster))
        self._counters[key] = add(known, [Reading(revision, cluster, now, tally)], rules)

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


def together(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies; an event that one of them lacks counts where it is known."""
    requests, events = 0, dict[str, int]()
    for tally in tallies:
        requests += tally.requests
        for event, many in tally.events.items():
            events[event] = events.get(event, 0) + many
    return Tally(requests, events)
