"""Between which ratios of event rates, canary to stable, the truth lies: valid at every look."""

import math
from collections.abc import Sequence
from typing import TypeAlias

LOWEST, HIGHEST, POINTS = 0.25, 2000.0, 46

_STEP = math.log(HIGHEST / LOWEST) / (POINTS - 1)
LOG_RATIOS = tuple(math.log(LOWEST) + _STEP * index for index in range(POINTS))
RATIOS = tuple(math.exp(each) for each in LOG_RATIOS)
"""The ratios whose likelihood is followed."""

Interval: TypeAlias = tuple[float, float | None]
"""Lower and upper end of a ratio; None: there is no upper end yet."""

EVERYTHING: Interval = (0.0, None)

_SLOPES = (0.25, 0.5, 1.0, 2.0, 4.0)


def log_mean_exp(logs: Sequence[float]) -> float:
    """Return the log of the mean of e to each of the logs, also where e to them overflows."""
    most = max(logs)
    return most + math.log(sum([math.exp(each - most) for each in logs]) / len(logs))


def interval(curve: tuple[float, ...], alpha: float) -> Interval:
    """
    Return a range that holds the true ratio at all looks at once with probability 1 - alpha.

    Args:
        curve: log likelihood of each of RATIOS, up to one constant.
        alpha: accepted probability that the truth is ever outside.

    All ratios whose likelihood is not `1 / alpha` times below the mean over the grid (Robbins'
    mixture).  The curve is concave in the log of the ratio, so beyond the last grid point inside
    it lies below the line through the last two: the ends are never too near.
    """
    least = log_mean_exp(curve) - math.log(1 / alpha)
    inside = [index for index, value in enumerate(curve) if value > least]
    first, last = inside[0], inside[-1]
    low = _end(curve, first, -1, least) if first > 0 else None
    high = _end(curve, last, +1, least) if last < POINTS - 1 else None
    return (0.0 if low is None else math.exp(low), None if high is None else math.exp(high))


def _end(curve: tuple[float, ...], inside: int, step: int, least: float) -> float:
    """Return the log ratio where the line through the last two points inside meets `least`."""
    beyond = LOG_RATIOS[inside + step]
    behind = inside - step
    if not 0 <= behind < POINTS or curve[behind] <= curve[inside]:
        return beyond
    fall = (curve[behind] - curve[inside]) / _STEP
    met = LOG_RATIOS[inside] + step * (curve[inside] - least) / fall
    return min(beyond, met) if step > 0 else max(beyond, met)


def most_events(seen: int, alpha: float) -> float:
    """
    Return how many events were to be expected at most, at all looks at once.

    Args:
        seen: events that were counted; each request has a probability of its own.
        alpha: accepted probability that more were ever to be expected than is said here.

    For each s, exp(-s * seen + (1 - e^-s) * expected) is never expected to grow, so it ever
    exceeds 1 / alpha with a probability of at most alpha; five values of s share alpha.
    """
    log = math.log(len(_SLOPES) / alpha)
    return min((log + slope * seen) / (1 - math.exp(-slope)) for slope in _SLOPES)
