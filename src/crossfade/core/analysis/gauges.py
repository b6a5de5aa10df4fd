"""
Gauges such as memory or queue length: does the canary need more than stable?

Each cluster is its own control, in blocks of five minutes.  Blocks depend on each other, so the
range is only about right: a gauge advises, and rolls back only where the plan says `critical`.
Source of the range: the asymptotic confidence sequence of docs/math/sequential-judge.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.verdict import Action, Verdict

BLOCK_SECONDS = 300.0
LEAST_BLOCKS = 6
_RHO_SQUARED = 0.1


class Finding(StrEnum):
    """What is known about a gauge; UNKNOWN is neither good nor bad."""

    FINE = "fine"
    WORSE = "worse"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Gauge:
    """A measured value that should not be higher on the canary."""

    name: str
    tolerated: float = 1.25
    """Ratio canary to stable that is tolerated."""
    alpha: float = 0.01
    critical: bool = False
    """Whether it may roll back and keeps from promotion; else it only holds."""


@dataclass(frozen=True, slots=True)
class Block:
    """The samples of one cluster since its last block was closed."""

    since_s: float
    canary: float = 0.0
    stable: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class GaugeState:
    """Mean and spread of the log ratios of all closed blocks, and the open ones."""

    blocks: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of squared distances from the mean."""
    open: Mapping[ClusterName, Block] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assessed:
    """A gauge and what is known about it."""

    gauge: Gauge
    finding: Finding
    ratio: tuple[float, float] | None
    """Range of the ratio canary to stable; None before there are enough blocks."""


def measured(
    state: GaugeState, cluster: ClusterName, at_s: float, canary: float, stable: float
) -> GaugeState:
    """Return the state with one sample of both arms; blocks that are not positive are left out."""
    block = state.open.get(cluster, Block(at_s))
    if at_s - block.since_s >= BLOCK_SECONDS:
        state, block = _closed(state, block), Block(at_s)
    block = Block(block.since_s, block.canary + canary, block.stable + stable, block.count + 1)
    return replace(state, open={**state.open, cluster: block})


def _closed(state: GaugeState, block: Block) -> GaugeState:
    if block.canary <= 0 or block.stable <= 0:
        return state
    value = math.log(block.canary / block.stable)
    count = state.blocks + 1
    mean = state.mean + (value - state.mean) / count
    squares = state.squares + (value - state.mean) * (value - mean)
    return GaugeState(count, mean, squares, state.open)


def ratio(state: GaugeState, alpha: float) -> tuple[float, float] | None:
    """Return the range of the ratio canary to stable, about valid at all looks at once."""
    count = state.blocks
    if count < LEAST_BLOCKS:
        return None
    spread = math.sqrt(state.squares / (count - 1))
    grown = count * _RHO_SQUARED + 1
    looks = math.log(math.sqrt(grown) / alpha)
    half = spread * math.sqrt(2 * grown / (count**2 * _RHO_SQUARED) * looks)
    return math.exp(state.mean - half), math.exp(state.mean + half)


def assess(gauge: Gauge, state: GaugeState) -> Assessed:
    """Return what is known about the gauge now."""
    found = ratio(state, gauge.alpha)
    if found is None:
        return Assessed(gauge, Finding.UNKNOWN, None)
    if found[0] > gauge.tolerated:
        return Assessed(gauge, Finding.WORSE, found)
    fine = found[1] <= gauge.tolerated
    return Assessed(gauge, Finding.FINE if fine else Finding.UNCLEAR, found)


def advised(verdict: Verdict, weight: float, gauges: Sequence[Assessed]) -> Verdict:
    """
    Return the verdict after the gauges have been heard.

    A worse gauge keeps users where they are, `weight`; a critical one rolls back.  A critical
    gauge also keeps from promotion until it is known to be fine.
    """
    worse = [each for each in gauges if each.finding is Finding.WORSE]
    if verdict.action is Action.ROLLBACK:
        return verdict
    if critical := [each for each in worse if each.gauge.critical]:
        return replace(verdict, action=Action.ROLLBACK, weight=0.0, reason=_said(critical))
    if verdict.action not in (Action.ADVANCE, Action.PROMOTE):
        return verdict
    if worse:
        kept = min(weight, verdict.weight)
        return replace(verdict, action=Action.HOLD, weight=kept, reason=_said(worse))
    waiting = [each for each in gauges if each.gauge.critical and each.finding is not Finding.FINE]
    if waiting and verdict.action is Action.PROMOTE:
        names = ", ".join(each.gauge.name for each in waiting)
        return replace(verdict, action=Action.HOLD, reason=f"{names} is not known to be fine yet")
    return verdict


def _said(gauges: Sequence[Assessed]) -> str:
    return "; ".join(
        f"{each.gauge.name} is at least {each.ratio[0]:.2f} times stable's, "
        f"{each.gauge.tolerated:g} is tolerated"
        for each in gauges
        if each.ratio
    )
