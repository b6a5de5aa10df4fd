"""
How users come back to a cluster that was away: as to a canary, step by step.  Pure.

A returning cluster is cold and may be stale.  So it gets nobody before it has confirmed the
wanted epoch, and each step needs the judge's good verdict on the returning cluster against the
others.  Silence holds; a bad verdict takes all users off again.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from crossfade.base.ids import ClusterName, Epoch
from crossfade.core.analysis.judgement import Verdict

RAMP = (1, 5, 25, 50, 100)
"""Percent of its share, step by step."""
STEP_SECONDS = 60.0
"""How long each step lasts at least."""
RETRY_SECONDS = 120.0
"""Until a return that was judged bad is tried again; twice as long each time."""
LONGEST_SECONDS = 3600.0


class Failback(StrEnum):
    """Who lets users come back."""

    RAMP = "ramp"
    """They come back by themselves, step by step."""
    MANUAL = "manual"
    """Step by step, once a person has said so."""
    NEVER = "never"
    """Only all at once, by a person who restores the cluster."""


class Phase(StrEnum):
    """Where a return stands."""

    WAITING = "waiting"
    """It gets nobody yet."""
    RAMPING = "ramping"
    BACK = "back"
    """It has its whole share."""
    FAILED = "failed"
    """It was judged bad, and begins again after a while."""


@dataclass(frozen=True, slots=True)
class Return:
    """One cluster on its way back; saved before anybody acts."""

    cluster: ClusterName
    phase: Phase = Phase.WAITING
    step: int = 0
    """Index into the ramp, while ramping."""
    since: float = 0.0
    """When the step began."""
    epoch: Epoch | None = None
    """The epoch that the step began with."""
    failures: int = 0
    """How often it was judged bad."""

    @property
    def percent(self) -> int:
        """How much of its share it may have."""
        match self.phase:
            case Phase.WAITING | Phase.FAILED:
                return 0
            case Phase.RAMPING:
                return RAMP[self.step]
            case Phase.BACK:
                return 100
            case _:
                assert_never(self.phase)


@dataclass(frozen=True, slots=True)
class ReturnSight:
    """What a step depends on, read just before it."""

    reported: Epoch | None
    """Epoch whose route the cluster has confirmed since it is back; None before that."""
    wanted: Epoch
    verdict: Verdict = Verdict.UNKNOWN
    """Of the judge: users of this cluster against those of the others, during this step."""
    approved: bool = False
    """A person has said that users may come back."""


def advance(
    back: Return, sight: ReturnSight, policy: Failback, now: float, *, seconds: float = STEP_SECONDS
) -> tuple[Return, str]:
    """Return the next state of a return and why, for people."""
    match back.phase:
        case Phase.BACK:
            return back, back.phase.value
        case Phase.FAILED:
            return _again(back, now)
        case Phase.WAITING:
            return _begin(back, sight, policy, now)
        case Phase.RAMPING:
            return _ramp(back, sight, now, seconds)
        case _:
            assert_never(back.phase)


def _again(back: Return, now: float) -> tuple[Return, str]:
    wait = min(LONGEST_SECONDS, RETRY_SECONDS * 2 ** min(back.failures - 1, 10))
    if now - back.since < wait:
        return back, f"it did worse than the others; tried again {wait:g} s after that"
    return replace(back, phase=Phase.WAITING, since=now), "tried again"


def _begin(back: Return, sight: ReturnSight, policy: Failback, now: float) -> tuple[Return, str]:
    if sight.reported != sight.wanted:
        return back, _stale(sight)
    if policy is not Failback.RAMP and not sight.approved:
        return (
            back,
            f"failback is {policy}: {back.cluster} waits for a person to bring it back",
        )
    if policy is Failback.NEVER:
        return replace(
            back, phase=Phase.BACK, since=now, epoch=sight.wanted
        ), "restored by a person"
    ramping = replace(back, phase=Phase.RAMPING, step=0, since=now, epoch=sight.wanted)
    return ramping, f"converged; {RAMP[0]} % of its share"


def _ramp(back: Return, sight: ReturnSight, now: float, seconds: float) -> tuple[Return, str]:
    if sight.verdict is Verdict.FAIL:
        failed = replace(back, phase=Phase.FAILED, since=now, failures=back.failures + 1)
        return failed, "it does worse than the others"
    if sight.reported != sight.wanted:
        # It converged once, and a newer epoch is on its way: it falls behind, it does not begin.
        if back.epoch == sight.wanted:
            return replace(back, phase=Phase.WAITING, since=now), _stale(sight)
        return back, f"at {back.percent} %; {_stale(sight)}"
    back = replace(back, epoch=sight.wanted)
    if now - back.since < seconds:
        return back, f"at {back.percent} % for {seconds:g} s"
    if sight.verdict is not Verdict.PASS:
        return back, f"at {back.percent} %; no verdict yet"
    if back.step + 1 == len(RAMP):
        return replace(back, phase=Phase.BACK, since=now), "back with its whole share"
    raised = replace(back, step=back.step + 1, since=now)
    return raised, f"step to {raised.percent} % of its share"


def _stale(sight: ReturnSight) -> str:
    reported = "none" if sight.reported is None else sight.reported
    return f"not converged: it reports epoch {reported}, wanted is {sight.wanted}"
