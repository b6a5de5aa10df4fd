"""Dispersion from replays of versions that were fine."""

import math
import random
from dataclasses import replace

import pytest

from crossfade.core.analysis.calibration import (
    LEAST_REPLAYS,
    PHIS,
    PodWindow,
    calibrated,
    crosses,
    highest_rate,
    is_shown,
    kinds,
    replays_needed,
    split,
    stretches,
)
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan

PLAN = Plan((Metric("errors"),), ("gcp",))


def pods(count=20, ticks=3):
    return [
        PodWindow(tick, "gcp", f"pod-{number}", 100, {"errors": number % 3})
        for tick in range(ticks)
        for number in range(count)
    ]


def test_pods_of_stable_are_dealt_to_both_sides_and_nothing_is_lost():
    dealt = split(pods(), 1)

    assert [each.id for each in dealt] == [0, 1, 2]
    assert all(each.n_c + each.n_s == 2000 for each in dealt)
    assert all(sum(each.events["errors"]) == 19 for each in dealt)
    assert 0 < dealt[0].n_c < 2000


def test_a_pod_is_on_one_side_for_the_whole_replay():
    assert len({each.n_c for each in split(pods(), 1)}) == 1


def test_the_same_seed_deals_the_same_and_another_one_differently():
    assert split(pods(), 1) == split(pods(), 1)
    assert len({split(pods(), seed)[0].n_c for seed in range(20)}) > 3


def test_about_the_share_that_was_asked_for_plays_the_canary():
    mean = sum(split(pods(), seed, share=0.2)[0].n_c for seed in range(200)) / 200

    assert mean == pytest.approx(400, rel=0.1)


def replays(arm_noise, count=320, ticks=29):
    """Healthy canaries whose error rate differs from stable's by chance, per run."""
    rng = random.Random(5)  # noqa: S311 - a simulation
    found = []
    for _ in range(count):
        times = math.exp(rng.gauss(0, arm_noise))
        found.append(
            [
                Window(
                    n, "gcp", 500, 4500, {"errors": (min(500, int(5 * times + rng.random())), 45)}
                )
                for n in range(1, ticks + 1)
            ]
        )
    return found


def test_a_service_whose_arms_do_not_differ_needs_no_dispersion():
    found = calibrated(PLAN, replays(0.0, ticks=9))

    assert (found.phi, found.crossings[1.0], found.trusted) == (1.0, 0, True)


def test_a_service_whose_arms_differ_by_themselves_is_judged_more_slowly():
    found = calibrated(PLAN, replays(0.2))

    assert found.phi > 1
    assert found.trusted
    assert found.crossings[found.phi] < found.crossings[1.0]
    assert found.risk <= PLAN.alpha


TWO = Plan((Metric("errors"), Metric("slow_250ms", 0.5), Metric("slow_500ms", 0.5)), ("gcp",))


def with_latency(records, other):
    """The records with latency that has the events of the other records' errors."""
    return [
        [
            replace(one, events={**one.events, **dict.fromkeys(("slow_250ms", "slow_500ms"), pair)})
            for one, pair in zip(mine, (each.events["errors"] for each in theirs), strict=True)
        ]
        for mine, theirs in zip(records, other, strict=True)
    ]


def test_all_edges_of_latency_are_of_one_kind_and_anything_else_is_of_its_own():
    plan = Plan(tuple(Metric(each) for each in ("slower-9ms", "errors", "slow_x", "cold")), ("a",))

    assert kinds(plan) == (("errors",), ("cold",), ("slower-9ms", "slow_x"))


def test_only_the_metrics_that_differ_by_themselves_are_judged_more_slowly():
    even, uneven = replays(0.0, 640), replays(0.2, 640)

    errors = calibrated(TWO, with_latency(uneven, even))
    latency = calibrated(TWO, with_latency(even, uneven))

    assert (errors.metrics, errors.trusted) == (("errors",), True)
    assert (latency.metrics, latency.trusted) == (("slow_250ms", "slow_500ms"), True)
    assert min(errors.phi, latency.phi) > 1


def test_where_errors_and_latency_differ_by_themselves_both_are_judged_more_slowly():
    both = calibrated(TWO, with_latency(replays(0.2, 640), reversed(replays(0.2, 640))))

    assert both.metrics == ("errors", "slow_250ms", "slow_500ms")
    assert both.phi > 1


