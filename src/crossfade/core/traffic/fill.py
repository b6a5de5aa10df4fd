"""
In which order clusters are filled, and how far in each pass.

First by the mode, as far as returning clusters may have users; then by those that are leaving,
with users they have now; last by returning clusters beyond their ramp, since a user who would be
turned away is better off on a cluster that is only new.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from crossfade.base.ids import ClusterName
from crossfade.core.traffic.apportion import apportion
from crossfade.core.traffic.destinations import PARTS, Destination, Eligibility, Goal, Mode


@dataclass(frozen=True, slots=True)
class Opening:
    """How many users a cluster may have after one pass."""

    cluster: ClusterName
    weight: int
    most: int


Pass = tuple[Opening, ...]
Parts = dict[ClusterName, int]


def passes(goal: Goal) -> tuple[Pass, ...]:
    """Return the passes in which users are dealt out; what is left after the last one is shed."""
    carried = {each.cluster: carries(goal, each) for each in goal.destinations}
    orders = _orders(goal, carried)
    whole = _by_mode(goal, orders, carried)
    if all(each.ramp_percent >= 100 for each in goal.destinations):
        return (*whole, _leaving(goal, carried))
    share = place(PARTS, whole, {})
    ramped = {
        each.cluster: min(
            carried[each.cluster], share.get(each.cluster, 0) * each.ramp_percent // 100
        )
        if each.ramp_percent < 100
        else carried[each.cluster]
        for each in goal.destinations
    }
    return (*_by_mode(goal, orders, ramped), _leaving(goal, carried), *whole)


def place(
    users: int, order: Iterable[Pass], used: Parts, room: Mapping[ClusterName, int] | None = None
) -> Parts:
    """
    Return what each cluster gets of `users`, on top of what is `used` already.

    `room` is a further limit on what a cluster may get here.
    """
    more: Parts = {}
    for openings in order:
        limits = []
        for each in openings:
            got = more.get(each.cluster, 0)
            limit = each.most - used.get(each.cluster, 0) - got
            if room is not None:
                limit = min(limit, room.get(each.cluster, 0) - got)
            limits.append(limit)
        weights = [each.weight for each in openings]
        for each, parts in zip(openings, apportion(users, weights, limits), strict=True):
            more[each.cluster] = more.get(each.cluster, 0) + parts
            users -= parts
    return {cluster: parts for cluster, parts in more.items() if parts}


def carries(goal: Goal, destination: Destination) -> int:
    """Return how many parts a cluster can carry now; 0 while it is out, or still starting."""
    if destination.eligibility is Eligibility.OUT or not destination.revisions:
        return 0
    if destination.capacity is not None and destination.capacity < destination.minimum:
        return 0
    return goal.parts(destination.capacity)


def _orders(goal: Goal, carried: Parts) -> list[Sequence[Destination]]:
    """Return the clusters that serve, by order; all in one where the mode knows no orders."""
    serving = [each for each in goal.destinations if each.eligibility is Eligibility.SERVES]
    if goal.mode is Mode.ACTIVE_ACTIVE:
        return [serving]
    ordered = sorted(serving, key=lambda each: each.order)
    orders = [tuple(group) for _, group in groupby(ordered, key=lambda each: each.order)]
    if not goal.exclusive:
        return list(orders)
    alive = [
        group for group in orders if any(each.weight and carried[each.cluster] for each in group)
    ]
    return list(alive[:1])


def _by_mode(
    goal: Goal, orders: Sequence[Sequence[Destination]], most: Mapping[ClusterName, int]
) -> tuple[Pass, ...]:
    def upto(percent: int) -> tuple[Pass, ...]:
        return tuple(
            tuple(
                Opening(
                    each.cluster, each.weight, min(most[each.cluster], _filled(goal, each, percent))
                )
                for each in group
            )
            for group in orders
        )

    if goal.mode is Mode.OVERFLOW:
        return (*upto(goal.full_percent), *upto(100))
    return upto(100)


def _filled(goal: Goal, destination: Destination, percent: int) -> int:
    """Return the parts that fill a cluster to this percentage."""
    capacity = destination.capacity
    return goal.parts(None if capacity is None else capacity * percent // 100)


def _leaving(goal: Goal, carried: Mapping[ClusterName, int]) -> Pass:
    """Return openings for the users whom leaving clusters have now, and for nobody else."""
    openings = []
    for each in goal.destinations:
        has = sum(goal.before.get(each.cluster, {}).values())
        if each.eligibility is Eligibility.LEAVING and has:
            openings.append(Opening(each.cluster, has, min(has, carried[each.cluster])))
    return tuple(openings)
