"""Metrics get the labels and canaries the scores that Kayenta gives them."""

import json
import math
from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.analysis import kayenta
from crossfade.core.analysis.kayenta import (
    Config,
    Direction,
    EffectMeasure,
    EffectSize,
    Label,
    Metric,
    NanStrategy,
    OutlierStrategy,
    Thresholds,
    Verdict,
    after,
    classify,
    fences,
    judge,
    mean_ratio,
    percentile,
    verdict,
)

SERIES = json.loads((Path(__file__).parent / "kayenta_series.json").read_text())
NAN = math.nan

HIGHER, LOWER = (20, 22, 21, 25, 30), (1, 2.2, 1.1, 2.5, 3)
FALLEN, BEFORE = (2, 2, 2, 2, 3), (10, 20.2, 10.1, 20.5, 30)
SPREAD, NOTHING = (54.9, 54.5, 55.1, 55.6, 57.4), (0,) * 5
FIVE = (1, 2, 3, 4, 5)


def metric(experiment, control, **more):
    series = [
        tuple(SERIES[each]) if isinstance(each, str) else each for each in (experiment, control)
    ]
    return Metric("latency", *series, **more)


def allowed(decrease, increase, **more):
    return EffectSize(allowed_decrease=decrease, allowed_increase=increase, **more)


def critical(decrease, increase, **more):
    return EffectSize(critical_decrease=decrease, critical_increase=increase, **more)


UP, DOWN = Direction.INCREASE, Direction.DECREASE

# experiment, control, what is configured, label, critical
AT_10_PERCENT = {
    "alike": ("near ten", "around ten", {}, Label.PASS, False),
    "twice": ("twenty", "around ten", {}, Label.HIGH, False),
    "half": ("near ten", "nineteen", {}, Label.LOW, False),
    "half-but-only-rises-count": ("near ten", "nineteen", {"direction": UP}, Label.PASS, False),
    "twice-but-only-falls-count": ("twenty", "around ten", {"direction": DOWN}, Label.PASS, False),
    "twice-and-rises-count": ("twenty", "around ten", {"direction": UP}, Label.HIGH, False),
    "half-and-falls-count": ("near ten", "nineteen", {"direction": DOWN}, Label.LOW, False),
    "sparse-events-at-the-tolerance": ("many zeros", "more zeros", {}, Label.HIGH, False),
    "effect-above-the-limit": (HIGHER, LOWER, {"effect": allowed(0.8, 1.2)}, Label.HIGH, False),
    "effect-below-the-limit": ("near ten", "nineteen", {"direction": DOWN, "effect": allowed(0.8, 1.2)}, Label.LOW, False),
    "effect-within-the-limits": ((10, 12.2, 10.1, 12.5, 23), HIGHER, {"effect": allowed(0.5, 1)}, Label.PASS, False),
    "effect-too-small-on-sparse-events": ("many zeros", "more zeros", {"effect": allowed(1, 5)}, Label.PASS, False),
    "critical-high": (HIGHER, LOWER, {"critical": True, "effect": critical(1, 1.2)}, Label.HIGH, True),
    "critical-low": (FALLEN, BEFORE, {"critical": True, "effect": critical(1.2, 1)}, Label.LOW, True),
    "high-but-not-critical": (HIGHER, LOWER, {"critical": True, "effect": allowed(1, 5, critical_decrease=1, critical_increase=13)}, Label.HIGH, False),
    "neither-high-nor-critical": (HIGHER, LOWER, {"critical": True, "effect": allowed(1, 13, critical_decrease=1, critical_increase=15)}, Label.PASS, False),
    "critical-by-default-limits": (HIGHER, LOWER, {"critical": True}, Label.HIGH, True),
    "all-tied": ((1, 1, 1), (1, 1), {"direction": DOWN}, Label.PASS, False),
    "the-same-in-another-order": (FIVE, FIVE[::-1], {"direction": DOWN}, Label.PASS, False),
    "one-zero-first": ((0, 1, 1, 1, 1), (1,) * 5, {"direction": DOWN}, Label.PASS, False),
    "no-canary-data": ((), FIVE, {"direction": DOWN}, Label.NODATA, False),
    "no-baseline-data": (FIVE, (), {}, Label.NODATA, False),
    "no-critical-data": ((), FIVE, {"critical": True}, Label.NODATA, True),
    "no-data-is-none": ((), FIVE, {"nan_strategy": NanStrategy.REPLACE}, Label.PASS, False),
    "no-data-at-all": ((), (), {"critical": True}, Label.NODATA, True),
    "data-are-required": ((), FIVE, {"must_have_data": True}, Label.NODATA_FAIL_METRIC, False),
    "required-and-critical": ((), FIVE, {"must_have_data": True, "critical": True}, Label.NODATA, True),
    "one-of-five-differs": ((1, 1, 1, 1, 10), (1,) * 5, {}, Label.PASS, False),
    "two-constants": ((10,) * 5, (1,) * 5, {}, Label.HIGH, False),
    "a-constant-over-zero": ((10,) * 5, (0,) * 5, {}, Label.HIGH, False),
    "no-ratio-to-zero": (SPREAD, NOTHING, {"effect": allowed(0.8, 1.2)}, Label.HIGH, False),
    "no-ratio-of-zero": (NOTHING, SPREAD, {"effect": allowed(0.8, 1.2)}, Label.LOW, False),
    "critical-without-ratio": ((0.05, 0.05, 0.017, 0.017, 0.017, 0.05, 0.033, 0.05, 0.05, 0.133), (0,) * 10, {"critical": True, "nan_strategy": NanStrategy.REPLACE, "effect": critical(0.8, 1.2)}, Label.HIGH, True),
    "zero-and-zero": (NOTHING, NOTHING, {"effect": allowed(0.8, 1.2)}, Label.PASS, False),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_10_PERCENT)
