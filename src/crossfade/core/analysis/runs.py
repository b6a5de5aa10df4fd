"""
Analysis runs: metrics of other systems, judged as Argo Rollouts or Kayenta do.

A run is a step of a rollout, or goes on beside the steps.  Bad figures take users back; a source
that is silent or has nothing does not: that is no verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.json_value import Json
from crossfade.core.analysis import kayenta
from crossfade.core.analysis.argo import Measurement, Metric, Phase, Result, measure
from crossfade.core.analysis.argo import next_measurement_at as next_at
from crossfade.core.analysis.argo_run import assess_run
from crossfade.core.analysis.expressions import condition
from crossfade.core.analysis.judgement import Run, Verdict
from crossfade.core.analysis.queries import Query
from crossfade.core.analysis.sources import MetricSource


@dataclass(frozen=True, slots=True)
class RunMetric:
    """A metric with limits, as in Argo Rollouts."""

    name: str
    query: Query
    source: MetricSource | None = None
    """None: the application's own."""
    success: str = ""
    """Condition on `result`."""
    failure: str = ""
    count: int = 0
    interval_seconds: float | None = None
    initial_delay_seconds: float = 0.0
    failure_limit: int = 0
    inconclusive_limit: int = 0
    consecutive_error_limit: int = 4
    consecutive_success_limit: int = 0
    dry_run: bool = False

    @property
    def limits(self) -> Metric:
        """The metric as its rules take it."""
        return Metric(
            name=self.name,
            success=condition(self.success) if self.success else None,
            failure=condition(self.failure) if self.failure else None,
            count=self.count,
            interval_seconds=self.interval_seconds,
            initial_delay_seconds=self.initial_delay_seconds,
            failure_limit=self.failure_limit,
            inconclusive_limit=self.inconclusive_limit,
            consecutive_error_limit=self.consecutive_error_limit,
            consecutive_success_limit=self.consecutive_success_limit,
            dry_run=self.dry_run,
        )


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """A metric whose series of canary and baseline are compared, as in Kayenta."""

    name: str
    canary: Query
    baseline: Query
    source: MetricSource | None = None
    group: str = "default"
    critical: bool = False
    must_have_data: bool = False
    direction: kayenta.Direction = kayenta.Direction.EITHER


