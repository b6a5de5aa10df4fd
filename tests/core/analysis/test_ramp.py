"""The risk-budget ramp: few users while little is known, many once the canary has proven itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan
from crossfade.core.analysis.ramp import carries_everybody, excess_bound, harm, next_weight
from crossfade.core.analysis.sequential import State, all_of

PLAN = Plan((Metric("errors"), Metric("slow")), ("aws", "gcp"))
START = State(0.0)


def after(*counts):
    windows = (
        Window(number, "gcp", *n, {"errors": x, "slow": (0, 0)})
        for number, (n, x) in enumerate(counts, 1)
    )
    return all_of(START, PLAN, windows)


HEALTHY = [((200, 1800), (1, 9))] * 30


def test_before_any_data_everything_might_fail():
    assert excess_bound(START, PLAN) == 1.0
    assert next_weight(START, PLAN, 1000, 0.0) == pytest.approx(150 / (1000 * 60))


def test_with_few_users_the_first_share_is_limited_all_the_same():
    assert next_weight(START, PLAN, 1, 0.0) == 0.10
    assert next_weight(START, PLAN, 0, 0.0) == 0.10


def test_even_a_huge_service_gives_the_canary_enough_to_learn_from():
    assert next_weight(START, PLAN, 1e6, 0.0) == PLAN.w_min


def test_a_share_at_most_doubles_and_has_an_end():
    state = after(*HEALTHY)

    assert next_weight(state, PLAN, 100, 0.02) == 0.04
    assert next_weight(state, PLAN, 100, 0.4) == PLAN.w_max


def test_what_a_canary_may_harm_falls_as_it_proves_itself():
    bounds = [excess_bound(after(*HEALTHY[:count]), PLAN) for count in (1, 5, 15, 30)]

    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < 0.006


def test_a_service_without_any_error_is_known_to_be_good_after_a_while():
    """Ratios say nothing without events; that none was seen in so many requests does."""
    assert excess_bound(after(*[((200, 1800), (0, 0))] * 30), PLAN) < 0.0015


def test_a_canary_is_never_believed_to_be_free_of_risk():
    state = after(*[((20_000, 180_000), (100, 900))] * 30)

    assert excess_bound(state, PLAN) >= 1e-4


def test_the_share_falls_when_the_canary_turns_bad():
    state = after(*HEALTHY, *[((200, 1800), (12, 9))] * 5)

    assert next_weight(state, PLAN, 400, 0.4) < 0.4


def test_harm_is_what_stable_would_not_have_done():
    assert harm(after(((200, 1800), (12, 18))), PLAN) == pytest.approx(10)


def test_an_incident_that_hits_both_arms_is_not_charged_to_the_canary():
    assert harm(after(((200, 1800), (160, 1440))), PLAN) == 0


def test_a_canary_that_is_better_than_stable_has_harmed_nobody():
    assert harm(after(((200, 1800), (0, 1800))), PLAN) == 0


def test_slow_requests_cost_the_budget_only_where_the_plan_says_so():
    window = Window(1, "gcp", 200, 1800, {"errors": (0, 0), "slow": (40, 0)})
    dear = replace(PLAN, metrics=(Metric("errors"), Metric("slow", harm=0.5)))

    assert harm(all_of(START, PLAN, [window]), PLAN) == 0
    assert harm(all_of(START, dear, [window]), dear) == pytest.approx(20)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=20),
    st.floats(0.1, 1e5),
    st.floats(0, 0.5),
)
def test_never_more_is_at_stake_than_half_of_what_is_left(events, rps, weight):
    state = after(*(((200, 1800), each) for each in events))
    share = next_weight(state, PLAN, rps, weight)
    at_stake = share * rps * PLAN.react_s * excess_bound(state, PLAN)
    left = max(0.0, PLAN.budget - harm(state, PLAN))

    assert share <= PLAN.w_min or at_stake <= PLAN.kappa * left + 1e-6
    assert 0 <= share <= PLAN.w_max


def test_all_users_fit_into_the_budget_only_when_little_can_go_wrong():
    assert not carries_everybody(START, PLAN, 100)
    assert carries_everybody(after(*HEALTHY), PLAN, 100)
    assert not carries_everybody(after(*HEALTHY), PLAN, 1e6)
