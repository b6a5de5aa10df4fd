"""
The risk-budget ramp: as many users on the canary as the budget of harmed requests allows.

The bound on the harm falls as the canary proves itself, so the ramp is slow while little is known
and fast afterwards.  The guarantee is derived in docs/math/sequential-judge.md.
"""

import math

from crossfade.core.analysis.confidence import interval, most_events
from crossfade.core.analysis.plan import Metric, Plan
from crossfade.core.analysis.sequential import State, strata_of

ALPHA = 0.01
"""Accepted probability that the bound on the harm is ever wrong; its two halves share it."""

_LEAST_EXCESS = 1e-4
"""No canary is believed to be better than this: faults may also begin later."""


def harm(state: State, plan: Plan) -> float:
    """
    Return how many requests the canary has harmed that stable would not have.

    Each window counts against what stable did in it, so an incident that hits both is not charged
    to the canary.
    """
    return math.fsum(
        weight * max(0.0, math.fsum(each.excess for each in strata_of(state, plan, metric)))
        for metric in plan.metrics
        if (weight := plan.harm_of(metric))
    )


def excess_bound(state: State, plan: Plan) -> float:
    """Return which share of the canary's requests may be harmed at most; 1 before any data."""
    found = math.fsum(
        weight * _excess(state, plan, metric)
        for metric in plan.metrics
        if (weight := plan.harm_of(metric))
    )
    return min(1.0, max(_LEAST_EXCESS, found))


def _excess(state: State, plan: Plan, metric: Metric) -> float:
    strata = strata_of(state, plan, metric)
    n_c, n_s = sum(each.n_c for each in strata), sum(each.n_s for each in strata)
    if not n_c or not n_s:
        return 1.0
    x_c, x_s = sum(each.x_c for each in strata), sum(each.x_s for each in strata)
    # Without history stable's share is taken one event too high: it may have been luck.
    share = max(metric.p0, x_s / n_s) if metric.p0 else (x_s + 1) / (n_s + 1)
    by_count = most_events(x_c, ALPHA / 2) * metric.phi / n_c
    _, high = interval(state.curves[plan.metrics.index(metric)], ALPHA / 2)
    by_ratio = 1.0 if high is None else share * (high - 1)
    return max(0.0, min(1.0, by_count, by_ratio))


def next_weight(state: State, plan: Plan, rps: float, weight: float) -> float:
    """
    Return the share of users that the canary may have next, 0 to 1.

    Args:
        state: what is known.
        plan: budget, reaction time and limits.
        rps: requests per second of all users, canary's and stable's.
        weight: share that it has now; at most doubled.
    """
    left = max(0.0, plan.budget - harm(state, plan))
    allowed = plan.w_max
    at_stake = rps * plan.react_s * excess_bound(state, plan)
    if at_stake > 0:
        allowed = min(plan.w_max, max(plan.w_min, plan.kappa * left / at_stake))
    return min(allowed, max(2 * weight, plan.w_min) if weight > 0 else plan.w_start)


def carries_everybody(state: State, plan: Plan, rps: float) -> bool:
    """Say whether what is left of the budget would allow to give the canary all users now."""
    at_stake = rps * plan.react_s * excess_bound(state, plan)
    return plan.kappa * max(0.0, plan.budget - harm(state, plan)) >= at_stake
