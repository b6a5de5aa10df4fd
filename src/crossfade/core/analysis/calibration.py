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
    metrics: tuple[str, ...]
    """Those that it is for; the others are judged with 1."""
    replays: int
    crossings: Mapping[float, int]
    """For each dispersion of these that was tried, how many good canaries were rolled back."""
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


def kinds(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """
    Return the plan's metrics by what they measure: all edges of latency are of one kind.

    Their names begin with `slow`.  What slows a pod down moves all of them; any other metric may
    differ between pods while the rest does not.
    """
    names = [each.name for each in plan.metrics]
    slow = tuple(each for each in names if each.startswith("slow"))
    rest = tuple((each,) for each in names if each not in slow)
    return (*rest, slow) if slow else rest


@dataclass(frozen=True, slots=True)
class _Walk:
    """What was found while the dispersion of some metrics was raised."""

    metrics: tuple[str, ...]
    crossings: Mapping[float, int]
    shown: bool
    """Whether the last one that was tried is shown to keep the risk."""

    @property
    def phi(self) -> float:
        """The last one where it is shown, else the smallest of those that crossed least."""
        if self.shown:
            return list(self.crossings)[-1]
        fewest = min(self.crossings.values())
        return next(each for each, crossed in self.crossings.items() if crossed == fewest)


def calibrated(plan: Plan, replays: Iterable[Sequence[Window]]) -> Calibration:
    """
    Return the smallest dispersion that replays of good canaries show to keep the plan's risk.

    A dispersion costs time and harm, so one kind of metrics alone has it where that is enough;
    else all have the same.  Few crossings are not enough: their rate must be at most alpha up to
    the end of its confidence range.  Without any crossing that takes 299 replays for a risk of
    1 %, and 408 where there are two kinds, as it is tried for each alone and for both.

    Args:
        plan: how rollouts are judged; the dispersions of its metrics are not used.
        replays: records of canaries that were fine, independent of each other, as `split` makes
            them, each as long as a rollout takes.
    """
    walks = _walked(plan, kinds(plan))
    left, count = [], 0
    for record in replays:
        count += 1
        if crosses(_with(plan, (), 1.0), record):
            left.append(record)
    if is_shown(len(left), count, plan.alpha, len(walks)):
        walk = _Walk(walks[-1], {1.0: len(left)}, shown=True)
        return _found(plan, walk, count, len(walks))
    tried = [_walk(plan, metrics, left, (count, len(walks))) for metrics in walks]
    *alone, together = tried
    shown = sorted((each for each in alone if each.shown), key=lambda each: each.phi)
    return _found(plan, shown[0] if shown else together, count, len(walks))


def _walked(plan: Plan, known: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Return the metrics whose dispersion is raised together: each kind alone, and all."""
    everything = tuple(each.name for each in plan.metrics)
    return (*known, everything) if len(known) > 1 else (everything,)


def _with(plan: Plan, metrics: tuple[str, ...], phi: float) -> Plan:
    """Return the plan with this dispersion of some metrics, and none of the others."""
    judged = (replace(each, phi=phi if each.name in metrics else 1.0) for each in plan.metrics)
    return replace(plan, metrics=tuple(judged))


def _walk(
    plan: Plan, metrics: tuple[str, ...], crossed: Sequence[Sequence[Window]], of: tuple[int, int]
) -> _Walk:
    """Raise the dispersion until it is shown; `of` are the replays, and the walks there are."""
    left, tried = crossed, {1.0: len(crossed)}
    for phi in PHIS[1:]:
        # More dispersion never finds what less has not found, save by the cap.
        left = [each for each in left if crosses(_with(plan, metrics, phi), each)]
        tried[phi] = len(left)
        if is_shown(len(left), of[0], plan.alpha, of[1]):
            return _Walk(metrics, tried, shown=True)
    return _Walk(metrics, tried, shown=False)


def _found(plan: Plan, walk: _Walk, count: int, walks: int) -> Calibration:
    crossed = walk.crossings[walk.phi]
    hopeless = crossed > plan.alpha * max(count, LEAST_REPLAYS)
    return Calibration(
        walk.phi,
        walk.metrics,
        count,
        walk.crossings,
        highest_rate(crossed, count, walks),
        walk.shown,
        0 if hopeless else replays_needed(crossed, plan.alpha, walks),
    )


def is_shown(crossed: int, replays: int, alpha: float, walks: int = 1) -> bool:
    """
    Say whether so few crossings show that good canaries are rolled back at a rate up to `alpha`.

    That is so when as few as that would be rare, 5 % at most, if the rate were above.  Several
    walks, each of which might be lucky, share the 5 %.
    """
    enough = replays >= LEAST_REPLAYS
    return enough and _at_most(crossed, replays, alpha) <= (1 - CONFIDENCE) / walks


def highest_rate(crossed: int, replays: int, walks: int = 1) -> float:
    """Return the one-sided upper end of the range of a rate, after Clopper and Pearson (1934)."""
    low, high = 0.0, 1.0
    if crossed >= replays:
        return high
    for _ in range(50):
        middle = (low + high) / 2
        if _at_most(crossed, replays, middle) <= (1 - CONFIDENCE) / walks:
            high = middle
        else:
            low = middle
    return high


def replays_needed(crossed: int, alpha: float, walks: int = 1) -> int:
    """Return how many replays show a rate of at most `alpha`, if so many of them cross."""
    low = high = LEAST_REPLAYS
    while not is_shown(crossed, high, alpha, walks):
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        enough = is_shown(crossed, middle, alpha, walks)
        low, high = (low, middle) if enough else (middle + 1, high)
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
