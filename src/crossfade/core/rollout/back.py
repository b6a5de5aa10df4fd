"""Taking users back to the stable revision, in one cluster or everywhere.  Pure."""

from collections.abc import Collection
from dataclasses import replace

from crossfade.base.ids import ClusterName
from crossfade.core.rollout.state import (
    ClusterPhase,
    Decision,
    Outcome,
    Phase,
    Progress,
    Rollout,
    Sight,
    State,
)
from crossfade.core.rollout.words import names


def hold(state: State, reason: str, now: float) -> Decision:
    """Return the decision to leave everything as it is; clocks stand still until it goes on."""
    since = now if state.held_since is None else state.held_since
    return Decision(replace(state, held_since=since), f"holding: {reason}")


def given_back(progress: Progress, now: float, reason: str) -> Progress:
    """Return the cluster with no user left on the new revision."""
    left = progress.without_users(now)
    return replace(left, phase=ClusterPhase.BACK, late=False, reason=reason)


def broken_stable(rollout: Rollout, sight: Sight) -> list[ClusterName]:
    """Return the clusters whose stable revision could not take its users back now."""
    states = rollout.state.clusters
    return [
        each.cluster
        for each in sight.clusters
        if each.reachable
        and not each.stable_whole
        and each.cluster in states
        and states[each.cluster].percent > 0
    ]


def go_back(rollout: Rollout, sight: Sight, now: float, why: str) -> Decision:
    """Return to stable everywhere, unless stable could not take the users."""
    state = rollout.state
    if state.percent > 0:
        if rollout.stable is None:
            return hold(state, f"{why}; there is no older revision to go back to", now)
        broken = broken_stable(rollout, sight)
        if broken:
            return hold(
                state,
                f"{why}; {rollout.stable.id} does not run in full on {names(broken)}, so nothing"
                " is moved back",
                now,
            )
    clusters = {name: given_back(each, now, why) for name, each in state.clusters.items()}
    want = replace(
        state, phase=Phase.ROLLING_BACK, clusters=clusters, phase_since=now, held_since=None
    )
    return Decision(replace(want, reason=why), why)


def go_back_alone(
    rollout: Rollout, sight: Sight, now: float, where: Collection[ClusterName], why: str
) -> Decision:
    """Return the named clusters to stable; the others stay where they are."""
    state = rollout.state
    broken = [name for name in broken_stable(rollout, sight) if name in where]
    if broken and rollout.stable is not None:
        reason = f"{why}; {rollout.stable.id} does not run in full on {names(broken)}"
        return hold(state, f"{reason}, so nothing is moved back there", now)
    clusters = {
        name: given_back(each, now, why) if name in where else each
        for name, each in state.clusters.items()
    }
    reason = f"{why}; {names(sorted(where))} goes back to the stable revision, alone"
    return Decision(replace(state, clusters=clusters), reason)


def roll_back(rollout: Rollout, sight: Sight, now: float) -> Decision:
    """Wait until every cluster has confirmed; a cluster that is away stays pending."""
    state = rollout.state
    pending = tuple(each.cluster for each in sight.clusters if not each.converged)
    done, total = len(sight.clusters) - len(pending), len(sight.clusters)
    why = state.reason.split("; rolled back ")[0]
    if pending:
        reason = f"{why}; rolled back {done}/{total}, pending {names(pending)}"
        return Decision(replace(state, pending=pending), reason)
    want = replace(
        state, phase=Phase.ENDED, phase_since=now, outcome=Outcome.ROLLED_BACK, pending=()
    )
    return Decision(want, f"{why}; rolled back {done}/{total}")
