"""
`judge: kayenta`: the judge of Kayenta (NetflixACAJudge-v1.0), rule by rule.

For people who move here with thresholds that they have tuned.  Each metric is compared over one
time series of the canary and one of the baseline, and the labels are added up to a score.  The
sequential judge sees more with less; docs/guides/coming-from.md tells what this one misses.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from statistics import NormalDist

from crossfade.core.analysis.mannwhitney import Shift, probability_above, shift

NOISE = 1e-5
"""Spread given to a series that is constant, relative to its value."""
MOST_NODATA_PERCENT = 50


class Label(StrEnum):
    """What became of one metric; ERROR where the test cannot be computed."""

    PASS = "Pass"  # noqa: S105 - not a password
    HIGH = "High"
    LOW = "Low"
    NODATA = "Nodata"
    NODATA_FAIL_METRIC = "NodataFailMetric"
    ERROR = "Error"


class Direction(StrEnum):
    """In which direction a metric gets worse."""

    INCREASE = "increase"
    DECREASE = "decrease"
    EITHER = "either"


class NanStrategy(StrEnum):
    """What is done with points that have no value: left out, or taken as 0."""

    REMOVE = "remove"
    REPLACE = "replace"


class OutlierStrategy(StrEnum):
    """What is done with points far away from the others."""

    KEEP = "keep"
    REMOVE = "remove"


class EffectMeasure(StrEnum):
    """How the size of an effect is measured: ratio of the means, or probability to be above."""

    MEAN_RATIO = "meanRatio"
    CLES = "cles"

    @property
    def none(self) -> float:
        """The size of no effect."""
        return 1.0 if self is EffectMeasure.MEAN_RATIO else 0.5


class Verdict(StrEnum):
    """What becomes of the canary."""

    PASS = "pass"  # noqa: S105 - not a password
    MARGINAL = "marginal"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class EffectSize:
    """How large an effect must be to count; a limit of None is the size of no effect."""

    measure: EffectMeasure = EffectMeasure.MEAN_RATIO
    allowed_increase: float | None = None
    allowed_decrease: float | None = None
    critical_increase: float | None = None
    critical_decrease: float | None = None

    def reaches(self, label: Label, size: float, *, critical: bool) -> bool:
        """Say whether the effect counts; one that has no size always does."""
        if math.isnan(size):
            return True
        if label is Label.HIGH:
            limit = self.critical_increase if critical else self.allowed_increase
            return size >= (self.measure.none if limit is None else limit)
        limit = self.critical_decrease if critical else self.allowed_decrease
        return size <= (self.measure.none if limit is None else limit)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with its points: NaN where there is none."""

    name: str
    experiment: tuple[float, ...]
    control: tuple[float, ...]
    groups: tuple[str, ...] = ("default",)
    critical: bool = False
    must_have_data: bool = False
    muted: bool = False
    direction: Direction = Direction.EITHER
    nan_strategy: NanStrategy = NanStrategy.REMOVE
    outlier_strategy: OutlierStrategy = OutlierStrategy.KEEP
    outlier_factor: float = 3.0
    effect: EffectSize = field(default_factory=EffectSize)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores, 0 to 100."""

    passing: float = 95.0
    marginal: float = 75.0


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that one judgement needs."""

    metrics: tuple[Metric, ...]
    thresholds: Thresholds = field(default_factory=Thresholds)
    group_weights: Mapping[str, float] = field(default_factory=dict)
    """In percent; groups without one share what is left."""
    tolerance: float = 0.25
    """Part of the Hodges-Lehmann estimate that a shift must exceed."""
    confidence: float = 0.98


@dataclass(frozen=True, slots=True)
class Classified:
    """One metric and what became of it."""

    metric: Metric
    label: Label
    critical: bool = False
    """Fails the canary by itself."""
    reason: str = ""
    ratio: float = 1.0
    """Mean of the canary over that of the baseline; NaN if either is 0."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and how it came about."""

    metrics: tuple[Classified, ...]
    groups: Mapping[str, float]
    """Score of each group; 0 for one without data, though it counts as 100 in the sum."""
    score: float
    verdict: Verdict
    reason: str


