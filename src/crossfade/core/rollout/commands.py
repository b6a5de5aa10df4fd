"""What people can ask of a rollout, as pure changes of its state."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from crossfade.base.errors import Conflict
from crossfade.core.rollout.spec import Approval
from crossfade.core.rollout.state import (
    ClusterPhase,
    Outcome,
    Phase,
    Progress,
    Rollout,
    State,
)


class Command(StrEnum):
    """The commands on a rollout, as they are typed."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    PROMOTE_FULL = "promote --full"
    SKIP = "skip"
    APPROVE = "approve"
    ABORT = "abort"
    RETRY = "retry"
    RESTART = "restart"
    UNDO = "undo"


_ADVICE = "`crossfade rollout list` shows what is under way"
_MOVING = (Phase.INSTALLING, Phase.PROGRESSING, Phase.PROMOTING)


@dataclass(frozen=True, slots=True)
class Begin:
    """A new rollout is to be started: `again` to the same revision, else to another one."""

    again: bool


Effect: TypeAlias = Rollout | Begin


def perform(rollout: Rollout, command: Command, why: str = "") -> Effect:
    """
    Return the rollout after the command, or that a new one is to be started.

    Args:
        rollout: as it was read.
        command: what is asked.
        why: the reason that is given to an abort.

    Raises Conflict, with what to do instead, where the command has no meaning.
    """
    if command is Command.ABORT:
        return _abort(rollout, why)
    return _RULES[command](rollout)


def supersede(rollout: Rollout, by: str) -> Rollout:
    """Return the rollout ended because a newer one takes its place; nobody is left on it."""
    clusters = {
        name: replace(each, phase=ClusterPhase.BACK, percent=0.0, headers=(), mirror=0)
        for name, each in rollout.state.clusters.items()
    }
    state = replace(
        rollout.state,
        phase=Phase.ENDED,
        clusters=clusters,
        outcome=Outcome.SUPERSEDED,
        reason=f"superseded by {by}",
    )
    return _with(rollout, state)


def _pause(rollout: Rollout) -> Rollout:
    _require(rollout, Command.PAUSE, *_MOVING)
    return _with(rollout, replace(rollout.state, paused=True))


def _resume(rollout: Rollout) -> Rollout:
    _require(rollout, Command.RESUME, *_MOVING)
    return _with(rollout, replace(rollout.state, paused=False))


def _promote_full(rollout: Rollout) -> Rollout:
    _require(rollout, Command.PROMOTE_FULL, *_MOVING)
    return _with(rollout, replace(rollout.state, paused=False, full=True))


def _promote(rollout: Rollout) -> Rollout:
    """Return the rollout past what it waits for; a bad verdict still counts."""
    _require(rollout, Command.PROMOTE, Phase.INSTALLING, Phase.PROGRESSING)
    state = rollout.state
    between = state.wave_over is not None
    passed = len(rollout.strategy.steps) if between else _stepping(rollout, Command.PROMOTE)
    back = tuple(name for name, each in state.clusters.items() if each.phase is ClusterPhase.BACK)
    return _with(rollout, replace(state, paused=False, passed=passed, without=back))


def _skip(rollout: Rollout) -> Rollout:
    """Return the rollout without its current step, whatever that is."""
    _require(rollout, Command.SKIP, Phase.PROGRESSING)
    _stepping(rollout, Command.SKIP)
    at, count = min(_steps(rollout)), len(rollout.strategy.steps)
    if at >= count:
        raise Conflict(
            "all steps are over; what is left is all users", hint="`--full` gives it all users"
        )
    # What comes next is timed from the next look on: without it a pause could be over at once.
    clusters = {
        name: replace(each, step=at + 1, level_since=None)
        if _steps_on(each) and each.step == at
        else each
        for name, each in rollout.state.clusters.items()
    }
    return _with(rollout, replace(rollout.state, clusters=clusters))