def test_the_label_of_a_metric(name):
    experiment, control, configured, label, is_critical = AT_10_PERCENT[name]

    got = classify(metric(experiment, control, **configured), tolerance=0.10, confidence=0.95)

    assert (got.label, got.critical) == (label, is_critical)


@pytest.mark.parametrize(
    ("name", "limits", "label"),
    [
        ("cles pass", (0.5, 0.8), Label.PASS),
        ("cles high", (0.2, 0.8), Label.HIGH),
        ("cles low", (0.2, 0.8), Label.LOW),
    ],
)
def test_the_effect_may_be_the_probability_to_be_above(name, limits, label):
    effect = allowed(*limits, measure=EffectMeasure.CLES)
    got = classify(metric(f"{name} canary", f"{name} baseline", effect=effect), 0.20, 0.98)

    assert got.label is label


def test_a_probability_of_a_half_is_no_effect():
    assert EffectSize(EffectMeasure.CLES).reaches(Label.HIGH, 0.51, critical=True)
    assert not EffectSize(EffectMeasure.CLES).reaches(Label.HIGH, 0.49, critical=False)
    assert not EffectSize(EffectMeasure.CLES).reaches(Label.LOW, 0.51, critical=False)
    assert not EffectSize().reaches(Label.HIGH, 0.51, critical=False)


def test_the_ratio_is_told():
    assert classify(metric(SPREAD, NOTHING)).ratio != classify(metric(SPREAD, NOTHING)).ratio, "NaN"
    assert classify(metric(NOTHING, NOTHING)).ratio == 1.0
    assert mean_ratio((10,) * 5, (100,) * 5) == pytest.approx(0.1)
    assert mean_ratio((1, 1), (1, 1)) == 1.0


@pytest.mark.parametrize("size", [2, 3, 5, 30, 240])
@pytest.mark.parametrize(("value", "other", "label"), [(10, 1, Label.HIGH), (1, 10, Label.LOW)])
def test_constant_series_are_compared_whatever_their_length(size, value, other, label):
    got = classify(metric((value,) * size, (other,) * (size + 3)))

    assert got.label is label


def test_one_point_each_cannot_be_judged_and_counts_nowhere():
    got = judge(Config((metric((10,), (1,)), metric(FIVE, FIVE))))

    assert got.metrics[0].label is Label.ERROR
    assert got.score == 100


CASES_THAT_USERS_WANT_TO_FAIL = {
    "three-of-ten-fall-to-1": ((100,) * 7 + (1,) * 3, (1,) * 10),
    "sparse-errors": ((0, 1, 2, 1, 0, 0), (0,) * 6),
    "the-variance-only": ((1, 19, 2, 18, 3, 17, 4, 16), (10, 10, 11, 9, 10, 10, 11, 9)),
}


@pytest.mark.parametrize("name", CASES_THAT_USERS_WANT_TO_FAIL)
def test_what_kayenta_misses_is_missed_alike(name):
    assert classify(metric(*CASES_THAT_USERS_WANT_TO_FAIL[name])).label is Label.PASS


@pytest.mark.parametrize(("scale", "label"), [(1.0, Label.HIGH), (1e-5, Label.PASS)])
def test_small_numbers_are_not_seen_as_with_kayenta(scale, label):
    """A rise of 60 % of a number that is itself near the tolerance of the root search is lost."""
    normal = NormalDist()
    places = [normal.inv_cdf((index + 0.5) / 60) for index in range(60)]
    control = tuple(scale * math.exp(0.5 * place) for place in places)
    experiment = tuple(1.6 * value for value in control)

    assert classify(metric(experiment, control)).label is label


