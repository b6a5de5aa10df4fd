"""Gauges: memory, queues and the like."""

import json
import random

import pytest

from crossfade.base.codec import from_json, to_json
from crossfade.core.analysis.gauges import (
    Assessed,
    Finding,
    Gauge,
    GaugeState,
    advised,
    assess,
    measured,
    ratio,
)
from crossfade.core.analysis.verdict import Action, Verdict


def after(minutes, times=1.0, noise=0.02, seed=1):
    rng, state = random.Random(seed), GaugeState()  # noqa: S311 - a simulation
    for minute in range(minutes + 1):
        stable = 100 * (1 + noise * rng.random())
        canary = 100 * times * (1 + noise * rng.random())
        state = measured(state, "gcp", 60.0 * minute, canary, stable)
    return state


def test_less_than_half_an_hour_says_nothing():
    assert assess(Gauge("memory"), after(29)).finding is Finding.UNKNOWN


@pytest.mark.parametrize(
    ("times", "finding"), [(1.0, Finding.FINE), (0.5, Finding.FINE), (1.6, Finding.WORSE)]
)
def test_a_canary_that_needs_more_is_told_from_one_that_does_not(times, finding):
    assert assess(Gauge("memory"), after(60, times)).finding is finding


def test_a_gauge_that_jumps_about_is_not_clear():
    assert assess(Gauge("queue"), after(35, 1.2, noise=3.0)).finding is Finding.UNCLEAR


def test_clusters_are_compared_with_themselves():
    state = GaugeState()
    for minute in range(41):
        state = measured(state, "big", 60.0 * minute, 1000, 1000)
        state = measured(state, "small", 60.0 * minute, 10, 10)

    assert ratio(state, 0.01) == pytest.approx((1, 1))


def test_a_gauge_at_zero_says_nothing_instead_of_breaking():
    state = GaugeState()
    for minute in range(61):
        state = measured(state, "gcp", 60.0 * minute, 0, 5)

    assert state.blocks == 0


def test_the_range_is_wrong_at_any_look_about_as_seldom_as_was_accepted():
    misses = 0
    for seed in range(100):
        rng, state = random.Random(seed), GaugeState()  # noqa: S311 - a simulation
        for block in range(60):
            value = rng.lognormvariate(0, 0.2)
            state = measured(state, "gcp", 300.0 * block, value, 1.0)
            found = ratio(state, 0.05)
            if found and not found[0] <= 1 <= found[1]:
                misses += 1
                break

    assert misses <= 8


def test_the_state_is_kept_as_json():
    state = after(47)

    assert from_json(GaugeState, json.loads(json.dumps(to_json(state)))) == state


def verdict(action):
    return Verdict(action, 0.2, 0.5, 1.0, reason="from the counts")


WORSE = Assessed(Gauge("memory"), Finding.WORSE, (1.4, 1.9))
CRITICAL = Assessed(Gauge("memory", critical=True), Finding.WORSE, (1.4, 1.9))
UNKNOWN = Assessed(Gauge("memory", critical=True), Finding.UNKNOWN, None)
FINE = Assessed(Gauge("memory", critical=True), Finding.FINE, (0.9, 1.1))


@pytest.mark.parametrize(
    ("before", "gauge", "action"),
    [
        pytest.param(Action.ADVANCE, WORSE, Action.HOLD, id="advice-holds"),
        pytest.param(Action.PROMOTE, WORSE, Action.HOLD, id="advice-holds-promotion"),
        pytest.param(Action.ROLLBACK, WORSE, Action.ROLLBACK, id="counts-come-first"),
        pytest.param(Action.ADVANCE, CRITICAL, Action.ROLLBACK, id="critical-rolls-back"),
        pytest.param(Action.HOLD, CRITICAL, Action.ROLLBACK, id="critical-rolls-back-a-hold"),
        pytest.param(Action.PROMOTE, UNKNOWN, Action.HOLD, id="silence-does-not-promote"),
        pytest.param(Action.ADVANCE, UNKNOWN, Action.ADVANCE, id="silence-does-not-stop"),
        pytest.param(Action.PROMOTE, FINE, Action.PROMOTE, id="fine-is-fine"),
    ],
)
def test_what_a_gauge_may_do(before, gauge, action):
    found = advised(verdict(before), 0.1, [gauge])

    assert found.action is action
    assert found.weight <= 0.2


def test_a_gauge_that_holds_keeps_users_where_they_are_and_says_why():
    found = advised(verdict(Action.ADVANCE), 0.1, [WORSE])

    assert found.weight == 0.1
    assert found.reason == "memory is at least 1.40 times stable's, 1.25 is tolerated"
