"""How much arms of one and the same version differ by themselves: the dispersion of a service."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Plan
from crossfade.core.analysis.replay import ticks
from crossfade.core.analysis.sequential import State, update

PHIS = (1.0, 1.5, 2.0, 3.0, 4.0)
LEAST_REPLAYS = 100
"""Fewer replays say nothing about a risk of 1 %."""


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
    trusted: bool
    """Whether the replays were enough, and `phi` kept the risk that was accepted."""


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
    Return the smallest dispersion that keeps the risk of the plan on replays of good canaries.

    Args:
        plan: how rollouts are judged; the dispersions of its metrics are not used.
        replays: records of canaries that were fine, at least 100, as `split` makes them.
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
        if len(left) <= plan.alpha * count:
            return Calibration(phi, count, tried, trusted=count >= LEAST_REPLAYS)
    return Calibration(PHIS[-1], count, tried, trusted=False)