def test_the_ratio_of_two_negative_means_is_read_the_wrong_way_round_as_with_kayenta():
    """-1 is above -10, yet its ratio is 0.1: use `cles` for metrics below zero."""
    higher, lower = (-1, -1.1, -1.2, -1.3, -1.4), (-10, -10.1, -10.2, -10.3, -10.4)

    assert classify(metric(higher, lower)).label is Label.PASS
    assert (
        classify(metric(higher, lower, effect=EffectSize(EffectMeasure.CLES))).label is Label.HIGH
    )


def test_points_without_value_are_left_out_or_taken_as_zero():
    with_gaps = metric((NAN, 10.1, 20.2, NAN), FIVE)
    replaced = metric((NAN, 10.1, 20.2, NAN), FIVE, nan_strategy=NanStrategy.REPLACE)

    assert kayenta.cleaned(with_gaps, with_gaps.experiment) == (10.1, 20.2)
    assert kayenta.cleaned(replaced, replaced.experiment) == (0.0, 10.1, 20.2, 0.0)
    assert classify(metric((NAN, NAN), FIVE)).label is Label.NODATA


def test_outliers_go_when_that_is_asked_for():
    points = (*SERIES["nist lamps"], 5000.0)
    kept = metric(points, points)
    cut = metric(points, points, outlier_strategy=OutlierStrategy.REMOVE)

    assert kayenta.cleaned(kept, points) == points
    assert kayenta.cleaned(cut, points) == tuple(SERIES["nist lamps"])
    assert kayenta.cleaned(cut, ()) == ()


def test_a_point_between_the_1st_and_the_99th_percent_is_no_outlier():
    points = [0.0] * 90 + [1.0] * 10

    assert fences(points, 1.5) == (0.0, 1.0)
    assert fences([30.0, 40.0, 50.0, 60.0], 1.5) == pytest.approx((15.0, 75.0))


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ((0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5), 5, 0.175),
        ((0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5), 50, 1.75),
        ((0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5), 100, 3.5),
        ((95.1772, 95.1567, 95.1937, 95.1959, 95.1442, 95.061, 95.1591, 95.1195, 95.1772, 95.0925, 95.199, 95.1682), 90, 95.19568),
        ((1,), 100, 1),
        (SERIES["shares"], 25, 0.0),
        (SERIES["shares"], 75, 0.0416),
    ],
)  # fmt: skip
def test_percentiles_lie_between_two_points(values, percent, expected):
    assert percentile(values, percent) == pytest.approx(expected, abs=1e-4)


GOOD, HIGH, LOW, GONE = (FIVE, FIVE), (HIGHER, LOWER), (FALLEN, BEFORE), ((), FIVE)
"""Series that get the labels Pass, High, Low and Nodata."""


def looked_at(*metrics, **weights):
    made = []
    for index, (series, group, more) in enumerate(metrics):
        made.append(Metric(f"m{index}", *series, groups=(group,), **more))
    return judge(Config(tuple(made), group_weights=weights))


PLAIN, CRITICAL, NEEDED = {}, {"critical": True}, {"must_have_data": True}