def _approve(rollout: Rollout) -> Rollout:
    _require(rollout, Command.APPROVE, Phase.PROGRESSING)
    steps = rollout.strategy.steps
    waiting = [
        step for step in _steps(rollout) if step < len(steps) and isinstance(steps[step], Approval)
    ]
    if not waiting:
        raise Conflict(
            f"rollout {rollout.application}.{rollout.number} waits for no approval",
            hint="`crossfade rollout promote` lets it past another step",
        )
    approved = max(rollout.state.approved, *waiting)
    return _with(rollout, replace(rollout.state, approved=approved))


def _abort(rollout: Rollout, why: str) -> Rollout:
    _require(rollout, Command.ABORT, *_MOVING)
    if rollout.stable is None and rollout.state.percent > 0:
        raise Conflict(
            "this is the first revision: there is no older one to go back to",
            hint="deploy a better revision with `crossfade deploy`",
        )
    state = replace(rollout.state, abort=why or "aborted by a person", paused=False)
    return _with(rollout, state)


def _retry(rollout: Rollout) -> Effect:
    """Return a new go for what was taken back: the whole rollout, or single clusters of it."""
    state = rollout.state
    if state.outcome is Outcome.ROLLED_BACK:
        return Begin(again=True)
    _require(rollout, Command.RETRY, *_MOVING)
    back = {name for name, each in state.clusters.items() if each.phase is ClusterPhase.BACK}
    if not back:
        raise Conflict(
            "nothing of this rollout has been taken back",
            hint="`crossfade rollout restart` begins again with the first step",
        )
    clusters = {
        name: Progress(late=True) if name in back else each for name, each in state.clusters.items()
    }
    return _with(rollout, replace(state, clusters=clusters, without=()))


def _restart(rollout: Rollout) -> Effect:
    if rollout.state.phase is Phase.ENDED:
        return Begin(again=False)
    _require(rollout, Command.RESTART, Phase.INSTALLING, Phase.PROGRESSING)
    if rollout.direct:
        raise Conflict(
            f"rollout {rollout.application}.{rollout.number} gives all users at once: it has no"
            " first step to begin again with",
            hint="`crossfade rollout abort` takes it back, if there is an older revision",
        )
    return _with(rollout, replace(rollout.state, restart=True, paused=False, full=False))


def _undo(rollout: Rollout) -> Effect:
    if rollout.active:
        raise Conflict(
            f"rollout {rollout.application}.{rollout.number} is under way",
            hint=f"`crossfade rollout abort {rollout.application}` takes it back",
        )
    return Begin(again=False)


_RULES: dict[Command, Callable[[Rollout], Effect]] = {
    Command.PAUSE: _pause,
    Command.RESUME: _resume,
    Command.PROMOTE: _promote,
    Command.PROMOTE_FULL: _promote_full,
    Command.SKIP: _skip,
    Command.APPROVE: _approve,
    Command.RETRY: _retry,
    Command.RESTART: _restart,
    Command.UNDO: _undo,
}


def _stepping(rollout: Rollout, command: Command) -> int:
    """Return the step of the foremost cluster; raises Conflict when none goes through steps."""
    steps = _steps(rollout)
    if not steps:
        raise Conflict(
            f"cannot {command}: {rollout.canary.id} is still being installed",
            hint="wait for the first step, or `promote --full` gives it all users once it is ready",
        )
    return max(steps)


def _steps(rollout: Rollout) -> list[int]:
    """Return where the clusters stand that go through their steps."""
    return [each.step for each in rollout.state.clusters.values() if _steps_on(each)]


def _steps_on(progress: Progress) -> bool:
    return progress.phase is ClusterPhase.STEPPING and not progress.late


def _with(rollout: Rollout, state: State) -> Rollout:
    return replace(rollout, state=state)


def _require(rollout: Rollout, command: Command, *phases: Phase) -> None:
    outcome = rollout.state.outcome.value
    if rollout.state.phase not in phases:
        now = f"over ({outcome})" if outcome else rollout.state.phase
        name = f"{rollout.application}.{rollout.number}"
        raise Conflict(f"cannot {command} rollout {name}: it is {now}", hint=_ADVICE)
