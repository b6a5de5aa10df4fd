"""
How many requests per second users ask for, from what edges count.  Pure.

The highest of the last minute, rounded up: a plan that follows each second up and down would move
users for nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

KEEP_SECONDS = 60.0
STEP = 1.1
"""Demand is told in steps of a tenth."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What was counted lately."""

    heard: Mapping[str, float] = field(default_factory=dict)
    """When each edge reported last."""
    rates: tuple[tuple[float, str, float], ...] = ()
    """Time, edge, and requests per second, oldest first."""


def counted(demand: Demand, edge: str, requests: int, at: float) -> Demand:
    """Return the demand after one more report of an edge; the first one begins nowhere."""
    before = demand.heard.get(edge)
    heard = {**demand.heard, edge: at}
    if before is None or at <= before:
        return Demand(heard, demand.rates)
    kept = tuple(each for each in demand.rates if at - each[0] < KEEP_SECONDS)
    return Demand(heard, (*kept, (at, edge, requests / (at - before))))


def demand_of(demand: Demand, now: float) -> int | None:
    """Return requests per second of all users, None when no edge has counted any lately."""
    highest: dict[str, float] = {}
    for at, edge, rate in demand.rates:
        if now - at < KEEP_SECONDS:
            highest[edge] = max(highest.get(edge, 0.0), rate)
    total = sum(highest.values())
    if total <= 0:
        return None
    return math.ceil(STEP ** math.ceil(round(math.log(max(total, 1.0), STEP), 9)))
