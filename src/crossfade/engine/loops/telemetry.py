"""Counts of the new revision from every gateway, kept in memory: after a restart it counts anew."""

from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.analysis.thresholds import judge
from crossfade.core.analysis.windows import Reading, Series
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import NOT_JUDGED, Rollout
from crossfade.engine.records import Records, report_name
from crossfade.ports.cluster_access import Connections

READ_SECONDS = 0.5
IDLE_SECONDS = 2.0
SILENT_SECONDS = 5.0
KEEP_SECONDS = 600.0


@dataclass(slots=True)
class Telemetry:
    """Reads one application's counters in one cluster at a time, and judges over all of them."""

    records: Records
    connections: Connections
    clock: Clock
    _series: dict[tuple[str, RevisionId], Series] = field(default_factory=dict)
    _read_at: dict[str, float] = field(default_factory=dict)

    async def reconcile(self, key: str) -> float:
        """Read the counters of `application@cluster` once while a rollout gives it users."""
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
        revisions = stored.value.revisions
        counts = self.connections.counts(stored.value.spec, report.value.address, revisions)
        found = {each.revision: each for each in await counts.read(name)}
        now = self.clock.now()
        for revision in revisions:
            count = found.get(revision.id)
            requests, errors = (count.requests, count.errors) if count else (0, 0)
            series = self._series.get((key, revision.id), Series())
            reading = Reading(now, requests, errors)
            self._series[key, revision.id] = series.add(reading, KEEP_SECONDS)
        self._read_at[key] = now
        return READ_SECONDS

    def judge(
        self, record: Record, rollout: Rollout, reachable: tuple[ClusterName, ...], now: float
    ) -> Judgement:
        """Return the verdict on the new revision; clusters that are away are not waited for."""
        limit = rollout.analysis.threshold
        if limit is None:
            return Judgement(Verdict.PASS, 0, 0, "nothing is to be judged")
        if not rollout.state.meets_users or rollout.stable is None:
            return NOT_JUDGED
        application, canary = record.spec.name, rollout.canary.id
        since = now - limit.window_seconds
        sums = [
            series.sum(since)
            for (key, revision), series in self._series.items()
            if revision == canary and key.startswith(f"{application}@")
        ]
        silent = tuple(
            cluster
            for cluster in reachable
            if now - self._read_at.get(report_name(application, cluster), 0.0) > SILENT_SECONDS
        )
        requests, errors = sum(each[0] for each in sums), sum(each[1] for each in sums)
        return judge(limit, requests, errors, silent)

    def _forget(self, key: str) -> None:
        self._read_at.pop(key, None)
        for known in [each for each in self._series if each[0] == key]:
            del self._series[known]
