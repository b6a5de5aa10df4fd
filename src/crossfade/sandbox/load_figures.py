"""What a load run has measured: counts, shares, latencies, and all of it over time.  Pure."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SLICE_SECONDS = 0.1
"""Width of one step of the time series."""
UNKNOWN = "unknown"
"""Version and cloud of an answer that names none."""
_GROWTH = math.log(1.02)
_KEPT_FAILURES = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Who gave an answer, as the answer says."""

    version: str = UNKNOWN
    cloud: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that the user did not get an answer to, or one of 500 and above."""

    at: float
    """Seconds since the start of the load, when it was known."""
    waited_seconds: float
    reason: str
    version: str | None = None
    """The version that answered with an error of its own; None when nobody answered."""


@dataclass(slots=True)
class Slice:
    """What became of the requests of one step of time; failures count when they are known."""

    answers: Counter[Source] = field(default_factory=Counter)
    failed: int = 0
    slowest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Shares:
    """Fractions (0 to 1) of the good answers of a stretch of time."""

    answers: int
    failed: int
    versions: Mapping[str, float]
    clouds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Latencies:
    """Milliseconds from when a request should have been sent to its answer."""

    p50_ms: float
    p99_ms: float
    max_ms: float


class Figures:
    """The figures of one run; times are seconds since its start."""

    def __init__(self) -> None:
        self.requests = 0
        """Sent, or that should have been: a stuck server does not slow the schedule down."""
        self.answered = 0
        """Good answers: below 500."""
        self.failed = 0
        self.resent = 0
        """Sent again on another connection, because a kept one had just been closed."""
        self.statuses: Counter[int] = Counter()
        self.sources: Counter[Source] = Counter()
        self.errors: Counter[Source] = Counter()
        """Answers of 500 and above, by who gave them."""
        self.failures: list[Failure] = []
        """The first thousand."""
        self.series: dict[int, Slice] = {}
        self.last_seen: dict[Source, float] = {}
        self.last_failure: float | None = None
        self.slowest_seconds = 0.0
        self._buckets: Counter[int] = Counter()

    def answer(self, at: float, waited_seconds: float, status: int, source: Source) -> None:
        """Count one answer."""
        self.statuses[status] += 1
        if status >= 500:
            reason = f"status {status} from {source.cloud}"
            self.errors[source] += 1
            self._fail(Failure(at, waited_seconds, reason, source.version))
            return
        self.answered += 1
        self.sources[source] += 1
        self.last_seen[source] = at
        # Routes are chosen when a request comes: a slow answer says what was so then, not now.
        part = self._slice(max(0.0, at - waited_seconds))
        part.answers[source] += 1
        part.slowest_seconds = max(part.slowest_seconds, waited_seconds)
        self._time(waited_seconds)

    def no_answer(self, at: float, waited_seconds: float, reason: str) -> None:
        """Count one request that got none."""
        self._fail(Failure(at, waited_seconds, reason))

    def shares(self, since: float, until: float = math.inf) -> Shares:
        """
        Return the shares of the answers to requests from `since` on, to a tenth of a second.

        A request belongs to the time when it was due, however late its answer came.
        """
        total: Counter[Source] = Counter()
        failed = 0
        for number, part in self.series.items():
            if since <= number * SLICE_SECONDS + 1e-9 and number * SLICE_SECONDS < until:
                total += part.answers
                failed += part.failed
        answers = sum(total.values())
        versions, clouds = Counter[str](), Counter[str]()
        for source, count in total.items():
            versions[source.version] += count
            clouds[source.cloud] += count
        return Shares(answers, failed, _fractions(versions), _fractions(clouds))

    def answers_of(self, cloud: str, since: float) -> dict[str, int]:
        """Return the good answers of a cloud to requests from `since` on, by version."""
        total: Counter[Source] = Counter()
        for number, part in self.series.items():
            if since <= number * SLICE_SECONDS + 1e-9:
                total += part.answers
        own = Counter({source: many for source, many in total.items() if source.cloud == cloud})
        return _summed(own, lambda source: source.version)

    def errors_of_versions(self) -> int:
        """Return the number of errors that a version has answered itself: they got there."""
        return sum(many for source, many in self.errors.items() if source.version != UNKNOWN)

    def latencies(self) -> Latencies:
        """Return the latencies of the good answers, to 2 %."""
        return Latencies(
            self._percentile(0.50), self._percentile(0.99), round(self.slowest_seconds * 1000, 3)
        )

    def versions(self) -> dict[str, int]:
        """Return the number of good answers by version."""
        return _summed(self.sources, lambda source: source.version)

    def clouds(self) -> dict[str, int]:
        """Return the number of good answers by cloud."""
        return _summed(self.sources, lambda source: source.cloud)

    def _fail(self, failure: Failure) -> None:
        self.failed += 1
        self.last_failure = failure.at
        self._slice(failure.at).failed += 1
        if len(self.failures) < _KEPT_FAILURES:
            self.failures.append(failure)

    def _slice(self, at: float) -> Slice:
        number = int(at / SLICE_SECONDS)
        found = self.series.get(number)
        if found is None:
            found = self.series[number] = Slice()
        return found

    def _time(self, seconds: float) -> None:
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        self._buckets[int(math.log(max(seconds, 1e-6) * 1e6) / _GROWTH)] += 1

    def _percentile(self, fraction: float) -> float:
        wanted = math.ceil(sum(self._buckets.values()) * fraction)
        passed = 0
        for bucket in sorted(self._buckets):
            passed += self._buckets[bucket]
            if passed >= wanted:
                middle = math.exp((bucket + 0.5) * _GROWTH) / 1000
                return round(min(middle, self.slowest_seconds * 1000), 3)
        return 0.0


def as_json(figures: Figures, step_seconds: float = 1.0) -> dict[str, Any]:
    """Return the figures as JSON values, with the time series in steps of `step_seconds`."""
    latencies = figures.latencies()
    return {
        "requests": figures.requests,
        "answered": figures.answered,
        "failed": figures.failed,
        "resent": figures.resent,
        "statuses": {str(status): count for status, count in sorted(figures.statuses.items())},
        "versions": figures.versions(),
        "clouds": figures.clouds(),
        "latency_ms": {
            "p50": latencies.p50_ms,
            "p99": latencies.p99_ms,
            "max": latencies.max_ms,
        },
        "last_failure_at": figures.last_failure,
        "first_failures": [
            {"at": round(one.at, 3), "waited": round(one.waited_seconds, 3), "reason": one.reason}
            for one in figures.failures[:20]
        ],
        "series": _series(figures, step_seconds),
    }


def _series(figures: Figures, step_seconds: float) -> list[dict[str, Any]]:
    steps: dict[int, Slice] = {}
    for number, part in figures.series.items():
        step = steps.setdefault(int((number + 0.5) * SLICE_SECONDS / step_seconds), Slice())
        step.answers += part.answers
        step.failed += part.failed
        step.slowest_seconds = max(step.slowest_seconds, part.slowest_seconds)
    return [
        {
            "at": round(number * step_seconds, 3),
            "versions": _summed(step.answers, lambda source: source.version),
            "clouds": _summed(step.answers, lambda source: source.cloud),
            "failed": step.failed,
            "slowest_ms": round(step.slowest_seconds * 1000, 3),
        }
        for number, step in sorted(steps.items())
    ]


def _fractions(counts: Counter[str]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: count / total for name, count in sorted(counts.items())}


def _summed(counts: Counter[Source], name: Callable[[Source], str]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for source, count in counts.items():
        total[name(source)] += count
    return dict(sorted(total.items()))
