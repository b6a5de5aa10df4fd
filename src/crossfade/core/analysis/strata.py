"""Evidence on one metric in one cluster: each cluster is its own control."""

import math
from dataclasses import dataclass
from functools import lru_cache

from crossfade.core.analysis.confidence import LOG_RATIOS, RATIOS, log_mean_exp, most_events
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan

_ALONE = 10
"""So many canary requests, and none of stable, are no chance: all users have the canary."""
_WRONG_BOUND = 0.001
"""Accepted probability that stable's share was ever above what is taken for its bound."""
_KEPT = 0.75
"""How much of what is recent is still so a window later."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """What is known of one metric in one cluster."""

    worse: tuple[float, ...]
    """Log of the evidence for each alternative against the tolerated ratio."""
    log_e: float = 0.0
    """Log of their mean: the evidence that the canary is worse."""
    safe: float = 0.0
    """Log of the evidence that the ratio is below `r1`."""
    excess: float = 0.0
    """Events on the canary above those that stable's share of the same window explains."""
    n_c: int = 0
    n_s: int = 0
    x_c: int = 0
    x_s: int = 0
    recent_n_s: float = 0.0
    """Stable's requests of the last few windows, fading."""
    recent_x_s: float = 0.0
    last_s: float | None = None
    """When the metric was measured here last; None: never."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """Logs that all metrics of a window share: they depend on the requests alone."""

    worse: tuple[tuple[float, ...], ...]
    """For each metric and alternative, log((n_c r + n_s) / (n_c r0 + n_s))."""
    curve: tuple[float, ...]
    """For each of RATIOS, log((n_c r + n_s) / (n_c + n_s))."""


def mixed(plan: Plan, n_c: int, n_s: int) -> Mixed:
    """Return the logs for a window with these requests, at least one."""
    tolerances = {each.r0 for each in plan.metrics}
    rows = {}
    for tolerated in tolerances:
        base = n_c * tolerated + n_s
        rows[tolerated] = tuple([math.log((n_c * r + n_s) / base) for r in plan.alternatives])
    total = n_c + n_s
    curve = tuple([math.log((n_c * ratio + n_s) / total) for ratio in RATIOS])
    return Mixed(tuple(rows[each.r0] for each in plan.metrics), curve)


def log_growth(ratio: float, against: float, n: tuple[int, int], x: tuple[int, int]) -> float:
    """
    Return the log of the evidence of one window for `ratio` against the ratio `against`.

    Args:
        ratio: the alternative, canary's rate divided by stable's.
        against: the null, in the same unit.
        n: requests of canary and stable.
        x: events of canary and stable.

    The likelihood ratio of the canary's share of the events, given how many there were.  What the
    rate was, and how it moves, cancels.
    """
    if not x[0] + x[1]:
        return 0.0
    share = math.log((n[0] * ratio + n[1]) / (n[0] * against + n[1]))
    return x[0] * math.log(ratio / against) - (x[0] + x[1]) * share


def grown(before: Stratum, plan: Plan, index: int, window: Window, logs: Mixed | None) -> Stratum:
    """
    Return the stratum of the plan's metric number `index` with one more window.

    `logs` are those of the window; None for one without requests.
    """
    metric = plan.metrics[index]
    measured = window.events.get(metric.name)
    if measured is None:
        return before
    x_c, x_s = measured
    worse, log_e, safe, excess = before.worse, before.log_e, before.safe, before.excess
    if before.n_s and not window.n_s and window.n_c >= _ALONE:
        worse = _worse_than_before(before, plan, metric, (window.n_c, x_c))
        log_e = log_mean_exp(worse)
        excess += _excess(before, metric, window, measured)
    elif logs and (x_c or x_s):
        worse = _worse(before.worse, plan, metric, measured, logs.worse[index])
        log_e = log_mean_exp(worse)
        safe += log_growth(1.0, metric.r1, (window.n_c, window.n_s), measured) / metric.phi
        excess += _excess(before, metric, window, measured)
    return Stratum(
        worse,
        log_e,
        safe,
        excess,
        before.n_c + window.n_c,
        before.n_s + window.n_s,
        before.x_c + x_c,
        before.x_s + x_s,
        before.recent_n_s * _KEPT + window.n_s,
        before.recent_x_s * _KEPT + x_s,
        window.ends_at(plan.tick_s),
    )


def _excess(before: Stratum, metric: Metric, window: Window, measured: tuple[int, int]) -> float:
    """Return the canary's events that stable would not have had; 0 with nothing to compare to."""
    x_c, x_s = measured
    if window.n_s:
        return x_c - window.n_c * x_s / window.n_s
    if before.n_s:
        return x_c - window.n_c * before.x_s / before.n_s
    return x_c - window.n_c * metric.p0 if metric.p0 else 0.0


def _worse(
    before: tuple[float, ...],
    plan: Plan,
    metric: Metric,
    measured: tuple[int, int],
    shares: tuple[float, ...],
) -> tuple[float, ...]:
    own, both = measured[0] / metric.phi, (measured[0] + measured[1]) / metric.phi
    logs = _log_ratios(plan.alternatives, metric.r0)
    if plan.cap is None:
        steps = zip(before, logs, shares, strict=True)
        return tuple([old + own * log - both * share for old, log, share in steps])
    most = math.log(plan.cap)
    steps = zip(before, logs, shares, strict=True)
    return tuple([old + min(own * log - both * share, most) for old, log, share in steps])


def _worse_than_before(
    before: Stratum, plan: Plan, metric: Metric, counted: tuple[int, int]
) -> tuple[float, ...]:
    """
    Return the evidence with a window in which all users had the canary.

    Stable can only be what it was before.  That is bounded from above, and as it was at another
    time, not the tolerance but what must not be promoted is the null: a share of `r1` times that
    bound, and of `rise`.  Above it each request is a coin whose bias is known at most.
    """
    usual = most_events(before.x_s, _WRONG_BOUND) / before.n_s
    tolerated = max(metric.r1 * usual, metric.rise)
    if tolerated >= 1:
        return before.worse
    n_c, x_c = counted
    found = []
    for old, ratio in zip(before.worse, plan.alternatives, strict=True):
        share = min(tolerated * ratio, (1 + tolerated) / 2)
        grown_by = x_c * math.log(share / tolerated)
        grown_by += (n_c - x_c) * math.log((1 - share) / (1 - tolerated))
        most = math.inf if plan.cap is None else math.log(plan.cap)
        found.append(old + min(grown_by / metric.phi, most))
    return tuple(found)


@lru_cache(maxsize=256)
def _log_ratios(alternatives: tuple[float, ...], tolerated: float) -> tuple[float, ...]:
    return tuple(math.log(each / tolerated) for each in alternatives)


def bent(
    curve: tuple[float, ...], metric: Metric, measured: tuple[int, int], logs: Mixed
) -> tuple[float, ...]:
    """Return the log likelihood of each of RATIOS with one more window."""
    x_c, x_s = measured
    if not (x_c or x_s):
        return curve
    own, both = x_c / metric.phi, (x_c + x_s) / metric.phi
    steps = zip(curve, LOG_RATIOS, logs.curve, strict=True)
    return tuple([old + own * log - both * share for old, log, share in steps])