def test_three_ways_that_may_be_lucky_each_have_to_show_more():
    fine = with_latency(replays(0.0, 407, ticks=2), replays(0.0, 407, ticks=2))
    short, enough = calibrated(TWO, fine), calibrated(TWO, [*fine, fine[0]])

    assert (short.trusted, short.needed) == (False, 408)
    assert (enough.trusted, enough.phi) == (True, 1.0)
    assert enough.risk <= TWO.alpha


@pytest.mark.parametrize("count", [0, 50, 100, 298])
def test_replays_that_are_too_few_are_not_trusted_though_none_of_them_crosses(count):
    found = calibrated(PLAN, replays(0.0, count, ticks=2))

    assert (found.phi, found.trusted, found.needed) == (1.0, False, 299)


def test_a_dispersion_that_kept_the_risk_by_luck_is_passed_over():
    """Two crossings in 320 are a rate below 1 %, and as likely as not where the rate is above."""
    bad = [Window(n, "gcp", 500, 4500, {"errors": (40, 45)}) for n in range(1, 6)]
    mild = [Window(n, "gcp", 500, 4500, {"errors": (10, 45)}) for n in range(1, 10)]
    record = [bad] + [mild] * 2 + replays(0.0, 640, ticks=2)

    found = calibrated(PLAN, record)

    assert found.crossings[1.0] == 3
    assert 1.0 < found.phi < 4.0
    assert found.trusted


@pytest.mark.parametrize(
    ("crossed", "alpha", "needed"),
    [(0, 0.01, 299), (1, 0.01, 473), (2, 0.01, 628), (0, 0.05, 100), (5, 0.05, 208)],
)
def test_so_many_replays_show_a_risk_and_one_less_does_not(crossed, alpha, needed):
    assert replays_needed(crossed, alpha) == needed
    assert is_shown(crossed, needed, alpha)
    assert needed == LEAST_REPLAYS or not is_shown(crossed, needed - 1, alpha)


@pytest.mark.parametrize(
    ("crossed", "replays", "rate"),
    [
        (0, 299, 0.00997),
        (0, 10, 0.2589),
        (3, 1000, 0.00774),
        (1, 2, 0.9747),
        (5, 5, 1.0),
        (0, 0, 1),
    ],
)
def test_the_upper_end_of_a_rate_is_that_of_clopper_and_pearson(crossed, replays, rate):
    assert highest_rate(crossed, replays) == pytest.approx(rate, abs=5e-5)


def test_a_rate_is_above_its_upper_end_in_one_of_twenty_experiments_at_most():
    """All outcomes of 60 replays, each with its probability, for several true rates."""
    for rate in (0.001, 0.01, 0.03, 0.2):
        missed = sum(
            math.comb(60, k) * rate**k * (1 - rate) ** (60 - k)
            for k in range(61)
            if highest_rate(k, 60) < rate
        )
        assert missed <= 0.05 + 1e-9


def test_a_long_record_is_cut_into_replays_and_what_is_left_over_is_not_judged():
    record = [Window(n, name, 5, 5, {}) for n in range(3, 28) for name in ("gcp", "aws")]

    pieces = stretches(record, 10)

    assert [(piece[0].id, piece[-1].id, len(piece)) for piece in pieces] == [
        (3, 12, 20),
        (13, 22, 20),
    ]


def test_rollouts_that_are_written_one_after_the_other_are_replays_of_their_own():
    one = [Window(n, name, 5, 5, {}) for n in range(1, 6) for name in ("gcp", "aws")]
    other = [Window(n, name, 5, 5, {}) for name in ("gcp", "aws") for n in range(1, 8)]

    assert stretches([*one, *other], 40) == (tuple(one), tuple(other))


def test_a_record_without_windows_has_no_replays():
    assert stretches([], 40) == ()


def test_where_no_dispersion_helps_nobody_is_told_that_one_does():
    found = calibrated(PLAN, replays(2.0))

    assert (found.phi, found.trusted, found.needed) == (PHIS[-1], False, 0)


def test_crossing_counts_at_any_look_not_only_at_the_last():
    bad = [Window(n, "gcp", 500, 4500, {"errors": (40, 45)}) for n in range(1, 6)]
    good = [Window(n, "gcp", 500, 4500, {"errors": (0, 45)}) for n in range(6, 200)]

    assert crosses(PLAN, [*bad, *good])
    assert not crosses(replace(PLAN, metrics=(Metric("errors", phi=1000.0),)), bad)
