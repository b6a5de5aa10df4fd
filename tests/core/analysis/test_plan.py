"""What a version is judged by."""

import math
from dataclasses import replace

import pytest

from crossfade.core.analysis.plan import Metric, Plan, bad_ratio, required, visible_ratio

PLAN = Plan((Metric("errors"),), ("gcp",))


@pytest.mark.parametrize("tolerated", [1.25, 1.3, 2.0])
def test_a_tolerance_that_reaches_into_what_is_looked_for_would_roll_back_every_healthy_canary(
    tolerated,
):
    metric = Metric("errors", r0=tolerated, r1=tolerated + 1)

    with pytest.raises(ValueError, match=r"errors: r0 .* below the smallest alternative, 1.25"):
        Plan((metric,), ("gcp",))


def test_every_usual_alternative_is_worse_than_what_is_tolerated():
    assert all(each > metric.r0 for metric in PLAN.metrics for each in PLAN.alternatives)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"metrics": ()}, "no metric"),
        ({"metrics": (Metric("a"), Metric("a"))}, "a metric given twice"),
        ({"clusters": ()}, "no cluster"),
        ({"alpha": 0.0}, "alpha 0 "),
        ({"alpha": 1.0}, "alpha 1 "),
        ({"beta": 0.0}, "beta 0 "),
        ({"cap": 1.0}, "cap 1.0"),
        ({"pooled": 1.1}, "pooled 1.1"),
        ({"by_cloud": 0.4}, "by_cloud 0.4"),
        ({"by_cloud": 0.1}, "a cluster without a cloud"),
        ({"budget": 0.0}, "budget 0 "),
        ({"react_s": 0.0}, "react_s 0 "),
        ({"tick_s": 0.0}, "tick_s 0 "),
        ({"kappa": 0.0}, "kappa 0 "),
        ({"w_min": 0.6}, "w_min 0.6"),
        ({"alternatives": ()}, "no alternative"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_what_is_allowed(change, says):
    with pytest.raises(ValueError, match=f"{says}.*allowed: "):
        replace(PLAN, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"weight": 0.0},
        {"r0": 0.9},
        {"r1": 1.1},
        {"phi": 0.5},
        {"rise": 1.0},
        {"harm": -1.0},
        {"p0": 0.0},
    ],
)
def test_a_metric_that_makes_no_sense_is_refused_by_its_name(change):
    with pytest.raises(ValueError, match=r"errors: .*allowed: "):
        replace(Metric("errors"), **change)


def test_harm_is_what_the_first_metric_counts_unless_the_plan_says_otherwise():
    plan = Plan((Metric("errors"), Metric("slow"), Metric("lost", harm=5.0)), ("gcp",))

    assert [plan.harm_of(each) for each in plan.metrics] == [1.0, 0.0, 5.0]


@pytest.mark.parametrize(
    ("ratio", "events"), [(1.25, 159), (1.5, 43), (2, 12), (3, 3.6), (5, 1.1), (10, 0.33)]
)
def test_the_baseline_events_that_a_ratio_takes_are_those_of_the_formula(ratio, events):
    assert required(0.001, ratio, PLAN) * 0.001 == pytest.approx(events, rel=0.06)


def test_a_doubling_at_half_a_percent_takes_2400_canary_requests():
    assert required(0.005, 2, PLAN) == pytest.approx(2400, rel=0.01)


def test_a_doubling_of_rare_errors_cannot_be_seen_in_an_hour_of_little_traffic():
    half_of_an_hour_at_5_rps = 0.5 * 5 * 3600

    assert visible_ratio(0.001, half_of_an_hour_at_5_rps, PLAN) > 2


@pytest.mark.parametrize("p0", [0.0005, 0.005, 0.2])
@pytest.mark.parametrize("requests", [500, 10_000, 1_000_000])
def test_the_smallest_visible_ratio_is_one_that_so_many_requests_show(p0, requests):
    ratio = visible_ratio(p0, requests, PLAN)

    assert ratio is not None
    assert required(p0, ratio, PLAN) <= requests
    assert required(p0, 1 + (ratio - 1) * 0.999, PLAN) >= requests


def test_nothing_is_visible_in_a_handful_of_requests():
    assert visible_ratio(0.005, 0, PLAN) is None
    assert visible_ratio(0.5, 3, PLAN) is None


@pytest.mark.parametrize(("p0", "ratio"), [(0.0, 2), (1.0, 2), (0.1, 1.0)])
def test_figures_without_an_answer_are_refused(p0, ratio):
    with pytest.raises(ValueError, match="must be between"):
        required(p0, ratio, PLAN)


def test_what_is_bad_is_a_rise_in_points_where_errors_are_rare_and_a_ratio_where_they_are_not():
    assert bad_ratio(0.005) == pytest.approx(2)
    assert bad_ratio(0.1) == 1.5
    assert math.isclose(bad_ratio(0.001), 6)
