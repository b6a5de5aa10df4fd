"""
How far one sample lies above another: the Mann-Whitney interval, as Kayenta works it out.

The interval and the Hodges-Lehmann estimate are roots of the standardised rank sum, found by
Brent's method with a tolerance of 1e-4 on the shift.  The tolerance is absolute, so shifts of
samples that are themselves that small are not seen; it is kept, because results have to agree with
Kayenta's (and with R's `wilcox.test`, whose normal approximation and tolerance it takes over).
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import NormalDist

TOLERANCE = 1e-4
_LOOKS = 1000


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much `x` lies above `y`."""

    low: float
    high: float
    """Both ends of the two-sided confidence interval."""
    estimate: float
    """The Hodges-Lehmann estimate: the median difference of a value of each."""


def shift(x: Sequence[float], y: Sequence[float], confidence: float = 0.95) -> Shift:
    """
    Return the shift between two samples that are not empty, all values finite.

    Raises:
        ValueError: when all values are tied at some shift, as with one value each.
    """
    if len(x) == len(y) == 1:
        raise ValueError("one value each cannot be compared")
    least, most = min(x) - max(y), max(x) - min(y)

    def root(quantile: float, *, guarded: bool = True) -> float:
        def excess(mu: float) -> float:
            return standardised(x, y, mu) - quantile

        at_least, at_most = excess(least), excess(most)
        if guarded and at_least <= 0:
            return least
        if guarded and at_most >= 0:
            return most
        return brent(excess, least, most, at_least, at_most)

    quantile = NormalDist().inv_cdf((1.0 - confidence) / 2)
    return Shift(root(-quantile), root(quantile), root(0.0, guarded=False))


def standardised(x: Sequence[float], y: Sequence[float], mu: float = 0.0) -> float:
    """
    Return the rank sum of `x - mu` among both, less its mean, over its standard deviation.

    Normal approximation with corrections for ties and for continuity.

    Raises:
        ValueError: when all values are tied.
    """
    m, n = len(x), len(y)
    ranked, ties = ranks([*(value - mu for value in x), *y])
    excess = math.fsum(ranked[:m]) - m * (m + 1) / 2 - m * n / 2
    spread = (m + n + 1) - ties / ((m + n) * (m + n - 1))
    sigma = math.sqrt(m * n / 12 * spread)
    if sigma == 0:
        raise ValueError("all observations are tied")
    continuity = math.copysign(0.5, excess) if excess else 0.0
    return (excess - continuity) / sigma


def ranks(values: Sequence[float]) -> tuple[list[float], float]:
    """Return the rank of each value from 1, ties with their mean, and the sum of t³ - t of ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    ties, before = 0.0, 0
    for _, group in groupby(order, key=values.__getitem__):
        same = list(group)
        count = len(same)
        for index in same:
            found[index] = before + (count + 1) / 2
        ties += count**3 - count
        before += count
    return found, ties


def brent(
    f: Callable[[float], float], low: float, high: float, at_low: float, at_high: float
) -> float:
    """
    Return where `f` changes its sign between two ends whose values are given.

    Source: R. P. Brent, Algorithms for Minimization without Derivatives (1973), chapter 4.
    """
    if at_low == 0:
        return low
    if at_high == 0:
        return high
    # b is the best guess, a the one before, c the end on the other side of the root.
    a, fa, b, fb = low, at_low, high, at_high
    c, fc = a, fa
    for _ in range(_LOOKS):
        previous = b - a
        if abs(fc) < abs(fb):
            a, fa, b, fb, c, fc = b, fb, c, fc, b, fb
        near = 2 * sys.float_info.epsilon * abs(b) + TOLERANCE / 2
        step = (c - b) / 2
        if abs(step) <= near or fb == 0:
            return b
        if abs(previous) >= near and abs(fa) > abs(fb):
            step = _interpolated((a, fa), (b, fb), (c, fc), (previous, near, step))
        if abs(step) < near:
            step = math.copysign(near, step) if step else -near
        a, fa = b, fb
        b += step
        fb = f(b)
        if fb * fc > 0:
            c, fc = a, fa
    return b


def _interpolated(
    previous: tuple[float, float],
    best: tuple[float, float],
    other: tuple[float, float],
    fallback: tuple[float, float, float],
) -> float:
    """Return the step to where a line or a parabola is zero, or half of the way if that is far."""
    (a, fa), (b, fb), (c, fc) = previous, best, other
    last, near, half = fallback
    width = c - b
    if a == c:
        p, q = width * (fb / fa), 1.0 - fb / fa
    else:
        u, v, w = fa / fc, fb / fc, fb / fa
        p = w * (width * u * (u - v) - (b - a) * (v - 1.0))
        q = (u - 1.0) * (v - 1.0) * (w - 1.0)
    if p > 0.0:
        q = -q
    else:
        p = -p
    fits = p < 0.75 * width * q - abs(near * q) / 2 and p < abs(last * q / 2)
    return p / q if fits else half


def probability_above(x: Sequence[float], y: Sequence[float]) -> float:
    """Return how probably a value of `x` is above one of `y`, ties counting half (CLES)."""
    m, n = len(x), len(y)
    ranked, _ = ranks([*x, *y])
    return (2 * math.fsum(ranked[:m]) - m * (m + 1)) / (2 * n * m)
