"""
Thresholds as in Argo Rollouts: measurements of a metric, and the phase that follows from them.

One measurement is one answer of the metric's source, put through conditions.  The phase follows
from counts of measurements, so that a loop may forget old ones and still say the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from crossfade.base.json_value import Json
from crossfade.core.analysis.expression_tokens import ExpressionError
from crossfade.core.analysis.expressions import Condition, holds

ERROR_RETRY_SECONDS = 10.0
"""After an error a metric is measured again so soon, whatever its interval."""
MEASUREMENTS_KEPT = 10


class Phase(StrEnum):
    """How far something is, and how it ended."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"
    INCONCLUSIVE = "Inconclusive"

    @property
    def completed(self) -> bool:
        """Whether nothing more will come."""
        return self not in (Phase.PENDING, Phase.RUNNING)


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured, how often, and how much of it may be bad."""

    name: str
    success: Condition | None = None
    failure: Condition | None = None
    count: int = 0
    """Measurements to take; 0 is one without an interval, and no end with one."""
    interval_seconds: float | None = None
    initial_delay_seconds: float = 0.0
    failure_limit: int = 0
    """Failed measurements that are let pass; -1 for any number."""
    inconclusive_limit: int = 0
    consecutive_error_limit: int = 4
    consecutive_success_limit: int = 0
    """Good measurements in a row that end it early; 0 for none."""
    dry_run: bool = False
    """Measured and told, but without a say."""
    kept: int = MEASUREMENTS_KEPT
    """Measurements to remember."""

    @property
    def effective_count(self) -> int | None:
        """Measurements after which it ends, None for no end."""
        if self.count:
            return self.count
        return 1 if self.interval_seconds is None else None

    @property
    def objections(self) -> tuple[str, ...]:
        """Why Argo would refuse it; () if it would not."""
        needed = max(0, self.failure_limit) + max(0, self.consecutive_success_limit)
        wrong = {
            "consecutiveSuccessLimit must be at least 0": self.consecutive_success_limit < 0,
            "failureLimit must be at least 0, or -1 for no limit": self.failure_limit < -1,
            "failureLimit -1 needs a consecutiveSuccessLimit": self.failure_limit == -1
            and self.consecutive_success_limit == 0,
            "inconclusiveLimit must be at least 0": self.inconclusive_limit < 0,
            "consecutiveErrorLimit must be at least 0": self.consecutive_error_limit < 0,
            "count must be at least failureLimit + consecutiveSuccessLimit": 0
            < self.count
            < needed,
            "count must be at least inconclusiveLimit": 0 < self.count < self.inconclusive_limit,
            "a count above 1 needs an interval": self.count > 1 and self.interval_seconds is None,
        }
        return tuple(what for what, holds_true in wrong.items() if holds_true)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One answer of the source; times in seconds of one clock."""

    phase: Phase
    value: Json = None
    message: str = ""
    finished_at: float | None = None
    resume_at: float | None = None
    """When to ask again for one that is still in flight."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Measurements that have ended, by their phase."""

    count: int = 0
    """All but errors, which do not use up the metric's count."""
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0

    def add(self, phase: Phase) -> "Counters":
        """Return the counters with one more measurement; one that has not ended changes nothing."""
        match phase:
            case Phase.ERROR:
                more = replace(self, error=self.error + 1)
                return replace(
                    more, consecutive_error=self.consecutive_error + 1, consecutive_success=0
                )
            case Phase.PENDING | Phase.RUNNING:
                return self
            case Phase.SUCCESSFUL:
                in_a_row = self.consecutive_success + 1
                more = replace(self, successful=self.successful + 1, consecutive_success=in_a_row)
            case Phase.FAILED:
                more = replace(self, failed=self.failed + 1, consecutive_success=0)
            case Phase.INCONCLUSIVE:
                more = replace(self, inconclusive=self.inconclusive + 1, consecutive_success=0)
        return replace(more, count=self.count + 1, consecutive_error=0)


@dataclass(frozen=True, slots=True)
class Result:
    """What is remembered of a metric while it is measured."""

    phase: Phase = Phase.RUNNING
    counters: Counters = field(default_factory=Counters)
    measurements: tuple[Measurement, ...] = ()
    """The last ones, newest last."""
    message: str = ""

    @staticmethod
    def of(measurements: Iterable[Measurement]) -> "Result":
        """Return what is remembered after these measurements, all of them kept."""
        result = Result()
        for each in measurements:
            result = result.take(each, keep=0)
        return result

    @property
    def in_flight(self) -> bool:
        """Whether the last measurement has not ended."""
        return bool(self.measurements) and not self.measurements[-1].phase.completed

    def take(self, measurement: Measurement, keep: int = MEASUREMENTS_KEPT) -> "Result":
        """
        Return the result with one more measurement, which replaces one that is in flight.

        The last `keep` ones are kept, all of them with 0.
        """
        before = self.measurements[:-1] if self.in_flight else self.measurements
        return replace(
            self,
            counters=self.counters.add(measurement.phase),
            measurements=(*before, measurement)[-keep:],
        )


@dataclass(frozen=True, slots=True)
class Assessment:
    """The phase of a metric, and which limit it broke."""

    phase: Phase
    message: str
    counters: Counters


