"""Reads the gateways' counters of every revision, one application in one cluster at a time."""

from dataclasses import dataclass, field, replace

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
from crossfade.core.analysis.windows import Reading as Totals
from crossfade.core.analysis.windows import Series
from crossfade.engine.records import Records, report_name
from crossfade.ports.cluster_access import Connections
from crossfade.ports.traffic_counts import Counts

READ_SECONDS = 0.5
IDLE_SECONDS = 2.0
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
        report = await self.records.find_report(name, ClusterName(cluster))
        if stored is None or rollout is None or not rollout.value.active:
            self._forget(key)
            return IDLE_SECONDS
        if report is None or report.value.address is None:
            return IDLE_SECONDS
        record = stored.value
        counts = self.connections.counts(record.spec, report.value.address, record.revisions)
        found = {each.revision: each for each in await counts.read(name)}
        judge = rollout.value.analysis.judge
        window = judge.window_seconds if judge else READ_SECONDS
        for each in record.revisions:
            count = found.get(each.id, Counts(each.id, 0, 0))
            self._book(key, ClusterName(cluster), count, window)
        self._read_at[key] = self.clock.now()
        return READ_SECONDS

    def _book(self, key: str, cluster: ClusterName, count: Counts, window: float) -> None:
        now, revision = self.clock.now(), count.revision
        series = self._series.get((key, revision), Series())
        totals = Totals(now, count.requests, count.errors)
        self._series[key, revision] = series.add(totals, KEEP_SECONDS)
        slower = {slower_than(edge / 1000): many for edge, many in count.slower.items()}
        tally = Tally(count.requests, {ERRORS: count.errors, **slower})
        self._totals.setdefault(key, {})[revision] = tally
        counters = self._counters.get(key, Counters(cluster))
        rules = Rules(window_seconds=window, gap_seconds=max(10.0, 2 * window), warmup_seconds=0.0)
        self._counters[key] = add(counters, [Reading(revision, cluster, now, tally)], rules)

    def windows(
        self, application: ApplicationName, cluster: ClusterName, rules: Rules
    ) -> tuple[ClusterWindow, ...]:
        """Return the windows of the cluster that have ended since the last call."""
        key = report_name(application, cluster)
        counters = self._counters.get(key)
        if counters is None:
            return ()
        self._counters[key], ended = close(counters, self.clock.now(), rules)
        return ended

    def served(self, application: ApplicationName, revision: RevisionId) -> Tally:
        """Return what all gateways have ever counted of the revision."""
        total = _NOTHING
        for key, tallies in self._totals.items():
            tally = tallies.get(revision)
            if tally is not None and key.startswith(f"{application}@"):
                events = dict(total.events)
                for event, many in tally.events.items():
                    events[event] = events.get(event, 0) + many
                total = replace(total, requests=total.requests + tally.requests, events=events)
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
