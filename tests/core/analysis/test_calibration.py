"""Dispersion from replays of versions that were fine."""

import math
import random
from dataclasses import replace

import pytest

from crossfade.core.analysis.calibration import PHIS, PodWindow, calibrated, crosses, split
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


def replays(arm_noise, count=120):
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
                for n in range(1, 30)
            ]
        )
    return found


def test_a_service_whose_arms_do_not_differ_needs_no_dispersion():
    found = calibrated(PLAN, replays(0.0))

    assert (found.phi, found.crossings[1.0], found.trusted) == (1.0, 0, True)


def test_a_service_whose_arms_differ_by_themselves_is_judged_more_slowly():
    found = calibrated(PLAN, replays(0.3))

    assert found.phi > 1
    assert found.trusted
    assert found.crossings[found.phi] <= 1.2 < found.crossings[1.0]


def test_fewer_than_a_hundred_replays_are_not_trusted():
    assert not calibrated(PLAN, replays(0.0, count=50)).trusted
    assert not calibrated(PLAN, []).trusted


def test_where_no_dispersion_helps_nobody_is_told_that_one_does():
    found = calibrated(PLAN, replays(2.0))

    assert (found.phi, found.trusted) == (PHIS[-1], False)


def test_crossing_counts_at_any_look_not_only_at_the_last():
    bad = [Window(n, "gcp", 500, 4500, {"errors": (40, 45)}) for n in range(1, 6)]
    good = [Window(n, "gcp", 500, 4500, {"errors": (0, 45)}) for n in range(6, 200)]

    assert crosses(PLAN, [*bad, *good])
    assert not crosses(replace(PLAN, metrics=(Metric("errors", phi=1000.0),)), bad)
