"""
A rollout that meets the loss of a cluster: it stands still, and goes on from what is proven.  Pure.

Only losses and returns count as moves of users.  A share that changes because a cluster is behind
does not: a slow cluster would send the rollout back at each of its steps.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import assert_never

from crossfade.base.ids import ClusterName
from crossfade.core.failover.during_rollout import (
    CLEAN_WINDOWS,
    Bearer,
    Course,
    Interruption,
    RolloutView,
    Ruling,
    Shift,
    Window,
    rule,
    settle_seconds,
)
from crossfade.core.failover.evidence import DOWN
from crossfade.core.rollout.back import go_back, hold
from crossfade.core.rollout.spec import SetWeight, Step, Unreachable
from crossfade.core.rollout.state import (
    ClusterPhase,
    ClusterSight,
    Decision,
    Progress,
    Rollout,
    Sight,
    State,
)

WINDOW_SECONDS = 5.0
"""Length of a window where nobody judges by windows."""


def settling_of(rollout: Rollout) -> float:
    """Return how long figures say nothing of the revision after users have moved."""
    return settle_seconds(_window_seconds(rollout))


def _window_seconds(rollout: Rollout) -> float:
    judge = rollout.analysis.judge
    return judge.window_seconds if judge else WINDOW_SECONDS


def interruptible(rollout: Rollout) -> bool:
    """Say whether a loss makes it stand still: not when a person has asked for all users."""
    state = rollout.state
    return state.meets_users and not rollout.direct and not state.full


def interrupted(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return what a loss or a return means now; None when it means nothing, or no more."""
    if not interruptible(rollout):
        return None
    state, shift = rollout.state, shift_of(rollout, sight, now)
    stopped = state.interruption
    if stopped is None and shift != state.shift:
        stopped = Interruption(now, state.step - 1)
    ruling = rule(_view(rollout, sight, shift, stopped, now), now, settling_of(rollout))
    state = replace(state, shift=shift)
    match ruling.course:
        case Course.GO_ON:
            return None
        case Course.FREEZE:
            kept = ruling.interruption or stopped
            return hold(replace(state, interruption=kept), ruling.reason, now)
        case Course.RESUME:
            return _resume(replace(rollout, state=state), sight, ruling, now)
        case Course.RESTART:
            return _elsewhere(rollout, state, sight, ruling, now)
        case Course.ROLL_BACK:
            return go_back(replace(rollout, state=state), sight, now, ruling.reason)
        case _:
            assert_never(ruling.course)


def shift_of(rollout: Rollout, sight: Sight, now: float) -> Shift | None:
    """Return the newest move of users, what is seen now included."""
    known, settle = rollout.state.shift, settling_of(rollout)
    moving = any(_moves(each, now) for each in sight.clusters)
    # What was lost long before the rollout began has moved nobody meanwhile.
    over = rollout.started_at - settle if known is None else known.ended
    lost = [
        each.lost_at
        for each in sight.clusters
        if each.lost_at is not None and over is not None and each.lost_at > over
    ]
    if known is not None and known.ended is None:
        return known if moving else Shift(known.began, now)
    if not moving and not lost:
        return known
    settling = known is not None and now <= (known.ended or 0.0) + settle
    began = known.began if known is not None and settling else min([*lost, now])
    return Shift(began, None if moving else now)


def begin_again(
    rollout: Rollout, sight: Sight, where: Collection[ClusterName], now: float
) -> Decision:
    """
    Return the clusters without users of the new revision, to begin again once its pods are ready.

    Nodes took these pods away: what was counted at this share says nothing of the version.
    """
    state = rollout.state
    clusters = {
        name: replace(each.without_users(now), phase=ClusterPhase.INSTALLING, step=0)
        if name in where
        else each
        for name, each in state.clusters.items()
    }
    began = min(state.clusters[name].level_since or state.clusters[name].since for name in where)
    want = replace(
        state,
        clusters=clusters,
        passed=-1,
        approved=-1,
        shift=Shift(began),
        interruption=state.interruption or Interruption(now, state.step - 1),
    )
    told = "; ".join(
        f"{each.cluster}: {each.trouble}" for each in sight.clusters if each.cluster in where
    )
    return Decision(want, f"{told}; that is no fault of the version, which begins again there")