@pytest.mark.parametrize(
    ("metrics", "weights", "score"),
    [
        pytest.param([(GOOD, "g", PLAIN)], {}, 100, id="good"),
        pytest.param([(HIGH, "g", PLAIN)], {}, 0, id="bad"),
        pytest.param([(GONE, "g", PLAIN)], {}, 0, id="no-data"),
        pytest.param([(GOOD, "g", PLAIN), (GOOD, "g", PLAIN), (GONE, "h", PLAIN)], {}, 100, id="a-group-without-data-counts-in-full"),
        pytest.param([(GOOD, "g", PLAIN), (HIGH, "g", PLAIN)], {}, 50, id="one-of-two"),
        pytest.param([(GOOD, "g", PLAIN), (HIGH, "g", PLAIN), (LOW, "g", PLAIN)], {}, 33.33, id="one-of-three"),
        pytest.param([(GOOD, "g", PLAIN), (GOOD, "g", PLAIN), (HIGH, "h", PLAIN)], {"g": 75, "h": 25}, 75, id="weights"),
        pytest.param([(GOOD, "g", PLAIN), (HIGH, "g", PLAIN), (HIGH, "h", PLAIN)], {"g": 50, "h": 50}, 25, id="equal-weights"),
        pytest.param([(GOOD, "g", PLAIN), (GONE, "g", PLAIN), (HIGH, "h", PLAIN)], {"g": 50, "h": 50}, 50, id="no-data-is-left-out-of-its-group"),
        pytest.param([(GOOD, "g", PLAIN), (HIGH, "g", CRITICAL)], {}, 0, id="critical"),
        pytest.param([(LOW, "g", PLAIN), (GOOD, "g", CRITICAL)], {}, 50, id="critical-but-good"),
        pytest.param([(GOOD, "g", PLAIN), (GOOD, "g", PLAIN), (GOOD, "g", PLAIN), (GONE, "g", CRITICAL)], {}, 0, id="critical-without-data"),
        pytest.param([(HIGH, "g", PLAIN), (LOW, "g", PLAIN), (GOOD, "g", PLAIN), (HIGH, "h", PLAIN)], {"g": 15, "h": 85}, 5, id="unequal-weights"),
        pytest.param([(GOOD, "g", PLAIN), (GONE, "g", NEEDED)], {}, 50, id="data-that-must-be-there"),
        pytest.param([(GOOD, "g", PLAIN), (GONE, "g", PLAIN)], {}, 0, id="half-without-data-is-too-much"),
        pytest.param([(GOOD, "g", PLAIN), (GOOD, "h", PLAIN), (HIGH, "i", PLAIN)], {"g": 40}, 70, id="groups-without-weight-share-the-rest"),
        pytest.param([(GOOD, "g", PLAIN)], {"g": 60}, 60, id="weights-need-not-be-100"),
        pytest.param([(GOOD, "g", PLAIN), (HIGH, "g", {"muted": True})], {}, 100, id="muted"),
    ],
)  # fmt: skip
def test_the_score_of_a_canary(metrics, weights, score):
    assert looked_at(*metrics, **weights).score == score


def test_groups_have_scores_of_their_own():
    got = looked_at((GOOD, "g", PLAIN), (HIGH, "g", PLAIN), (GONE, "h", PLAIN))

    assert dict(got.groups) == {"g": 50.0, "h": 0.0}


def test_a_metric_counts_in_each_of_its_groups():
    both = Metric("m", *HIGH, groups=("g", "h"))
    got = judge(Config((both, Metric("n", *GOOD, groups=("g",)))))

    assert (dict(got.groups), got.score) == ({"g": 50.0, "h": 0.0}, 25.0)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (100, Verdict.PASS),
        (95, Verdict.PASS),
        (94.99, Verdict.MARGINAL),
        (75, Verdict.MARGINAL),
        (74.99, Verdict.FAIL),
    ],
)
def test_a_score_of_one_look_reaches_a_threshold_that_it_equals(score, expected):
    assert verdict(score, Thresholds()) is expected


@pytest.mark.parametrize(
    ("scores", "looks", "ended", "passed"),
    [
        pytest.param((), 3, False, False, id="not-begun"),
        pytest.param((100, 80), 3, False, False, id="more-to-come"),
        pytest.param((100, 75), 3, True, False, id="a-look-that-just-equals-marginal-ends-it"),
        pytest.param((100, 80, 75), 3, True, False, id="the-last-one-too"),
        pytest.param((76, 76, 94.9), 3, True, False, id="the-last-one-must-pass"),
        pytest.param((76, 76, 95), 3, True, True, id="the-others-need-not"),
        pytest.param((75.01, 100), 2, True, True, id="just-above-marginal"),
    ],
)
def test_several_looks(scores, looks, ended, passed):
    got = after(scores, looks, Thresholds())

    assert (got.ended, got.passed) == (ended, passed)


def test_a_judgement_says_why():
    assert looked_at((HIGH, "g", CRITICAL)).reason == "m0 is high and critical"
    assert looked_at((GONE, "g", PLAIN)).reason == "1 of 1 metrics have no data"


series = st.lists(
    st.one_of(st.just(NAN), st.sampled_from([0.0, 1.0]), st.floats(-1e6, 1e6)), max_size=12
).map(tuple)


@given(series, series, st.booleans(), st.sampled_from(NanStrategy), st.sampled_from(OutlierStrategy), st.sampled_from(EffectMeasure))  # fmt: skip
def test_any_series_get_a_label_and_a_score(
    experiment, control, is_critical, nans, outliers, measure
):
    one = metric(experiment, control, critical=is_critical, nan_strategy=nans, outlier_strategy=outliers, effect=EffectSize(measure))  # fmt: skip
    got = judge(Config((one,)))

    assert 0 <= got.score <= 100
    assert got.verdict in (Verdict.PASS, Verdict.FAIL)
