"""Steps of rollouts as pieces of the work that has asked for the rollout."""

from crossfade.base import tracing
from crossfade.core.rollout.state import ClusterPhase, Phase, Rollout, State


def tell_step(before: Rollout, after: Rollout, now: float) -> None:
    """Have the step or phase taken down that is over, once the hindmost cluster has passed it."""
    if _place(before.state) == _place(after.state):
        return
    state, rollout = before.state, after
    stepping = state.phase is Phase.PROGRESSING
    name = f"rollout step {state.step + 1}" if stepping else f"rollout {state.phase.value}"
    tracing.past(
        name,
        before.traceparent,
        _since(before),
        now,
        application=rollout.application,
        rollout=rollout.number,
        revision=rollout.canary.id,
        percent=state.percent,
        phase=state.phase.value,
        outcome=after.state.outcome.value,
        reason=after.state.reason,
    )


def _place(state: State) -> tuple[Phase, int]:
    return state.phase, state.step if state.phase is Phase.PROGRESSING else 0


def _since(rollout: Rollout) -> float:
    """Return when the step began: with the first cluster that came to it."""
    state = rollout.state
    if state.phase is Phase.PROGRESSING:
        at = [
            each.since
            for each in state.clusters.values()
            if each.phase is ClusterPhase.STEPPING and each.step == state.step
        ]
        if at:
            return min(at)
    return state.phase_since or rollout.started_at
