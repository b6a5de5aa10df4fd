"""
Whole parts in proportion to weights, within limits.

Parts are dealt one by one to whoever is furthest below a fair share (Webster's divisor method).
Unlike rounding by largest remainders this never takes a part from one because another is gone:
whoever stays keeps at least what it had, so that no user moves without need.
"""

import heapq
import math
from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int], limits: Sequence[int]) -> tuple[int, ...]:
    """
    Return whole parts for each weight that sum to `total`, or to all that the limits allow.

    Args:
        total: parts to deal.
        weights: proportions; a weight of 0 gets nothing.
        limits: most parts that each may have.
    """
    limits = [
        max(0, limit) if weight > 0 else 0 for weight, limit in zip(weights, limits, strict=True)
    ]
    total = min(total, sum(limits))
    parts = _safe_start(total, weights, limits)
    # Who is next has the least (2 part + 1) / weight; with a common denominator that is whole.
    common = math.lcm(*(weight for weight in weights if weight > 0))
    queue = [
        ((2 * part + 1) * (common // weights[i]), i)
        for i, part in enumerate(parts)
        if part < limits[i]
    ]
    heapq.heapify(queue)
    for _ in range(total - sum(parts)):
        _, i = heapq.heappop(queue)
        parts[i] += 1
        if parts[i] < limits[i]:
            heapq.heappush(queue, ((2 * parts[i] + 1) * (common // weights[i]), i))
    return tuple(parts)


def _safe_start(total: int, weights: Sequence[int], limits: Sequence[int]) -> list[int]:
    """Return parts that dealing one by one would surely reach, so that few are left to deal."""
    parts = [0] * len(weights)
    open_, left = [i for i, limit in enumerate(limits) if limit > 0], total
    while open_:
        spare = left - len(open_)
        if spare <= 0:
            break
        every = sum(weights[i] for i in open_)
        fair = {i: (2 * weights[i] * spare + every) // (2 * every) for i in open_}
        full = {i for i in open_ if fair[i] >= limits[i]}
        if not full:
            for i in open_:
                parts[i] = fair[i]
            break
        for i in full:
            parts[i] = limits[i]
            left -= limits[i]
        open_ = [i for i in open_ if i not in full]
    return parts
