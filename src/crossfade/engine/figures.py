"""What edges have counted in the last half hour, in memory: for people who look at traffic."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.engine.records import Records

BUCKET_SECONDS = 5.0
KEPT_SECONDS = 1800.0
NOW_SECONDS = 10.0
"""What is called now: so long that every edge has reported several times."""
LATE_SECONDS = 2.0
"""So long after the newest report nothing was counted because nothing came."""
MOST_CELLS = 200_000
"""With more applications and clusters less time is kept, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Count:
    """What edges counted for one application in one cluster, second tries included."""

    application: ApplicationName
    cluster: ClusterName
    requests: int
    failed: int
    shares: Mapping[RevisionId, float]
    """Percent by revision, as the cluster's data plane has confirmed them."""


@dataclass(frozen=True, slots=True)
class Point:
    """One cluster in one stretch of time."""

    at: float
    """When the stretch began."""
    seconds: float
    requests: int
    failed: int
    revisions: Mapping[RevisionId, float]
    """Requests by revision: those of the cluster by its confirmed shares."""


@dataclass(slots=True)
class _Cell:
    requests: int = 0
    failed: int = 0
    revisions: dict[RevisionId, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Bucket:
    at: float
    since: float
    """When what it counts began: edges report when they do, and not when a stretch begins."""
    until: float
    cells: dict[tuple[ApplicationName, ClusterName], _Cell] = field(default_factory=dict)


@dataclass(slots=True)
class Figures:
    """Written by one loop, read by whoever asks, in the same process."""

    records: Records | None = None
    """What the loops of this process read, kept in memory; None while no hub runs here."""
    _buckets: deque[_Bucket] = field(default_factory=deque)
    _cells: int = 0

    def add(self, now: float, counts: Iterable[Count]) -> None:
        """Add what was counted until now; what is older than half an hour is forgotten."""
        at = now - now % BUCKET_SECONDS
        if not self._buckets or self._buckets[-1].at < at:
            since = self._since(at)
            self._buckets.append(_Bucket(at, since, since))
        bucket = self._buckets[-1]
        for count in counts:
            key = count.application, count.cluster
            if key not in bucket.cells:
                bucket.cells[key] = _Cell()
                self._cells += 1
            _grow(bucket.cells[key], count)
            bucket.until = now
        self._forget(at - KEPT_SECONDS)

    def history(self, application: ApplicationName) -> dict[ClusterName, tuple[Point, ...]]:
        """Return all that is known of the application, by cluster, oldest first."""
        found: dict[ClusterName, list[Point]] = {}
        for bucket in self._buckets:
            for (name, cluster), cell in bucket.cells.items():
                if name == application:
                    point = _point(bucket.at, _lasted(bucket), [cell])
                    found.setdefault(cluster, []).append(point)
        return {cluster: tuple(points) for cluster, points in found.items()}

    def now(self, now: float) -> dict[tuple[ApplicationName, ClusterName], Point]:
        """Return the newest seconds, the stretch under way included, by application and cluster."""
        since = now - now % BUCKET_SECONDS - NOW_SECONDS
        recent = [each for each in self._buckets if each.at >= since]
        cells: dict[tuple[ApplicationName, ClusterName], list[_Cell]] = {}
        for bucket in recent:
            for key, cell in bucket.cells.items():
                cells.setdefault(key, []).append(cell)
        first = recent[0].since if recent else now
        # A second at least: the first report must not look like a flood.
        until = max(recent[-1].until, now - LATE_SECONDS) if recent else now
        seconds = max(1.0, until - first)
        return {key: _point(first, seconds, found) for key, found in cells.items()}

    def _since(self, at: float) -> float:
        """Return when the stretch from `at` begins to count: with the report before it, if near."""
        before = self._buckets[-1].until if self._buckets else at
        return before if at - before < BUCKET_SECONDS else at

    def _forget(self, before: float) -> None:
        while self._buckets[0].at < before or (self._cells > MOST_CELLS and len(self._buckets) > 1):
            self._cells -= len(self._buckets.popleft().cells)


def _lasted(bucket: _Bucket) -> float:
    return max(1.0, bucket.until - bucket.since)


def _grow(cell: _Cell, count: Count) -> None:
    cell.requests += count.requests
    cell.failed += count.failed
    for revision, percent in count.shares.items():
        share = count.requests * percent / 100
        cell.revisions[revision] = cell.revisions.get(revision, 0.0) + share


def _point(at: float, seconds: float, cells: Iterable[_Cell]) -> Point:
    requests = failed = 0
    revisions: dict[RevisionId, float] = {}
    for cell in cells:
        requests += cell.requests
        failed += cell.failed
        for revision, share in cell.revisions.items():
            revisions[revision] = revisions.get(revision, 0.0) + share
    return Point(at, seconds, requests, failed, revisions)
