"""
What the loss of clusters means for a rollout that is under way.  Pure.

Silence of a lost cluster neither promotes nor aborts.  The rollout's clock stops, windows that
overlap the shift are not judged (moving users changes latency by itself), exposure stays as it
is, and the rollout goes on from the last step it had passed.  Two losses are not like that: of
the only clusters with the canary, and a loss that the canary itself has caused.  Both look alike
at first; the cluster itself tells which it is, and until it does the rollout stands still: its
users have left already.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from crossfade.base.ids import ClusterName
from crossfade.core.failover.evidence import DOWN, Condition, Statement

SETTLE_WINDOWS = 2
MIN_SETTLE_SECONDS = 10.0
"""Connections and caches of users who were moved are cold, however short the windows are."""
CLEAN_WINDOWS = 2
"""Whole windows without a shift before the rollout goes on."""

_ILL = DOWN | {Condition.GREY}


class Course(StrEnum):
    """What the rollout does about a loss."""

    GO_ON = "go-on"
    FREEZE = "freeze"
    """Clock and analysis stand still; shares stay."""
    RESUME = "resume"
    """At the last step that it had passed."""
    RESTART = "restart"
    """The canary begins again on clusters that are left."""
    ROLL_BACK = "roll-back"
    """Before any failover: users moved to the new revision elsewhere would meet the same."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Users moved between clusters from `began` until the data plane had it in force."""

    began: float
    ended: float | None = None
    """None while it is under way."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time that figures are taken from."""

    begin: float
    end: float


def settle_seconds(window_seconds: float) -> float:
    """Return how long after a shift figures say more of the shift than of the revision."""
    return max(MIN_SETTLE_SECONDS, SETTLE_WINDOWS * window_seconds)


@dataclass(frozen=True, slots=True)
class Bearer:
    """One cluster of a rollout."""

    cluster: ClusterName
    condition: Condition
    new: bool
    """Some of its users meet the new revision."""
    old: bool
    """Some of its users meet the old revision."""
    only_new_fails: bool = False
    """Its new revision fails beside an old one that serves well."""
    out: bool = False
    """It is lost and its users have left: the rollout goes on without it."""
    statement: Statement = Statement.FINE
    """What it says of itself while it is dark."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """A rollout that stands still because of a loss."""

    since: float
    passed_step: int
    """Last step that was proven before; -1 if none."""


@dataclass(frozen=True, slots=True)
class RolloutView:
    """What the course follows from."""

    bearers: tuple[Bearer, ...]
    step: int
    """The current step."""
    passed_step: int
    """The last step whose share is proven."""
    shifts: tuple[Shift, ...] = ()
    windows: tuple[Window, ...] = ()
    """Whole ones, oldest first; that clusters are silent in them bars a rise by other rules."""
    interruption: Interruption | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """The course, the step to be at, and why."""

    course: Course
    step: int
    reason: str
    interruption: Interruption | None = None
    """To be saved with it."""


def rule(view: RolloutView, now: float, settle: float, *, clean: int = CLEAN_WINDOWS) -> Ruling:
    """Return what the rollout does now.  Exposure is never raised by any of it."""
    ill = [each for each in view.bearers if each.condition in _ILL and not each.out]
    if guilty := _caused_by_new(view.bearers):
        return Ruling(Course.ROLL_BACK, view.step, f"only the new revision fails: {guilty}")
    if silent := _unexplained(view.bearers):
        kept = view.interruption or Interruption(now, view.passed_step)
        why = f"{_names(silent)} went dark, and nobody knows yet if it is the version or the cloud"
        return Ruling(Course.FREEZE, view.step, why, kept)
    if alone := _only_canary_lost(view.bearers):
        why = f"{_names(alone)} had the only canary; it begins again elsewhere"
        return Ruling(Course.RESTART, 0, why)
    stopped = view.interruption
    if ill or any(each.ended is None for each in view.shifts):
        kept = stopped or Interruption(now, view.passed_step)
        why = f"{_names(ill)} lost" if ill else "users are moving"
        return Ruling(Course.FREEZE, view.step, f"{why}; clock and analysis stand still", kept)
    if stopped is None:
        return Ruling(Course.GO_ON, view.step, "nothing is lost")
    good = [w for w in usable(view.windows, view.shifts, settle) if w.begin >= stopped.since]
    if len(good) < clean:
        why = f"{len(good)} of {clean} windows without a shift"
        return Ruling(Course.FREEZE, view.step, why, stopped)
    step = min(view.step, max(0, stopped.passed_step))
    return Ruling(Course.RESUME, step, f"resumes at step {step + 1}, the last one that was proven")


def usable(windows: Sequence[Window], shifts: Sequence[Shift], settle: float) -> tuple[Window, ...]:
    """Return the windows that no shift overlaps, settling included; before a shift, too."""
    return tuple(
        window
        for window in windows
        if not any(
            window.end > shift.began - settle
            and (shift.ended is None or window.begin < shift.ended + settle)
            for shift in shifts
        )
    )


def settled_at(shift: Shift | None, settle: float) -> float:
    """Return from when on figures say something of the revision again; for ever is infinite."""
    if shift is None:
        return 0.0
    return math.inf if shift.ended is None else shift.ended + settle


def _caused_by_new(bearers: Sequence[Bearer]) -> str:
    """Return which clusters show that the new revision is what fails, "" when none do."""
    beside = [each for each in bearers if each.only_new_fails]
    if beside:
        return f"on {_names(beside)} beside an old one that serves"
    failing = _only_new_ill(bearers)
    if failing and all(each.statement is Statement.FINE for each in failing):
        return f"{_names(failing)}, and no cluster without it"
    return ""


def _unexplained(bearers: Sequence[Bearer]) -> list[Bearer]:
    """Return the clusters of which nobody knows yet whether the revision or the cloud failed."""
    return [each for each in _only_new_ill(bearers) if each.statement is Statement.SILENT]


def _only_new_ill(bearers: Sequence[Bearer]) -> list[Bearer]:
    """Return the clusters with the new revision when all of them are ill, and no others are."""
    with_new = [each for each in bearers if each.new]
    without = [each for each in bearers if not each.new]
    # An API server that is away, too, speaks for a lost cloud and not for a bad revision.
    broken = {Condition.DATA_PLANE_DOWN, Condition.GREY}
    spared = without and all(each.condition not in _ILL for each in without)
    return with_new if spared and all(each.condition in broken for each in with_new) else []


def _only_canary_lost(bearers: Sequence[Bearer]) -> list[Bearer]:
    """Return the clusters with the new revision when all of them are lost, and others are not."""
    with_new = [each for each in bearers if each.new]
    left = any(each.condition not in DOWN and not each.out for each in bearers)
    lost = all(each.condition in DOWN or each.out for each in with_new)
    return with_new if lost and left else []


def _names(bearers: Sequence[Bearer]) -> str:
    return ", ".join(each.cluster for each in bearers)
