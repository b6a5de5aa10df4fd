"""How much arms of one and the same version differ by themselves: the dispersion of a service."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Plan
from crossfade.core.analysis.replay import ticks
from crossfade.core.analysis.sequential import State, update

PHIS = (1.0, 1.5, 2.0, 3.0, 4.0)
CONFIDENCE = 0.95
"""How sure the replays must make us that the risk is kept: a rate that was seen may be luck."""
LEAST_REPLAYS = 100
"""Fewer replays say nothing about how arms differ, whatever risk is accepted."""


@dataclass(frozen=True, slots=True)
class PodWindow:
    """What one pod of the stable revision counted in one window."""

    id: int
    cluster: ClusterName
    pod: str
    n: int
    events: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The dispersion to judge with, and what it rests on."""

    phi: float
    replays: int
    crossings: Mapping[float, int]
    """For each dispersion that was tried, how many good canaries it would have rolled back."""
    risk: float
    """Share of good canaries that are rolled back with `phi`, at most, with 95 % confidence."""
    trusted: bool
    """Whether the replays were enough, and `phi` keeps the risk that is accepted."""
    needed: int
    """Replays that show that `phi` keeps the risk, if no more of them cross; 0 when none would."""


AnyWindow = TypeVar("AnyWindow", Window, PodWindow)


def stretches(windows: Iterable[AnyWindow], length: int) -> tuple[tuple[AnyWindow, ...], ...]:
    """
    Return a long record in pieces of so many ids, each a replay of its own.

    Where the ids of a cluster begin anew, another record does: those of several rollouts may be
    written one after the other.  What is left at the end of a record that was cut is left out.
    """
    records: list[list[AnyWindow]] = []
    latest: dict[ClusterName, int] = {}
    for window in windows:
        if not records or window.id < latest.get(window.cluster, window.id):
            records.append([])
            latest.clear()
        records[-1].append(window)
        latest[window.cluster] = window.id
    return tuple(piece for record in records for piece in _pieces(record, length))


def _pieces(record: Sequence[AnyWindow], length: int) -> list[tuple[AnyWindow, ...]]:
    first, last = min(each.id for each in record), max(each.id for each in record)
    whole = max(1, (last - first + 1) // length)  # one that ended sooner is a replay, too
    pieces: list[list[AnyWindow]] = [[] for _ in range(whole)]
    for window in record:
        place = (window.id - first) // length
        if place < whole:
            pieces[place].append(window)
    return [tuple(each) for each in pieces if each]


def split(windows: Iterable[PodWindow], seed: int, share: float = 0.5) -> tuple[Window, ...]:
    """
    Return windows as of a rollout of the same version: some pods of stable play the canary.

    Each pod is on one side for the whole replay, by chance: `share` of them play the canary, which
    should be the largest share of a rollout, where differences weigh most.  The same seed always
    deals the same.
    """
    sizes: dict[tuple[int, ClusterName], list[int]] = {}
    events: dict[tuple[int, ClusterName], tuple[dict[str, int], dict[str, int]]] = {}
    for each in windows:
        key, arm = (each.id, each.cluster), 0 if _dealt(each, seed) < share else 1
        sizes.setdefault(key, [0, 0])[arm] += each.n
        counts = events.setdefault(key, ({}, {}))[arm]
        for metric, count in each.events.items():
            counts[metric] = counts.get(metric, 0) + count
    return tuple(
        Window(key[0], key[1], n_c, n_s, _pairs(*events[key]))
        for key, (n_c, n_s) in sorted(sizes.items())
    )


def _dealt(window: PodWindow, seed: int) -> float:
    """Return a number from 0 to 1 that depends on pod and seed alone."""
    name = f"{seed}/{window.cluster}/{window.pod}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest()) / 2**64


def _pairs(canary: Mapping[str, int], stable: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    names = sorted({*canary, *stable})
    return {name: (canary.get(name, 0), stable.get(name, 0)) for name in names}


def crosses(plan: Plan, windows: Iterable[Window]) -> bool:
    """Say whether these windows would have been taken for a bad canary at any of the looks."""
    state = State(0.0)
    for tick in ticks(windows):
        for window in tick.windows:
            state = update(state, plan, window)
        if state.peak >= math.log(1 / plan.alpha):
            return True
    return False


def calibrated(plan: Plan, replays: Iterable[Sequence[Window]]) -> Calibration:
    """
    Return the smallest dispersion that replays of good canaries show to keep the plan's risk.

    Few crossings are not enough: their rate must be at most alpha up to the end of its confidence
    range.  Without any crossing that takes 299 replays for a risk of 1 %.

    Args:
        plan: how rollouts are judged; the dispersions of its metrics are not used.
        replays: records of canaries that were fine, independent of each other, as `split` makes
            them, each as long as a rollout takes.
    """
    left, count = [], 0
    tried: dict[float, int] = {}
    for phi in PHIS:
        judge = replace(plan, metrics=tuple(replace(each, phi=phi) for each in plan.metrics))
        if not tried:
            for record in replays:
                count += 1
                if crosses(judge, record):
                    left.append(record)
        else:  # more dispersion never finds what less has not found, save by the cap
            left = [record for record in left if crosses(judge, record)]
        tried[phi] = len(left)
        if is_shown(len(left), count, plan.alpha):
            return _found(plan, phi, count, tried, trusted=True)
    fewest = min(tried.values())
    phi = next(each for each, crossed in tried.items() if crossed == fewest)
    return _found(plan, phi, count, tried, trusted=False)


def _found(
    plan: Plan, phi: float, count: int, tried: Mapping[float, int], *, trusted: bool
) -> Calibration:
    crossed = tried[phi]
    hopeless = crossed > plan.alpha * max(count, LEAST_REPLAYS)
    needed = 0 if hopeless else replays_needed(crossed, plan.alpha)
    return Calibration(phi, count, tried, highest_rate(crossed, count), trusted, needed)


def is_shown(crossed: int, replays: int, alpha: float) -> bool:
    """
    Say whether so few crossings show that good canaries are rolled back at a rate up to `alpha`.

    That is so when as few as that would be rare, 5 % at most, if the rate were above.
    """
    return replays >= LEAST_REPLAYS and _at_most(crossed, replays, alpha) <= 1 - CONFIDENCE


def highest_rate(crossed: int, replays: int) -> float:
    """Return the one-sided upper end of the range of a rate, after Clopper and Pearson (1934)."""
    low, high = 0.0, 1.0
    if crossed >= replays:
        return high
    for _ in range(50):
        middle = (low + high) / 2
        if _at_most(crossed, replays, middle) <= 1 - CONFIDENCE:
            high = middle
        else:
            low = middle
    return high


def replays_needed(crossed: int, alpha: float) -> int:
    """Return how many replays show a rate of at most `alpha`, if so many of them cross."""
    low = high = LEAST_REPLAYS
    while not is_shown(crossed, high, alpha):
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_shown(crossed, middle, alpha) else (middle + 1, high)
    return high


def _at_most(count: int, trials: int, chance: float) -> float:
    """Return the probability of at most `count` in `trials`, of which each has this chance."""
    if chance in (0.0, 1.0):
        return float(chance == 0.0 or count >= trials)
    odds = math.log(chance) - math.log1p(-chance)
    term = trials * math.log1p(-chance)
    total = math.exp(term)
    for k in range(1, min(count, trials) + 1):
        term += math.log((trials - k + 1) / k) + odds
        total += math.exp(term)
    return total