def judge(config: Config) -> Judgement:
    """Return the verdict on one look."""
    classified = tuple(
        classify(each, config.tolerance, config.confidence) for each in config.metrics
    )
    scored = [each for each in classified if not each.metric.muted]
    groups = _labels_by_group(scored)
    score, reason = _score(scored, groups, config.group_weights)
    return Judgement(
        classified,
        {name: _group_score(labels) or 0.0 for name, labels in groups.items()},
        score,
        verdict(score, config.thresholds),
        reason,
    )


def verdict(score: float, thresholds: Thresholds) -> Verdict:
    """Return the verdict on a score of one look; here a score on a threshold reaches it."""
    if score >= thresholds.passing:
        return Verdict.PASS
    return Verdict.MARGINAL if score >= thresholds.marginal else Verdict.FAIL


@dataclass(frozen=True, slots=True)
class Looks:
    """What follows from the looks so far."""

    ended: bool
    passed: bool
    reason: str


def after(scores: Sequence[float], looks: int, thresholds: Thresholds) -> Looks:
    """
    Return what follows from the scores so far of an analysis that looks several times.

    Each look must be above marginal, and the last one must pass: a score that just equals
    marginal fails, other than in one look by itself.
    """
    for number, score in enumerate(scores[:looks], 1):
        if score <= thresholds.marginal:
            return Looks(True, False, f"score {score:g} of look {number} is not above marginal")
    if len(scores) < looks:
        return Looks(False, False, f"{len(scores)} of {looks} looks are done")
    final = scores[looks - 1]
    if final < thresholds.passing:
        return Looks(True, False, f"the last score {final:g} is below {thresholds.passing:g}")
    return Looks(True, True, f"the last score {final:g} passes")


def classify(metric: Metric, tolerance: float = 0.25, confidence: float = 0.98) -> Classified:
    """Return the label of one metric."""
    experiment, control = cleaned(metric, metric.experiment), cleaned(metric, metric.control)
    if not experiment or not control:
        return _without_data(metric)
    if sorted(experiment) == sorted(control):
        return Classified(metric, Label.PASS, reason="canary and baseline are identical")
    if len({*experiment, *control}) == 1:
        return Classified(metric, Label.PASS)
    if len(set(experiment)) == 1 and len(set(control)) == 1:
        experiment, control = _with_noise(experiment, 1 / 2), _with_noise(control, 1 / 3)
    try:
        found = shift(experiment, control, confidence)
    except ValueError as error:
        return Classified(metric, Label.ERROR, reason=f"{metric.name} cannot be judged: {error}")
    ratio = mean_ratio(experiment, control)
    measure = metric.effect.measure
    size = ratio if measure is EffectMeasure.MEAN_RATIO else probability_above(experiment, control)
    label = _label(metric, found, tolerance, size)
    if label is Label.PASS:
        return Classified(metric, label, ratio=ratio)
    critical = metric.critical and metric.effect.reaches(label, size, critical=True)
    reason = f"{metric.name} is {label.lower()}{' and critical' if critical else ''}"
    return Classified(metric, label, critical, reason, ratio)


def _without_data(metric: Metric) -> Classified:
    if metric.nan_strategy is NanStrategy.REPLACE:
        return Classified(metric, Label.PASS)
    reason = f"{metric.name} has no data"
    if metric.must_have_data and not metric.critical:
        return Classified(metric, Label.NODATA_FAIL_METRIC, reason=reason)
    return Classified(metric, Label.NODATA, metric.critical, reason)