@dataclass(frozen=True, slots=True)
class Comparison:
    """`judge: kayenta`: several looks over a growing window."""

    metrics: tuple[ComparedMetric, ...]
    lifetime_seconds: float = 10_800.0
    interval_seconds: float = 3600.0
    step_seconds: float = 60.0
    """Between the points of a series."""
    thresholds: kayenta.Thresholds = field(default_factory=kayenta.Thresholds)
    group_weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def looks(self) -> int:
        """How many looks there are."""
        return max(1, int(self.lifetime_seconds // self.interval_seconds))


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run of the application's file."""

    name: str
    metrics: tuple[RunMetric, ...] = ()
    comparison: Comparison | None = None
    background: bool = False
    """From the first users on, beside the steps; otherwise a step waits for it."""
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nothing counts: users were moving between clusters."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class RunState:
    """What is remembered of one run."""

    started_at: float
    phase: Phase = Phase.RUNNING
    message: str = ""
    results: Mapping[str, Result] = field(default_factory=dict)
    scores: tuple[float, ...] = ()
    """Of a comparison, one for each look."""
    gaps: tuple[Gap, ...] = ()
    still_since: float | None = None
    """Since when nothing counts, None while all does."""

    def stopped_after(self, moment: float) -> float:
        """Return for how many seconds the clock of the run has stood still since then."""
        return sum(each.seconds for each in self.gaps if each.begin >= moment)

    def counts(self, at: float) -> bool:
        """Say whether what was so at this time counts."""
        return not any(each.begin < at <= each.end for each in self.gaps)


def due(spec: RunSpec, state: RunState, now: float) -> tuple[RunMetric, ...]:
    """Return the metrics that are to be measured now."""
    if state.phase.completed:
        return ()
    found = []
    for each in spec.metrics:
        result = state.results.get(each.name)
        at = next_at(each.limits, result, state.started_at, now)
        if at is not None and at + state.stopped_after(_last_at(result, state)) <= now:
            found.append(each)
    return tuple(found)


def _last_at(result: Result | None, state: RunState) -> float:
    """Return when the metric was measured last, or when the run began."""
    last = result.measurements[-1] if result is not None and result.measurements else None
    return state.started_at if last is None or last.finished_at is None else last.finished_at


def measured(
    state: RunState, metric: RunMetric, value: Json, passed: bool | None, now: float
) -> RunState:
    """Return the state with one more measurement; `passed` is a source's own verdict."""
    if passed is None:
        taken = measure(metric.limits, value, now)
    else:
        taken = Measurement(Phase.SUCCESSFUL if passed else Phase.FAILED, value, "", now)
    return _with(state, metric, taken)


def unanswered(state: RunState, metric: RunMetric, why: str, now: float) -> RunState:
    """Return the state with one measurement that gave nothing."""
    return _with(state, metric, Measurement(Phase.ERROR, None, why, now))


def _with(state: RunState, metric: RunMetric, taken: Measurement) -> RunState:
    before = state.results.get(metric.name, Result())
    return replace(state, results={**state.results, metric.name: before.take(taken)})


def assessed(spec: RunSpec, state: RunState) -> RunState:
    """Return the state with the phase that follows from its measurements."""
    if not spec.metrics or state.phase.completed:
        return state
    found = assess_run([each.limits for each in spec.metrics], state.results)
    message = found.message or ", ".join(
        f"{name} {result.counters.count} measured, {result.counters.failed} failed"
        for name, result in found.results.items()
    )
    return replace(state, phase=found.phase, message=message, results=found.results)


def next_look(comparison: Comparison, state: RunState) -> float | None:
    """Return when the next look of a comparison is due, None after the last."""
    if state.phase.completed or len(state.scores) >= comparison.looks:
        return None
    return look_at(comparison, state, len(state.scores))


def look_at(comparison: Comparison, state: RunState, number: int) -> float:
    """Return when look `number` of a comparison is due, from 0 on."""
    running = comparison.interval_seconds * (number + 1)
    return state.started_at + state.stopped_after(state.started_at) + running


def scored(
    comparison: Comparison, state: RunState, metrics: tuple[kayenta.Metric, ...]
) -> RunState:
    """Return the state after one look."""
    config = kayenta.Config(metrics, comparison.thresholds, comparison.group_weights)
    judgement = kayenta.judge(config)
    scores = (*state.scores, judgement.score)
    after = kayenta.after(scores, comparison.looks, comparison.thresholds)
    message = f"score {judgement.score:g} at look {len(scores)} of {comparison.looks}"
    bad = [
        f"{each.metric.name} is {each.label.value}"
        for each in judgement.metrics
        if each.label is not kayenta.Label.PASS
    ]
    message += f": {', '.join(bad)}" if bad else ""
    phase = Phase.RUNNING
    if after.ended:
        phase = Phase.SUCCESSFUL if after.passed else Phase.FAILED
    return replace(state, phase=phase, message=message, scores=scores)


def run_of(spec: RunSpec, state: RunState | None) -> Run:
    """Return how the run stands, for the rollout: only bad figures are a failure."""
    if state is None:
        return Run(Verdict.UNKNOWN, "not begun yet", spec.background)
    match state.phase:
        case Phase.SUCCESSFUL:
            verdict = Verdict.PASS
        case Phase.FAILED:
            verdict = Verdict.FAIL
        case Phase.INCONCLUSIVE | Phase.ERROR:  # too many errors are silence, not bad figures
            verdict = Verdict.INCONCLUSIVE
        case Phase.PENDING | Phase.RUNNING:
            verdict = Verdict.UNKNOWN
    return Run(verdict, state.message or state.phase.value.lower(), spec.background)
