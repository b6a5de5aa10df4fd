"""What waits for a person.  What goes on by itself does not; nothing is asked of a cluster."""

from collections.abc import Iterable
from dataclasses import dataclass

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.application import Application
from crossfade.core.failover.evidence import DOWN, Condition
from crossfade.core.failover.failback import Failback
from crossfade.core.failover.failback import Phase as Return
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.users import Users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.fleet.edges import EdgeState
from crossfade.core.rollout.spec import Approval, Pause
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase, Rollout


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that somebody should look at."""

    urgent: bool
    """Users may be served worse while nobody does."""
    what: str
    why: str
    application: ApplicationName | None = None
    cluster: ClusterName | None = None
    build: str | None = None
    """Number of the build that it is about."""


def of_rollout(rollout: Rollout) -> Need | None:
    """Return what the newest rollout of an application waits for, None when for nobody."""
    name, state = rollout.application, rollout.state
    if state.phase is Phase.ROLLING_BACK and state.pending:
        pending = ", ".join(state.pending)
        return Need(True, f"{name} is not rolled back on {pending} yet", state.reason, name)
    if state.phase is Phase.ENDED:
        if state.outcome is Outcome.ROLLED_BACK:
            what = f"{name} was taken back to {rollout.stable.id if rollout.stable else 'nothing'}"
            return Need(False, what, state.reason, name)
        return None
    if state.paused:
        return Need(False, f"{name} is paused", state.reason, name)
    if state.phase is not Phase.PROGRESSING:
        return None
    asked = _asked(rollout)
    if asked:
        return Need(False, f"{name} {asked}", state.reason, name)
    if "`crossfade rollout promote" in state.reason and state.held_since is not None:
        return Need(False, f"{name} holds until you decide", state.reason, name)
    return None


def _asked(rollout: Rollout) -> str:
    """Return what the step that clusters stand at asks of a person, "" when nothing."""
    state, steps = rollout.state, rollout.strategy.steps
    for each in state.clusters.values():
        if each.phase is not ClusterPhase.STEPPING or each.late or each.step >= len(steps):
            continue
        match steps[each.step]:
            case Approval(message) if state.approved < each.step:
                return f"waits for an approval{f': {message}' if message else ''}"
            case Pause(None) if state.passed < each.step:
                return "waits until somebody promotes it"
            case _:
                continue
    return ""


def of_cluster(health: ClusterHealth, wish: ClusterWish) -> Need | None:
    """Return why somebody should look at the cluster, None when nobody needs to."""
    name, why = health.cluster, health.detail or health.reason
    if health.condition in DOWN:
        return Need(True, f"{name} serves nobody", why, cluster=name)
    if health.condition is Condition.GREY:
        return Need(True, f"{name} serves worse than the others", why, cluster=name)
    if not health.api.up:
        what = f"the API of {name} does not answer; its users are served"
        return Need(False, what, why, cluster=name)
    if wish.drained:
        return Need(False, f"{name} is drained", "until somebody restores it", cluster=name)
    return None


def of_return(
    application: Application, users: Users, cluster: ClusterName, health: ClusterHealth
) -> Need | None:
    """Return that users could come back to the cluster if a person said so, None when not."""
    back = users.returns.get(cluster)
    waits = back is not None and back.phase is Return.WAITING
    if not waits or application.failover.failback is Failback.RAMP or not health.stands.serves:
        return None
    what = f"users of {application.name} can come back to {cluster} when somebody restores it"
    return Need(False, what, users.reasons.get(cluster, ""), cluster=cluster)


def of_edges(edges: Iterable[EdgeState]) -> tuple[Need, ...]:
    """Return the edges that are gone, or that refuse the plan."""
    found = []
    for each in edges:
        if each.gone_since is not None:
            why = "its users are served while it lives"
            found.append(Need(True, f"the edge {each.edge} is not connected", why))
        elif each.refused:
            found.append(Need(True, f"the edge {each.edge} keeps its last plan", each.refused))
    return tuple(found)
