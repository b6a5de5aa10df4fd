"""What people can ask of a rollout, as pure changes of its state."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from crossfade.base.errors import Conflict
from crossfade.core.rollout.state import Outcome, Phase, Rollout

Rule: TypeAlias = Callable[[Rollout], Rollout]


def promote(rollout: Rollout, *, full: bool) -> Rollout:
    """
    Return the rollout let past its current step, or given all users when `full`.

    It ends a pause and lets a share pass that has no verdict yet; a bad verdict still counts.
    Raises Conflict when it is over or on its way back.
    """
    _require(rollout, "promote", Phase.INSTALLING, Phase.PROGRESSING)
    state = replace(rollout.state, paused=False)
    if full:
        return replace(rollout, state=replace(state, full=True))
    if rollout.state.phase is Phase.INSTALLING:
        raise Conflict(
            f"{rollout.canary.id} is still being installed",
            hint="wait for the first step, or add `--full` to give it all users once it is ready",
        )
    return replace(rollout, state=replace(state, passed=state.step))


def pause(rollout: Rollout) -> Rollout:
    """Return the rollout held where it is.  Raises Conflict when there is nothing to hold."""
    _require(rollout, "pause", Phase.INSTALLING, Phase.PROGRESSING, Phase.PROMOTING)
    return replace(rollout, state=replace(rollout.state, paused=True))


def resume(rollout: Rollout) -> Rollout:
    """Return the rollout no longer held by a person.  Raises Conflict when it is over."""
    _require(rollout, "resume", Phase.INSTALLING, Phase.PROGRESSING, Phase.PROMOTING)
    return replace(rollout, state=replace(rollout.state, paused=False))


def abort(rollout: Rollout, why: str) -> Rollout:
    """
    Return the rollout asked to give its users back to the stable revision.

    Raises Conflict when it is over, already on its way back, or the first deployment
    that already has users: there is nothing to go back to.
    """
    _require(rollout, "abort", Phase.INSTALLING, Phase.PROGRESSING, Phase.PROMOTING)
    if rollout.stable is None and rollout.state.percent > 0:
        raise Conflict(
            "this is the first revision: there is no older one to go back to",
            hint="deploy a better revision with `crossfade deploy`",
        )
    return replace(rollout, state=replace(rollout.state, abort=why, paused=False))


def supersede(rollout: Rollout, by: str) -> Rollout:
    """Return the rollout ended because a newer one takes its place."""
    reason = f"superseded by {by}"
    state = replace(
        rollout.state, phase=Phase.ENDED, percent=0, outcome=Outcome.SUPERSEDED, reason=reason
    )
    return replace(rollout, state=state)


def _require(rollout: Rollout, command: str, *phases: Phase) -> None:
    outcome = rollout.state.outcome.value
    if rollout.state.phase not in phases:
        raise Conflict(
            f"cannot {command} rollout {rollout.application}.{rollout.number}:"
            f" it is {f'over ({outcome})' if outcome else rollout.state.phase}",
            hint="`crossfade rollout list` shows what is under way",
        )
