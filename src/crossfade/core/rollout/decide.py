"""
The next state of one rollout.  Pure: the same inputs always give the same answer.

Users rise only on proof: every cluster that counts has confirmed the step before, and the verdict
on it is good.  Silence is no proof, and no failure either.  Going back is refused while the stable
revision does not run in full: then the new one may be the only good copy, and a person decides.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from crossfade.base.ids import ClusterName
from crossfade.core.rollout import steps
from crossfade.core.rollout.back import roll_back
from crossfade.core.rollout.bars import back_alone, bars, closed_by
from crossfade.core.rollout.interruption import interruptible, thawed
from crossfade.core.rollout.spec import Unreachable
from crossfade.core.rollout.state import (
    ClusterPhase,
    ClusterSight,
    Decision,
    Outcome,
    Phase,
    Progress,
    Rollout,
    Sight,
    State,
)
from crossfade.core.rollout.trouble import trouble
from crossfade.core.rollout.waves import counted, in_wave, may_begin, next_wave
from crossfade.core.rollout.words import names, tell


def decide(rollout: Rollout, sight: Sight, now: float) -> Decision:
    """Return the one next state.  `now` is in seconds, in the clock of the state's times."""
    state = rollout.state
    match state.phase:
        case Phase.ENDED:
            return Decision(state, state.reason)
        case Phase.ROLLING_BACK:
            return roll_back(rollout, sight, now)
        case Phase.INSTALLING | Phase.PROGRESSING | Phase.PROMOTING:
            rollout = replace(rollout, state=_covering(rollout, sight))
            return trouble(rollout, sight, now) or _forward(thawed(rollout, now), sight, now)
        case _:
            assert_never(state.phase)


def _covering(rollout: Rollout, sight: Sight) -> State:
    """Return the state with exactly the clusters that the fleet has; marks who is left out."""
    state = rollout.state
    skip = rollout.strategy.unreachable is Unreachable.SKIP
    clusters = {}
    for each in sight.clusters:
        known = state.clusters.get(each.cluster)
        begun = state.wave >= each.wave and state.phase is not Phase.INSTALLING
        progress = known or Progress(late=begun)  # it came into the fleet meanwhile
        if skip and not each.reachable and progress.phase is not ClusterPhase.BACK:
            progress = replace(progress, late=True)
        clusters[each.cluster] = progress
    kept = state.interruption if interruptible(rollout) else None
    return replace(state, clusters=clusters, interruption=kept)


def _forward(rollout: Rollout, sight: Sight, now: float) -> Decision:
    state = rollout.state
    wave = in_wave(counted(rollout, sight), state.wave)
    if _over(rollout, sight, wave):
        following = next_wave(sight, state)
        if following is None:
            return _succeed(rollout, sight, now)
        if not wave:
            return _begin_wave(rollout, sight, following, f"wave {state.wave + 1} is left out")
        return _next_wave(rollout, sight, following, now)
    hindmost = min((_reached(state.clusters[each.cluster]) for each in wave), default=0)
    states = tuple(state.clusters[each.cluster] for each in wave if each.wave == state.wave)
    turn = steps.Turn(rollout, sight, now, bars(rollout, sight), hindmost, states)
    clusters = dict(state.clusters)
    for each in wave:
        clusters[each.cluster] = _advance(turn, each, wave)
    for each in sight.clusters:
        if clusters[each.cluster].late and each.reachable:
            clusters[each.cluster] = _catch_up(turn, each, clusters, wave)
    after = replace(state, clusters=clusters)
    return _phase(rollout, after, wave, turn)


def _over(rollout: Rollout, sight: Sight, wave: Sequence[ClusterSight]) -> bool:
    """Say whether the wave is done, or has nobody who could begin."""
    states = rollout.state.clusters
    if wave:
        return all(states[each.cluster].phase is ClusterPhase.DONE for each in wave)
    return not any(
        states[each.cluster].late and each.reachable
        for each in sight.clusters
        if each.wave <= rollout.state.wave
    )


def _reached(progress: Progress) -> float:
    """Return the step that the cluster stands at; before the first one while it is installed."""
    match progress.phase:
        case ClusterPhase.STEPPING:
            return progress.step
        case ClusterPhase.DONE:
            return math.inf
        case _:
            return -1


def _advance(turn: steps.Turn, seen: ClusterSight, wave: Sequence[ClusterSight]) -> Progress:
    states = turn.rollout.state.clusters
    progress = states[seen.cluster]
    if progress.phase is not ClusterPhase.WAITING:
        return steps.advance(turn, seen, progress)
    if may_begin(seen, wave, states):
        return steps.begin(turn, progress)
    return replace(progress, reason="waiting for the first cluster")