def _label(metric: Metric, found: Shift, tolerance: float, size: float) -> Label:
    band = tolerance * abs(found.estimate)
    if (
        metric.direction is not Direction.DECREASE
        and found.low > band
        and metric.effect.reaches(Label.HIGH, size, critical=False)
    ):
        return Label.HIGH
    if (
        metric.direction is not Direction.INCREASE
        and found.high < -band
        and metric.effect.reaches(Label.LOW, size, critical=False)
    ):
        return Label.LOW
    return Label.PASS


def cleaned(metric: Metric, values: Sequence[float]) -> tuple[float, ...]:
    """Return the points to compare: without NaN, and without outliers if they are to go."""
    if metric.nan_strategy is NanStrategy.REMOVE:
        kept = tuple(value for value in values if not math.isnan(value))
    else:
        kept = tuple(0.0 if math.isnan(value) else value for value in values)
    if metric.outlier_strategy is OutlierStrategy.KEEP or not kept:
        return kept
    low, high = fences(kept, metric.outlier_factor)
    return tuple(value for value in kept if low <= value <= high)


def fences(values: Sequence[float], factor: float) -> tuple[float, float]:
    """Return below and above what a point is an outlier: never inside the 1st to 99th percent."""
    quarter, three_quarters = percentile(values, 25), percentile(values, 75)
    reach = factor * (three_quarters - quarter)
    low = min(percentile(values, 1), quarter - reach)
    return low, max(percentile(values, 99), three_quarters + reach)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile of values that are not empty, interpolated between two (R's type 7)."""
    ordered = sorted(values)
    whole, part = divmod((len(ordered) - 1) * (percent / 100), 1)
    low = ordered[int(whole)]
    high = ordered[min(int(whole) + 1, len(ordered) - 1)]
    return low + part * (high - low)


def mean_ratio(experiment: Sequence[float], control: Sequence[float]) -> float:
    """Return the ratio of the means, NaN if either is 0."""
    above, below = math.fsum(experiment) / len(experiment), math.fsum(control) / len(control)
    return math.nan if above == 0 or below == 0 else above / below


def _with_noise(values: Sequence[float], offset: float) -> tuple[float, ...]:
    """
    Return the values spread a little, so that ranks differ.

    Theirs is random; quantiles of the same normal distribution do as well and stay the same.
    `offset` keeps two series from being spread alike, which would tie them again.
    """
    normal = NormalDist()
    places = ((index + offset) / (len(values) - 1 + 2 * offset) for index in range(len(values)))
    return tuple(
        value + NOISE * value * normal.inv_cdf(place)
        for value, place in zip(values, places, strict=True)
    )


def _labels_by_group(classified: Sequence[Classified]) -> dict[str, list[Label]]:
    groups: dict[str, list[Label]] = {}
    for each in classified:
        for name in each.metric.groups:
            groups.setdefault(name, []).append(each.label)
    return groups


_COUNTED = (Label.PASS, Label.HIGH, Label.LOW, Label.NODATA_FAIL_METRIC)


def _group_score(labels: Sequence[Label]) -> float | None:
    """Return the share of good metrics among those that have a say, None without any."""
    counted = [label for label in labels if label in _COUNTED]
    return counted.count(Label.PASS) / len(counted) * 100 if counted else None


def _score(
    classified: Sequence[Classified],
    groups: Mapping[str, Sequence[Label]],
    weights: Mapping[str, float],
) -> tuple[float, str]:
    for each in classified:
        if each.critical and each.label is not Label.PASS:
            return 0.0, each.reason
    nodata = sum(each.label is Label.NODATA for each in classified)
    if classified and nodata / len(classified) * 100 >= MOST_NODATA_PERCENT:
        return 0.0, f"{nodata} of {len(classified)} metrics have no data"
    others = [name for name in groups if name not in weights]
    share = (100 - sum(weights.values())) / len(others) if others else 0.0
    total = 0.0
    for name, labels in groups.items():
        score = _group_score(labels)
        total += (100.0 if score is None else score) * (weights.get(name, share) / 100)
    rounded = Decimal(repr(total)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return float(rounded), f"{len(classified) - nodata} of {len(classified)} metrics have data"
