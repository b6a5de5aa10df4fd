"""
The looks of a judge as they were written down, and the evidence that follows from them.  Pure.

That users began to move is known only afterwards.  What was counted since is then taken back: the
evidence is made again from all looks, as if those windows had never been judged.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import Evidence, grown
from crossfade.core.analysis.sequential import State
from crossfade.core.analysis.standstill import sorted_out, stood
from crossfade.core.failover.during_rollout import Shift


@dataclass(frozen=True, slots=True)
class Past:
    """One look, with all that its evidence rests on."""

    windows: tuple[Window, ...]
    percent: float
    rps: float
    at: float
    still: bool = False
    """Whether the rollout stood still."""
    discarded: tuple[Window, ...] = ()
    """Windows that were thrown away, with those that looks before this one had judged."""


def spoiled(past: Sequence[Past], shift: Shift, seconds: float) -> tuple[Window, ...]:
    """Return the windows, `seconds` long, that were judged before the shift was known of."""
    thrown = _thrown(past)
    judged = [window for each in past for window in each.windows if _key(window) not in thrown]
    return sorted_out(judged, shift, seconds)[1]


def before_first(newest: Evidence) -> Evidence:
    """Return the evidence before the first look, with the same plan."""
    began = newest.state.since_s
    return Evidence(newest.plan, State(began), level_since=began)


def again(first: Evidence, past: Sequence[Past], taken_back: Collection[Window]) -> Evidence:
    """Return the evidence after these looks, as if what was ever taken back had not been judged."""
    thrown = _thrown(past) | {_key(window) for window in taken_back}
    evidence = first
    for each in past:
        evidence = stood(evidence, each.discarded, each.at, still=each.still)
        kept = [window for window in each.windows if _key(window) not in thrown]
        evidence = grown(evidence, kept, each.percent, each.rps, each.at)
    return evidence


def takes_back(past: Sequence[Past], discarded: Collection[Window]) -> bool:
    """Say whether any of these windows was judged before."""
    keys = {_key(each) for each in discarded}
    return any(_key(window) in keys for each in past for window in each.windows)


def _thrown(past: Sequence[Past]) -> set[tuple[str, int]]:
    return {_key(window) for each in past for window in each.discarded}


def _key(window: Window) -> tuple[str, int]:
    return window.cluster, window.id