def _catch_up(
    turn: steps.Turn,
    seen: ClusterSight,
    clusters: Mapping[ClusterName, Progress],
    wave: Sequence[ClusterSight],
) -> Progress:
    """Return the cluster brought to where the hindmost of the others stands, without pauses."""
    progress = clusters[seen.cluster]
    others = [
        clusters[each.cluster]
        for each in wave
        if clusters[each.cluster].phase in {ClusterPhase.STEPPING, ClusterPhase.DONE}
    ]
    if seen.wave > turn.rollout.state.wave or not others:
        return replace(progress, late=False, since=turn.now)
    model = min(others, key=lambda each: (each.step, each.percent))
    why = turn.bars.against(passed=turn.passed(model.step), led=True)
    if why and model.exceeds(progress):
        return replace(progress, reason=why)
    if seen.scale < model.scale or not seen.canary_ready:
        why = f"catching up: {seen.trouble or 'pods are starting'}"
        return replace(progress, phase=ClusterPhase.INSTALLING, scale=model.scale, reason=why)
    at_model = replace(
        model, late=True, since=progress.since, level_since=None, reason="catching up"
    )
    there = replace(progress, level_since=None, reason="catching up") == at_model
    return replace(model, late=False) if there and seen.converged else at_model


def _phase(
    rollout: Rollout, after: State, wave: Sequence[ClusterSight], turn: steps.Turn
) -> Decision:
    """Return the decision with the phase that follows from where the clusters stand."""
    going = [after.clusters[each.cluster] for each in wave]
    runs = [each for each in going if each.phase in {ClusterPhase.STEPPING, ClusterPhase.DONE}]
    last = next_wave(turn.sight, after) is None
    over = [each for each in runs if each.step >= len(turn.steps) and each.percent >= 100]
    phase = after.phase
    if phase is Phase.INSTALLING and runs:
        phase = Phase.PROGRESSING
    if last and runs and len(over) == len(going):
        phase = Phase.PROMOTING
    elif phase is Phase.PROMOTING and any(_has_steps_left(each, turn) for each in runs):
        # All others were rolled back alone, and who catches up has nobody to catch up with.
        phase = Phase.PROGRESSING
    since = turn.now if phase is not after.phase else after.phase_since
    told = tell({each.cluster: after.clusters[each.cluster].reason for each in wave})
    reason = told or "clusters that were away take part again"
    return Decision(replace(after, phase=phase, phase_since=since), reason)


def _has_steps_left(progress: Progress, turn: steps.Turn) -> bool:
    stepping = progress.phase is ClusterPhase.STEPPING and not progress.late
    return stepping and progress.step < len(turn.steps)


def _next_wave(rollout: Rollout, sight: Sight, following: int, now: float) -> Decision:
    state, waves = rollout.state, rollout.strategy.waves
    if state.wave_over is None:
        return Decision(replace(state, wave_over=now, passed=-1), f"wave {state.wave + 1} is done")
    pause = waves[state.wave].pause_seconds if state.wave < len(waves) else 0.0
    passed = state.full or rollout.direct or state.passed >= len(rollout.strategy.steps)
    if now - state.wave_over < pause and not passed:
        return Decision(state, f"wave {state.wave + 1} is done; pausing for {pause:g} s")
    why = "" if passed else back_alone(rollout)
    if why:
        return Decision(state, why)
    return _begin_wave(rollout, sight, following, "")


def _begin_wave(rollout: Rollout, sight: Sight, following: int, told: str) -> Decision:
    state = rollout.state
    why = closed_by(sight)
    if why:
        return Decision(state, why)
    begins = [each.cluster for each in sight.clusters if each.wave == following]
    want = replace(state, wave=following, wave_over=None, passed=-1, approved=-1)
    reason = f"wave {following + 1} begins: {names(begins)}"
    return Decision(want, f"{told}; {reason}" if told else reason)


def _succeed(rollout: Rollout, sight: Sight, now: float) -> Decision:
    state = rollout.state
    back = [name for name, each in state.clusters.items() if each.phase is ClusterPhase.BACK]
    late = [each.cluster for each in sight.clusters if state.clusters[each.cluster].late]
    reason = f"{rollout.canary.id} serves all users"
    if back:
        reason += f", except on {names(back)}: rolled back there"
    if late:
        reason += f"; {names(late)} follows when it is back, without users until then"
    want = replace(state, phase=Phase.ENDED, phase_since=now, outcome=Outcome.SUCCEEDED)
    return Decision(want, reason)