def doubtful_since(rollout: Rollout) -> float | None:
    """Return since when figures say little of the revision, None when the rollout goes on."""
    stopped, shift = rollout.state.interruption, rollout.state.shift
    if stopped is None:
        return None
    settle = settling_of(rollout)
    if shift is None or (shift.ended is not None and shift.ended + settle < stopped.since):
        return stopped.since
    return min(stopped.since, shift.began - settle)


def thawed(rollout: Rollout, now: float) -> Rollout:
    """Return the rollout with its clocks moved on by the time for which it was held."""
    state = rollout.state
    if state.held_since is None:
        return rollout
    held = now - state.held_since
    clusters = {
        name: replace(
            each,
            since=each.since + held,
            level_since=None if each.level_since is None else each.level_since + held,
        )
        for name, each in state.clusters.items()
    }
    state = replace(
        state,
        clusters=clusters,
        held_since=None,
        phase_since=state.phase_since + held,
        wave_over=None if state.wave_over is None else state.wave_over + held,
    )
    return replace(rollout, state=state)


def _moves(seen: ClusterSight, now: float) -> bool:
    return (seen.lost_at is not None and not seen.left) or now < seen.return_until


def _view(
    rollout: Rollout,
    sight: Sight,
    shift: Shift | None,
    stopped: Interruption | None,
    now: float,
) -> RolloutView:
    state = rollout.state
    return RolloutView(
        tuple(_bearer(rollout, each) for each in sight.clusters),
        state.step,
        state.step - 1,
        () if shift is None else (shift,),
        _windows(shift, stopped, _window_seconds(rollout), now),
        stopped,
    )


def _bearer(rollout: Rollout, seen: ClusterSight) -> Bearer:
    progress = rollout.state.clusters[seen.cluster]
    skip = rollout.strategy.unreachable is Unreachable.SKIP and not seen.reachable
    # A cluster that was rolled back alone is not waited for either.
    without = skip or progress.phase is ClusterPhase.BACK
    return Bearer(
        seen.cluster,
        seen.condition,
        new=progress.meets_users,
        old=progress.percent < 100,
        only_new_fails=seen.only_new_fails and progress.meets_users,
        out=without and seen.condition in DOWN and seen.left,
        statement=seen.statement,
    )


def _windows(
    shift: Shift | None, stopped: Interruption | None, seconds: float, now: float
) -> tuple[Window, ...]:
    """Return the whole windows since the shift has settled; silence in them holds by itself."""
    if stopped is None or (shift is not None and shift.ended is None):
        return ()
    settled = 0.0 if shift is None or shift.ended is None else shift.ended + settle_seconds(seconds)
    begin = max(stopped.since, settled)
    whole = min(CLEAN_WINDOWS, int((now - begin) // seconds))
    return tuple(Window(begin + n * seconds, begin + (n + 1) * seconds) for n in range(whole))


def _resume(rollout: Rollout, sight: Sight, ruling: Ruling, now: float) -> Decision:
    """Return the rollout at its last proven step; shares only ever fall by that."""
    state = thawed(rollout, now).state
    steps = rollout.strategy.steps
    clusters: dict[ClusterName, Progress] = {}
    for name, each in state.clusters.items():
        seen = sight.of(name)
        stepping = each.phase is ClusterPhase.STEPPING and ruling.step < each.step < len(steps)
        whole = seen is not None and seen.stable_whole
        clusters[name] = _at(each, ruling.step, steps, now) if stepping and whole else each
    want: State = replace(state, clusters=clusters, interruption=None)
    return Decision(want, ruling.reason)


def _at(progress: Progress, step: int, steps: tuple[Step, ...], now: float) -> Progress:
    shares = [each.percent for each in steps[: step + 1] if isinstance(each, SetWeight)]
    percent = min(progress.percent, shares[-1]) if shares else progress.percent
    return replace(progress, step=step, percent=percent, since=now, level_since=None)


def _elsewhere(
    rollout: Rollout, state: State, sight: Sight, ruling: Ruling, now: float
) -> Decision | None:
    """
    Return the rollout without what the only canary had earned; others then begin, as they may.

    Where clusters that are away are waited for, they are.
    """
    if rollout.strategy.unreachable is not Unreachable.SKIP:
        kept = state.interruption or Interruption(now, -1)
        where = ", ".join(
            e.cluster for e in sight.clusters if state.clusters[e.cluster].meets_users
        )
        return hold(replace(state, interruption=kept), f"{where} had the only canary", now)
    want = replace(state, passed=-1, approved=-1, interruption=None)
    return None if want == rollout.state else Decision(want, ruling.reason)
