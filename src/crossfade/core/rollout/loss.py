"""What a rollout sees of the loss of a cluster, and of users who come back to it.  Pure."""

from dataclasses import replace

from crossfade.core.application import Failover
from crossfade.core.failover.evidence import DOWN, Condition, Statement
from crossfade.core.failover.failback import Phase
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.users import Users
from crossfade.core.rollout.state import ClusterSight


def beside(
    sight: ClusterSight,
    health: ClusterHealth | None,
    users: Users,
    failover: Failover,
    *,
    only_new_fails: bool,
) -> ClusterSight:
    """
    Return the sight with what is known of the cluster's health and users.

    Args:
        sight: what the cluster itself reports.
        health: None while nobody has looked at it.
        users: where the application's users are.
        failover: how users leave and return; a step of a return that lasts longer moves nobody.
        only_new_fails: what was counted there speaks against the new revision alone.
    """
    # What is asked of a cloud without nodes does not happen, whoever takes the order.
    gone = health is not None and health.statement is Statement.LOST
    back = users.returns.get(sight.cluster)
    moving = back is not None and back.phase in {Phase.RAMPING, Phase.BACK}
    return replace(
        sight,
        condition=Condition.HEALTHY if health is None else _condition(health),
        statement=Statement.FINE if health is None else _statement(health),
        reachable=sight.reachable and not gone,
        converged=sight.converged and not gone,
        lost_at=None if health is None else _lost_at(health),
        # Edges leave a dead cluster by themselves, also where the hub takes none out.
        left=users.share(sight.cluster) == 0 or not failover.auto,
        return_until=back.since + failover.step_seconds if back is not None and moving else 0.0,
        only_new_fails=only_new_fails,
    )


def _condition(health: ClusterHealth) -> Condition:
    if _out_of_sight(health):
        gone = health.statement is Statement.LOST
        return Condition.BOTH_DOWN if gone else Condition.DATA_PLANE_DOWN
    if health.condition is Condition.GREY and health.stands.serves:
        return Condition.HEALTHY  # its users stay; the judge compares within the cluster
    return health.condition


def _statement(health: ClusterHealth) -> Statement:
    """Return what it says of its loss: that it is well inside proves nothing unless it is seen."""
    if _out_of_sight(health) and health.statement is Statement.FINE:
        return Statement.SILENT
    return health.statement


def _out_of_sight(health: ClusterHealth) -> bool:
    """Say whether it was lost, and nobody can tell any more whether it is down."""
    return health.lost and health.condition not in DOWN


def _lost_at(health: ClusterHealth) -> float | None:
    """Return when users began to be hurt there: before anybody could know that it was lost."""
    if health.lost_since is not None:
        return health.lost_since if health.failing_since is None else health.failing_since
    out = health.removal is not None and not health.stands.serves
    return health.removal.at if out and health.removal is not None else None
