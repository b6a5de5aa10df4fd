"""
The next state of one rollout.  Pure: the same inputs always give the same answer.

Users rise only on proof: every cluster that counts has confirmed the step before, and the verdict
on it is good.  Silence is no proof, and no failure either.  Going back is refused while the stable
revision does not run in full: then the new one may be the only good copy, and a person decides.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.thresholds import Verdict
from crossfade.core.application import Pause, SetWeight, Unreachable
from crossfade.core.rollout.state import (
    ClusterSight,
    Decision,
    Outcome,
    Phase,
    Rollout,
    Sight,
    State,
)


def decide(rollout: Rollout, sight: Sight, now: float) -> Decision:
    """Return the one next state.  `now` is in seconds, in the clock of the state's times."""
    state = rollout.state
    match state.phase:
        case Phase.ENDED:
            return Decision(state, state.reason)
        case Phase.ROLLING_BACK:
            return _roll_back(rollout, sight, now)
        case Phase.INSTALLING | Phase.PROGRESSING | Phase.PROMOTING:
            return _trouble(rollout, sight, now) or _forward(rollout, sight, now)
        case _:
            assert_never(state.phase)


def _trouble(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return what must come before any progress: a bad verdict, a silent cluster, a person."""
    state = rollout.state
    if state.abort:
        return _go_back(rollout, sight, now, state.abort)
    judged = state.percent > 0 and rollout.stable is not None and not rollout.swap
    if judged and sight.judgement.verdict is Verdict.FAIL:
        return _go_back(rollout, sight, now, f"analysis failed: {sight.judgement.reason}")
    for cluster in sight.clusters:
        if cluster.refused and state.phase is Phase.INSTALLING:
            return _go_back(rollout, sight, now, f"{cluster.cluster}: {cluster.trouble}")
    away = [each for each in sight.clusters if not each.reachable]
    why = _silence(away)
    if away and rollout.strategy.unreachable is Unreachable.FAIL:
        return _go_back(rollout, sight, now, why)
    if away and rollout.strategy.unreachable is Unreachable.HOLD:
        return _hold(rollout, why)
    if not _counted(rollout, sight):
        return _hold(rollout, "no cluster can be reached" if away else "no cluster is selected")
    if state.paused:
        return Decision(state, "paused; `crossfade rollout resume` goes on")
    return None


def _silence(away: Sequence[ClusterSight]) -> str:
    told = next((each.trouble for each in away if each.trouble), "")
    return f"{_names(away)} cannot be reached" + (f": {told}" if told else "")


def _forward(rollout: Rollout, sight: Sight, now: float) -> Decision:
    match rollout.state.phase:
        case Phase.INSTALLING:
            return _install(rollout, sight, now)
        case Phase.PROMOTING:
            return _promote(rollout, sight, now)
        case _:
            return _progress(rollout, sight, now)


def _install(rollout: Rollout, sight: Sight, now: float) -> Decision:
    state = rollout.state
    waiting = [each for each in _counted(rollout, sight) if not each.canary_ready]
    if waiting:
        first = waiting[0]
        why = first.trouble or "pods are starting"
        reason = f"{rollout.canary.id} is not ready on {_names(waiting)}: {why}"
        if now - state.phase_since > rollout.strategy.ready_seconds:
            return _go_back(rollout, sight, now, f"deadline exceeded; {reason}")
        return Decision(state, reason)
    if rollout.stable is None or rollout.swap or state.full or not rollout.strategy.steps:
        return _enter(state, Phase.PROMOTING, 100, now, "ready everywhere; all users follow")
    want = replace(state, phase=Phase.PROGRESSING, phase_since=now, level_since=now)
    return Decision(want, "ready everywhere; the first step begins")


def _progress(rollout: Rollout, sight: Sight, now: float) -> Decision:
    state = rollout.state
    if state.full:
        return _enter(state, Phase.PROMOTING, 100, now, "promoted in full by a person")
    late = [each for each in _counted(rollout, sight) if not each.converged]
    if late:
        why = late[0].trouble or "the route is not in force yet"
        return Decision(
            replace(state, level_since=None), f"{state.percent} % not yet on {_names(late)}: {why}"
        )
    if state.level_since is None:
        reason = f"{state.percent} % confirmed by every cluster"
        return Decision(replace(state, level_since=now), reason)
    unready = [each for each in _counted(rollout, sight) if not each.canary_ready]
    if unready:
        why = unready[0].trouble or "pods are not ready"
        return _hold(rollout, f"{rollout.canary.id} on {_names(unready)}: {why}")
    return _step(rollout, sight, state.level_since, now)


def _step(rollout: Rollout, sight: Sight, level_since: float, now: float) -> Decision:
    state, steps = rollout.state, rollout.strategy.steps
    if state.step >= len(steps):
        return _unproven(rollout, sight) or _enter(
            state, Phase.PROMOTING, 100, now, "all steps passed; all users follow"
        )
    step = steps[state.step]
    passed = state.passed >= state.step
    match step:
        case SetWeight(percent) if percent > state.percent:
            want = replace(state, percent=percent, step=state.step + 1, level_since=None)
            return _unproven(rollout, sight) or Decision(want, f"step to {percent} %")
        case SetWeight(percent):
            level = level_since if percent == state.percent else None
            want = replace(state, percent=percent, step=state.step + 1, level_since=level)
            return Decision(want, f"step to {percent} %")
        case Pause(None) if not passed:
            return Decision(state, f"paused at {state.percent} % until promoted")
        case Pause(seconds) if not passed and seconds and now - level_since < seconds:
            return Decision(state, f"pausing at {state.percent} % for {seconds:g} s")
        case Pause():
            want = replace(state, step=state.step + 1, level_since=now)
            return Decision(want, f"pause at {state.percent} % is over")
        case _:
            assert_never(step)


def _unproven(rollout: Rollout, sight: Sight) -> Decision | None:
    """Return why users must not rise yet, None when the current share is proven."""
    state = rollout.state
    if state.percent == 0 or rollout.errors is None or rollout.swap:
        return None
    if sight.judgement.verdict is Verdict.PASS or state.passed >= state.step:
        return None
    advice = f"`crossfade rollout promote {rollout.application}` goes on without one"
    return _hold(rollout, f"{sight.judgement.reason}; {advice}")


def _promote(rollout: Rollout, sight: Sight, now: float) -> Decision:
    state = rollout.state
    late = [each for each in _counted(rollout, sight) if not each.converged]
    if late:
        why = late[0].trouble or "the route is not in force yet"
        return Decision(state, f"100 % not yet on {_names(late)}: {why}")
    left_out = [each.cluster for each in sight.clusters if not each.reachable]
    reason = f"{rollout.canary.id} serves all users"
    if left_out:
        reason += f"; {_names(left_out)} follows when it is back, without users until then"
    want = replace(
        state, phase=Phase.ENDED, phase_since=now, outcome=Outcome.SUCCEEDED, level_since=now
    )
    return Decision(want, reason)


def _go_back(rollout: Rollout, sight: Sight, now: float, why: str) -> Decision:
    """Return to stable, unless stable could not take the users."""
    state = rollout.state
    if state.percent > 0:
        if rollout.stable is None:
            return _hold(rollout, f"{why}; there is no older revision to go back to")
        broken = [each for each in sight.clusters if each.reachable and not each.stable_whole]
        if broken:
            return _hold(
                rollout,
                f"{why}; {rollout.stable.id} does not run in full on {_names(broken)}, so nothing"
                " is moved back",
            )
    want = replace(
        state, phase=Phase.ROLLING_BACK, percent=0, phase_since=now, level_since=None, reason=why
    )
    return Decision(want, why)


def _roll_back(rollout: Rollout, sight: Sight, now: float) -> Decision:
    """Wait until every cluster has confirmed; a cluster that is away stays pending."""
    state = rollout.state
    pending = tuple(each.cluster for each in sight.clusters if not each.converged)
    done, total = len(sight.clusters) - len(pending), len(sight.clusters)
    why = state.reason.split("; rolled back ")[0]
    if pending:
        reason = f"{why}; rolled back {done}/{total}, pending {_names(pending)}"
        return Decision(replace(state, pending=pending), reason)
    want = replace(
        state, phase=Phase.ENDED, phase_since=now, outcome=Outcome.ROLLED_BACK, pending=()
    )
    return Decision(want, f"{why}; rolled back {done}/{total}")


def _counted(rollout: Rollout, sight: Sight) -> list[ClusterSight]:
    """Return the clusters that must follow before the next step."""
    if rollout.strategy.unreachable is Unreachable.SKIP:
        return [each for each in sight.clusters if each.reachable]
    return list(sight.clusters)


def _enter(state: State, phase: Phase, percent: int, now: float, reason: str) -> Decision:
    want = replace(state, phase=phase, percent=percent, phase_since=now, level_since=None)
    return Decision(want, reason)


def _hold(rollout: Rollout, reason: str) -> Decision:
    return Decision(rollout.state, f"holding: {reason}")


def _names(clusters: Sequence[ClusterSight | ClusterName]) -> str:
    return ", ".join(each.cluster if isinstance(each, ClusterSight) else each for each in clusters)