def measure(metric: Metric, value: Json, finished_at: float | None = None) -> Measurement:
    """
    Return the measurement of a value.

    Both conditions given: failure wins, and neither is inconclusive.  One given: the other is its
    opposite.  None given: always successful.  A condition that cannot be answered is an error.
    """
    holding: dict[str, bool] = {}
    for name, condition in (("success", metric.success), ("failure", metric.failure)):
        if condition is None:
            continue
        try:
            holding[name] = holds(condition, value)
        except ExpressionError as error:
            message = _why_not(name, condition, value, error)
            return Measurement(Phase.ERROR, value, message, finished_at)
    failed = holding.get("failure", not holding.get("success", True))
    succeeded = holding.get("success", not failed)
    good_or_unclear = Phase.SUCCESSFUL if succeeded else Phase.INCONCLUSIVE
    return Measurement(Phase.FAILED if failed else good_or_unclear, value, "", finished_at)


def _why_not(name: str, condition: Condition, value: Json, error: ExpressionError) -> str:
    said = f'could not evaluate {name}Condition "{condition.text}"'
    if value is None or value == []:
        return f"{said}: the metric's result is nil or empty: its source has no data"
    return f"{said}: {error}"


def assess(
    metric: Metric, measurements: Iterable[Measurement], terminating: bool = False
) -> Assessment:
    """
    Return the phase of a metric after all of its measurements.

    They are counted whole, also those after the one with which a metric would have ended.
    """
    return assess_result(metric, Result.of(measurements), terminating)


def assess_result(metric: Metric, result: Result, terminating: bool = False) -> Assessment:
    """
    Return the phase of a metric; one that has ended stays as it is.

    Args:
        metric: its limits.
        result: its counters and last measurements.
        terminating: the run is about to end, by wish or because another metric ended badly.
    """
    counters = result.counters
    if result.phase.completed:
        return Assessment(result.phase, broken_limit(metric, counters)[1], counters)
    if not result.measurements:
        phase = Phase.SUCCESSFUL if terminating else Phase.PENDING
        return Assessment(phase, "", counters)
    if result.in_flight:
        return Assessment(Phase.RUNNING, "", counters)
    broken, message = broken_limit(metric, counters)
    if broken is not None:
        return Assessment(broken, message, counters)
    wanted = metric.consecutive_success_limit
    if 0 < wanted <= counters.consecutive_success:
        return Assessment(Phase.SUCCESSFUL, f"consecutiveSuccessLimit ({wanted}) reached", counters)
    if metric.effective_count is not None and counters.count >= metric.effective_count:
        return Assessment(*_at_count(metric), counters)
    phase = Phase.SUCCESSFUL if terminating else Phase.RUNNING
    return Assessment(phase, "run terminated" if terminating else "", counters)


def broken_limit(metric: Metric, counters: Counters) -> tuple[Phase | None, str]:
    """Return how a metric ends by a limit that is broken, and which; of several, the last."""
    broken: tuple[Phase | None, str] = (None, "")
    if 0 <= metric.failure_limit < counters.failed:
        what = f"failed ({counters.failed}) > failureLimit ({metric.failure_limit})"
        broken = Phase.FAILED, what
    if counters.inconclusive > metric.inconclusive_limit:
        limit = f"inconclusiveLimit ({metric.inconclusive_limit})"
        broken = Phase.INCONCLUSIVE, f"inconclusive ({counters.inconclusive}) > {limit}"
    if counters.consecutive_error > metric.consecutive_error_limit:
        limit = f"consecutiveErrorLimit ({metric.consecutive_error_limit})"
        broken = Phase.ERROR, f"consecutiveErrors ({counters.consecutive_error}) > {limit}"
    return broken


def _at_count(metric: Metric) -> tuple[Phase, str]:
    """Return how a metric ends whose measurements are all taken, with no limit broken."""
    count = f"count ({metric.effective_count}) reached"
    if metric.consecutive_success_limit <= 0:
        return Phase.SUCCESSFUL, count
    missed = f"{count}, consecutiveSuccessLimit ({metric.consecutive_success_limit}) not"
    return (Phase.FAILED if metric.failure_limit < 0 else Phase.INCONCLUSIVE), missed


def next_measurement_at(
    metric: Metric, result: Result | None, started_at: float | None, now: float
) -> float | None:
    """
    Return when to measure, or to look again at a measurement in flight; None for never.

    A time that has passed means at once.

    Args:
        metric: its delay, interval and count.
        result: what is remembered; None or empty before the first measurement.
        started_at: when the run began; None for now.
        now: the time.
    """
    if result is None or not result.measurements:
        if result is not None and result.phase.completed:
            return None
        return (now if started_at is None else started_at) + metric.initial_delay_seconds
    last = result.measurements[-1]
    if result.phase.completed:
        return None
    if result.in_flight or last.finished_at is None:
        return last.resume_at
    if metric.effective_count is not None and result.counters.count >= metric.effective_count:
        return None
    if last.phase is Phase.ERROR:
        return last.finished_at + ERROR_RETRY_SECONDS
    return None if metric.interval_seconds is None else last.finished_at + metric.interval_seconds
