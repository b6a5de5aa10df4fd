"""What must come before any progress: a bad verdict, a silent cluster, a deadline, a person."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.release.report import Cause
from crossfade.core.rollout.back import broken_stable, go_back, go_back_alone, hold
from crossfade.core.rollout.interruption import begin_again, interrupted
from crossfade.core.rollout.spec import Analyse, Unreachable
from crossfade.core.rollout.state import (
    ClusterPhase,
    ClusterSight,
    Decision,
    Progress,
    Rollout,
    Sight,
)
from crossfade.core.rollout.waves import counted, in_wave
from crossfade.core.rollout.words import names


def trouble(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return what must be done at once, or why nothing may move; None when all is well."""
    return (
        _bad(rollout, sight, now)
        or _expired(rollout, sight, now)
        or _restart(rollout, sight, now)
        or _ended(rollout, sight, now)
        or interrupted(rollout, sight, now)
        or _absent(rollout, sight, now)
        or _overdue(rollout, sight, now)
    )


def _bad(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return the way back from a bad revision, or from one that a person does not want."""
    state = rollout.state
    if state.abort or sight.unwanted:
        return go_back(rollout, sight, now, state.abort or sight.unwanted)
    if state.meets_users and not rollout.direct and sight.judgement.verdict is Verdict.FAIL:
        failed = _failed(rollout, sight, now)
        if failed is not None:
            return failed
    for name, run in sight.runs.items():
        watched = run.background or name in _awaited(rollout)
        if watched and run.verdict is Verdict.FAIL and not rollout.direct:
            return go_back(rollout, sight, now, f"analysis {name} failed: {run.reason}")
    return _refused(rollout, sight, now)


def _refused(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return the way back from a revision that a cluster will never run."""
    for each in sight.clusters:
        progress = rollout.state.clusters[each.cluster]
        if each.refused and progress.phase is ClusterPhase.INSTALLING:
            why = f"{each.cluster}: {each.trouble}"
            if progress.late:  # the others have gone on without it
                return go_back_alone(rollout, sight, now, {each.cluster}, why)
            return go_back(rollout, sight, now, why)
    return None


def _failed(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return the way back: in the clusters where it is bad, when it is good in others."""
    why = f"analysis failed: {sight.judgement.reason}"
    users = {name for name, each in rollout.state.clusters.items() if each.meets_users}
    bad = users & set(sight.judgement.scope)
    if sight.judgement.scope and not bad:
        return None  # they have been taken back already
    if _lost_with_nodes(sight, bad or users):
        return begin_again(rollout, sight, bad or users, now)
    if bad and bad != users:
        return go_back_alone(rollout, sight, now, bad, why)
    return go_back(rollout, sight, now, why)


def _lost_with_nodes(sight: Sight, where: Collection[ClusterName]) -> bool:
    """Say whether nodes took the new revision's pods away in all these clusters."""
    return {each.cluster for each in sight.clusters if each.cause is Cause.NODE} >= set(where)


def _awaited(rollout: Rollout) -> Iterator[str]:
    """Return the analysis runs that a cluster's present step waits for."""
    steps = rollout.strategy.steps
    for each in rollout.state.clusters.values():
        if each.phase is ClusterPhase.STEPPING and each.step < len(steps):
            step = steps[each.step]
            if isinstance(step, Analyse) and step.run is not None:
                yield step.run


def _restart(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return the rollout at its first step again, when a person asked for it."""
    state = rollout.state
    if not state.restart:
        return None
    broken = broken_stable(rollout, sight)
    if broken:
        return hold(state, f"restart: stable does not run in full on {names(broken)}", now)
    clusters = {name: _from_the_start(each, now) for name, each in state.clusters.items()}
    want = replace(
        state,
        clusters=clusters,
        restart=False,
        passed=-1,
        approved=-1,
        wave=0,
        wave_over=None,
        held_since=None,
    )
    return Decision(want, "begins again with the first step")


def _from_the_start(progress: Progress, now: float) -> Progress:
    runs = progress.phase in {ClusterPhase.STEPPING, ClusterPhase.DONE}
    phase = ClusterPhase.STEPPING if runs else progress.phase
    return replace(progress.without_users(now), phase=phase, step=0, fixed_scale=None)


def _ended(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return the way back where a cluster out of reach ends the rollout."""
    away = _away(rollout, sight)
    if not away or rollout.strategy.unreachable is not Unreachable.FAIL:
        return None
    return go_back(rollout, sight, now, _silence(away))


def _away(rollout: Rollout, sight: Sight) -> list[ClusterSight]:
    return [
        each
        for each in sight.clusters
        if not each.reachable
        and rollout.state.clusters[each.cluster].phase is not ClusterPhase.BACK
    ]


def _absent(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return what is to be done about clusters that cannot be reached."""
    state, rule, away = rollout.state, rollout.strategy.unreachable, _away(rollout, sight)
    why = _silence(away)
    if away and rule is Unreachable.HOLD:
        return hold(state, why, now)
    late = [each for each in sight.clusters if each.reachable and state.clusters[each.cluster].late]
    taking_part = [*counted(rollout, sight), *late]  # who is back must be let catch up
    if not taking_part:
        back = state.clusters and not away
        none = "every cluster was taken back" if back else "no cluster is selected"
        return hold(state, "no cluster can be reached" if away else none, now)
    quorum = min(rollout.strategy.quorum, len(sight.clusters))
    if len(taking_part) < quorum:
        here = f"{len(taking_part)} of {len(sight.clusters)} clusters take part"
        return hold(state, f"{here}, the quorum is {quorum}", now)
    if state.paused:
        held = hold(state, "", now)
        return Decision(held.want, "paused; `crossfade rollout resume` goes on")
    return None


def _silence(away: Sequence[ClusterSight]) -> str:
    told = next((each.trouble for each in away if each.trouble), "")
    where = names(each.cluster for each in away)
    return f"{where} cannot be reached" + (f": {told}" if told else "")


def _expired(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return the way back when the whole rollout has taken too long, held or not."""
    limit = rollout.strategy.deadlines.whole_seconds
    if limit is None or now - rollout.started_at <= limit or _no_way_back(rollout):
        return None
    return go_back(rollout, sight, now, f"deadline exceeded: not done after {limit:g} s")


def _no_way_back(rollout: Rollout) -> bool:
    """Say whether users have nothing but the new revision: then it may take its time."""
    return rollout.stable is None and rollout.state.percent > 0


def _overdue(rollout: Rollout, sight: Sight, now: float) -> Decision | None:
    """Return the way back when a cluster has taken too long; times while held do not count."""
    state = rollout.state
    if _no_way_back(rollout):
        return None
    now_running = now if state.held_since is None else state.held_since
    for each in in_wave(counted(rollout, sight), state.wave):
        progress = state.clusters[each.cluster]
        late = _too_late(rollout, each, progress, now_running - progress.since)
        if late:
            return go_back(rollout, sight, now, f"deadline exceeded; {late}")
    return None


def _too_late(rollout: Rollout, seen: ClusterSight, progress: Progress, elapsed: float) -> str:
    limits, canary = rollout.strategy.deadlines, rollout.canary.id
    ready = seen.canary_ready and seen.scale >= progress.scale
    installing = progress.phase is ClusterPhase.INSTALLING and not ready
    if installing and elapsed > limits.ready_seconds:
        if seen.cause is Cause.NODE:
            return ""  # the version is not to blame: it waits for the nodes
        return f"{canary} is not ready on {seen.cluster}: {seen.trouble or 'pods are starting'}"
    unconfirmed = progress.level_since is None and not seen.converged
    moving = progress.phase is ClusterPhase.STEPPING and unconfirmed
    if moving and limits.step_seconds is not None and elapsed > limits.step_seconds:
        why = seen.trouble or "the route is not in force"
        return f"step {progress.step + 1} is not confirmed by {seen.cluster}: {why}"
    return ""
