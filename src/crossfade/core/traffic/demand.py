"""
How many requests per second users ask for, from what edges count.  Pure.

The highest of the last minute, rounded up: a plan that follows each second up and down would move
users for nothing.  It is the highest of all edges *together*: users who change the edge are the
same users.  Edges report each at its own time; so a report of one is taken together with the least
that each of the others counted in the reports that overlap it.  That is never more than there
were, unless an edge loses users and gets them back within two reports.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from crossfade.core.fleet.edges import FORGOTTEN_SECONDS

KEEP_SECONDS = 60.0
STEP = 1.1
"""Demand is told in steps of a tenth."""
RECENT_SECONDS = 10.0
"""How much of the past says what users ask for now."""
_BAND = 0.02
_STANDARD_ERRORS = 4.0
"""By less than this, or 2 %, requests of one rate differ from one time to another by chance."""


_TOGETHER_SECONDS = 4.0
"""After so many seconds each of the edges has said what it counted during a report of another."""
_INEXACT_SECONDS = 0.2
"""By so much the time at which a report arrives differs from that at which it was made."""

Rate = tuple[float, str, float, float]
"""Time of a report, edge, requests per second, and for how many seconds it had counted."""
Rates = tuple[Rate, ...]
Total = tuple[float, float]
"""Since when it is known, and requests per second of all edges together."""
_Timed = TypeVar("_Timed", Rate, Total)


@dataclass(frozen=True, slots=True)
class Unheard:
    """Users of edges that have fallen silent: edges serve without a hub, so they are there."""

    edges: frozenset[str] = frozenset()
    rate: float = 0.0
    """What these edges counted together when they were last heard."""
    beside: float = 0.0
    """What the others counted then."""

    def left(self, beside: float) -> float:
        """Return how many are still there; who came to the others since may be the same users."""
        return max(0.0, self.rate - max(0.0, beside - self.beside))


NOBODY = Unheard()


@dataclass(frozen=True, slots=True)
class Demand:
    """What was counted lately."""

    heard: Mapping[str, float] = field(default_factory=dict)
    """When each edge was last heard of here."""
    rates: Rates = ()
    """Oldest first: reports come in that order."""
    unheard: Unheard = NOBODY
    highest: tuple[Total, ...] = ()
    """Oldest first, and without those that are no higher than a later one."""

    def seconds(self, now: float) -> float:
        """Return of how many of the last seconds something is known, from the first report on."""
        known = _since(self.rates, now - RECENT_SECONDS)
        # That nobody comes any more is known as well as that somebody does.
        begun = known[0][0] if known else now
        first = next((at for at, _, rate, _ in known if rate > 0), begun)
        return min(RECENT_SECONDS, now - first + 1.0)

    def recent(self, now: float) -> Rates:
        """Return the rates of the last seconds, from the first user on: who comes is there."""
        known = _since(self.rates, now - RECENT_SECONDS)
        first = next((at for at, _, rate, _ in known if rate > 0), now)
        return tuple(each for each in known if each[0] >= first)

    def counts(self, now: float) -> bool:
        """Say whether any edge has counted of late, be it nobody."""
        return bool(_since(self.rates, now - KEEP_SECONDS))


def _since(known: tuple[_Timed, ...], then: float) -> tuple[_Timed, ...]:
    """Return those after that time."""
    return known[bisect_right(known, then, key=lambda each: each[0]) :]


def counted(demand: Demand, edge: str, requests: int, at: float, seconds: float) -> Demand:
    """
    Return the demand after one more report of an edge, which counted for so many seconds.

    Reports in between may have been lost on a hub that was slow to read: so it is not the time
    since the last one that was read by which requests are divided.
    """
    before = demand.heard.get(edge)
    if before is not None and at <= before:
        return demand
    heard = {name: last for name, last in demand.heard.items() if at - last < FORGOTTEN_SECONDS}
    heard[edge] = at
    if seconds <= 0:
        return replace(demand, heard=heard)
    kept = _since(demand.rates, at - KEEP_SECONDS)
    rates = (*kept, (at, edge, requests / seconds, seconds))
    # What silent edges said last may be older than all that is kept from now on.
    missed = _missed(replace(demand, heard=heard), at)
    return Demand(heard, rates, missed, _highest(demand, edge, rates))


def _highest(demand: Demand, edge: str, rates: Rates) -> tuple[Total, ...]:
    """Return the highest rates of all edges together once an edge has sent the last of `rates`."""
    at, _, total, _ = rates[-1]
    # What the others counted during its report before this one is known by now.
    earlier = islice(reversed(rates), 1, None)
    last = next((each for each in earlier if each[1] == edge), None)
    if last is not None and at - last[0] < RECENT_SECONDS:
        total = max(total, last[2] + _beside(rates, last))
    known = _since(demand.highest, at - KEEP_SECONDS)
    return (*(each for each in known if each[1] > total), (at, total))


def _beside(rates: Rates, report: Rate) -> float:
    """Return what other edges have surely counted a second during this report."""
    to, edge, _, seconds = report
    begin = to - seconds
    least: dict[str, float] = {}
    until: dict[str, float] = {}
    for at, other, rate, counted_for in _since(rates, begin):
        if other == edge:
            continue
        if other not in least and at - counted_for > begin + _INEXACT_SECONDS:
            least[other] = 0.0  # nobody knows what it counted before
        if at - counted_for < to:
            least[other] = min(rate, least.get(other, rate))
        until[other] = at
    return sum(rate for other, rate in least.items() if until[other] >= to - _INEXACT_SECONDS)


def _missed(demand: Demand, now: float) -> Unheard:
    """Return what is known of the users of edges that are silent now."""
    silent = frozenset(
        edge
        for edge, last in demand.heard.items()
        if RECENT_SECONDS <= now - last < FORGOTTEN_SECONDS
    )
    return _unheard(demand, silent) if silent else NOBODY


def _unheard(demand: Demand, silent: frozenset[str]) -> Unheard:
    """Return what is known of the users of these edges, some of which have just fallen silent."""
    known, new = demand.unheard, silent - demand.unheard.edges
    if not new:
        return replace(known, edges=silent)
    last = max(demand.heard[each] for each in new)
    beside = sum(_rate_at(demand, each, last) for each in demand.heard.keys() - silent)
    rate = known.left(beside) + sum(_rate_at(demand, each, demand.heard[each]) for each in new)
    return Unheard(silent, rate, beside)


def _rate_at(demand: Demand, edge: str, then: float) -> float:
    """Return what an edge counted a second in the seconds before."""
    found = [
        rate
        for at, name, rate, _ in demand.rates
        if name == edge and 0 <= then - at < RECENT_SECONDS
    ]
    return sum(found) / len(found) if found else 0.0


def demand_of(demand: Demand, now: float) -> int | None:
    """Return requests per second of all users, None when no edge has counted any lately."""
    total = next((each for _, each in _since(demand.highest, now - KEEP_SECONDS)), 0.0)
    if _missed(demand, now).edges or demand.seconds(now) < _TOGETHER_SECONDS:
        total = max(total, rate_of(demand, now))
    if total <= 0:
        return None
    return math.ceil(STEP ** math.ceil(round(math.log(max(total, 1.0), STEP), 9)))


def rate_of(demand: Demand, now: float) -> float:
    """
    Return the requests per second of the last seconds, 0.0 when nobody has counted any.

    Users of an edge that has fallen silent are counted for five minutes, as many as do not come
    to other edges instead.
    """
    heard, missed = _heard_rate(demand, now), _missed(demand, now)
    return heard + missed.left(heard) if missed.edges else heard


def _heard_rate(demand: Demand, now: float) -> float:
    """Return the requests per second that edges tell of."""
    recent: dict[str, list[float]] = {}
    for _, edge, rate, _ in demand.recent(now):
        recent.setdefault(edge, []).append(rate)
    return sum(sum(rates) / len(rates) for rates in recent.values())


def steadied(before: int | None, rate: float, seconds: float = RECENT_SECONDS) -> int | None:
    """
    Return what users ask for now; what was said `before` stays while chance explains the rate.

    `rate` was counted over so many seconds.  So a plan that is made with it neither follows
    chance, nor turns users away and back again.
    """
    if rate <= 0:
        return None
    if before is not None and abs(rate - before) <= band(rate, seconds) * before:
        return before
    return math.ceil(rate)


def band(rate: float, seconds: float = RECENT_SECONDS) -> float:
    """Return by which part a rate that was counted for so long may differ from the true one."""
    return max(_BAND, _STANDARD_ERRORS / math.sqrt(rate * seconds))
