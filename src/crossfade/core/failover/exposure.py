"""
How many users may meet a revision that is still being brought out, whatever is lost.  Pure.

Gateways split users, so where the proven revision runs beside the new one, the step's share holds
by itself.  Clusters that have the new one alone, those of a wave before the others, get no more
of all users than they have when nothing is lost: the loss of others is no proof.
"""

from collections.abc import Mapping
from dataclasses import replace

from crossfade.base.ids import ClusterName, RevisionId
from crossfade.core.traffic.destinations import Eligibility, Exposure, Goal
from crossfade.core.traffic.matrix import plan_traffic

_ALL = 100


def within_exposure(
    goal: Goal,
    shares: Mapping[ClusterName, Mapping[RevisionId, float]],
    proven: frozenset[RevisionId],
) -> Goal:
    """
    Return the goal with the limit on users of the new revision, where there is one.

    Args:
        goal: what is planned for.
        shares: how the gateway of each cluster splits its users, in percent.
        proven: revisions that have served everybody somewhere; none before the first has.
    """
    alone = {
        cluster: revision
        for cluster, split in shares.items()
        for revision, share in split.items()
        if share >= _ALL and proven and revision not in proven
    }
    if not alone or len(alone) == len(shares):
        return goal
    every = tuple(
        replace(each, eligibility=Eligibility.SERVES, capacity=None, minimum=0, ramp_percent=_ALL)
        for each in goal.destinations
    )
    usual = plan_traffic(replace(goal, destinations=every, before={}))
    revision = next(iter(alone.values()))
    clusters = frozenset(cluster for cluster, each in alone.items() if each == revision)
    cap = sum(usual.share(cluster) for cluster in clusters)
    if cap == 0:  # standbys, without which nobody at all would be served
        return goal
    return replace(goal, exposure=Exposure(revision, cap, clusters))
