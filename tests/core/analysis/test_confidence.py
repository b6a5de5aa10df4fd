"""Ranges that hold the truth at all looks at once."""

import math
import random

import pytest

from crossfade.core.analysis.confidence import LOG_RATIOS, RATIOS, interval, most_events

FLAT = (0.0,) * len(RATIOS)


def curve_after(windows):
    curve = FLAT
    for (n_c, n_s), (x_c, x_s) in windows:
        shares = [math.log((n_c * ratio + n_s) / (n_c + n_s)) for ratio in RATIOS]
        curve = tuple(
            old + x_c * log - (x_c + x_s) * share
            for old, log, share in zip(curve, LOG_RATIOS, shares, strict=True)
        )
    return curve


def test_before_any_data_every_ratio_is_possible():
    assert interval(FLAT, 0.01) == (0.0, None)


def test_the_range_narrows_around_the_truth():
    few = interval(curve_after([((100, 900), (6, 27))]), 0.01)
    many = interval(curve_after([((10_000, 90_000), (600, 2700))]), 0.01)

    assert few[0] < many[0] < 2 < many[1] < few[1]
    assert many[1] / many[0] < 1.9  # the grid has steps of 22 %


def test_a_canary_that_fails_always_has_no_upper_end_that_would_comfort_anyone():
    low, high = interval(curve_after([((500, 9500), (500, 0))]), 0.01)

    assert low > 100
    assert high is None


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0])
def test_the_truth_is_outside_at_any_of_40_looks_no_more_often_than_was_accepted(ratio):
    rng, misses, alpha = random.Random(3), 0, 0.1  # noqa: S311 - a simulation
    for _ in range(150):
        curve = FLAT
        for _ in range(40):
            both = sum(rng.random() < 0.6 for _ in range(10))
            share = 0.2 * ratio / (0.2 * ratio + 0.8)
            x_c = sum(rng.random() < share for _ in range(both))
            step = curve_after([((200, 800), (x_c, both - x_c))])
            curve = tuple(map(sum, zip(curve, step, strict=True)))
            low, high = interval(curve, alpha)
            if not (low <= ratio and (high is None or ratio <= high)):
                misses += 1
                break

    assert misses <= 150 * alpha


def test_ends_are_never_nearer_than_the_exact_ones():
    """The grid is coarse; the exact ends are found on a fine one."""
    x, n = (12, 60), (1000, 9000)
    low, high = interval(curve_after([(n, x)]), 0.01)

    def at(log):
        ratio = math.exp(log)
        return x[0] * log - sum(x) * math.log((n[0] * ratio + n[1]) / sum(n))

    mean = math.log(sum(math.exp(at(each)) for each in LOG_RATIOS) / len(LOG_RATIOS))
    inside = [i / 1000 for i in range(-2000, 8000) if mean - at(i / 1000) < math.log(100)]

    assert low <= math.exp(inside[0])
    assert high >= math.exp(inside[-1])
    assert high <= math.exp(inside[-1]) * 1.23


def test_no_event_in_many_requests_bounds_their_share():
    assert most_events(0, 0.01) < 7
    assert most_events(100, 0.01) < 160


def test_more_events_are_expected_than_the_bound_no_more_often_than_was_accepted():
    rng, misses, alpha = random.Random(4), 0, 0.1  # noqa: S311 - a simulation
    for _ in range(400):
        seen = 0
        for look in range(1, 61):
            seen += rng.random() < 0.5
            if most_events(seen, alpha) < 0.5 * look:
                misses += 1
                break

    assert misses <= 400 * alpha
