"""
The joint traffic plan: which part of all users meets which revision on which cluster.  Pure.

Dealing users to clusters and splitting them over revisions cannot be done one after the other:
when a cluster that ran only the old revision is lost, its users may not end up on the new one.
So users are dealt by mode and capacity, those above the exposure cap are taken back, and find
another place with the old revision, or none.  What finds none is shed, the last class first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import ClusterName, RevisionId
from crossfade.core.traffic.apportion import apportion
from crossfade.core.traffic.destinations import (
    PARTS,
    Destination,
    Eligibility,
    Goal,
    Matrix,
    PriorityClass,
)
from crossfade.core.traffic.fill import Parts, Pass, passes, place

Cells = dict[ClusterName, dict[RevisionId, int]]


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """What follows from a goal."""

    parts: Matrix
    """Of all users; with `shed` they sum to all, unless `frozen`."""
    shed: Mapping[str, int] = field(default_factory=dict)
    """Parts that are turned away, by priority class; classes that lose nobody are left out."""
    reserve: Mapping[ClusterName, int] = field(default_factory=dict)
    """Capacity to start first: with it, those who are shed or held back find a place."""
    missing: int = 0
    """Capacity that is needed beyond all that could be started."""
    frozen: bool = False
    """Nobody could be served, so the plan before stays: it is we who are cut off."""
    moved: int = 0
    """Parts of users who have to change the cluster."""

    def exposure(self, revision: RevisionId) -> int:
        """Return the parts of all users who meet the revision."""
        return sum(cells.get(revision, 0) for cells in self.parts.values())

    def share(self, cluster: ClusterName) -> int:
        """Return the parts of all users whom the cluster has."""
        return sum(self.parts.get(cluster, {}).values())


def plan_traffic(goal: Goal) -> TrafficPlan:
    """Return the plan; the same goal always gives the same one."""
    order = passes(goal)
    totals = place(PARTS, order, {})
    cells = _split(goal, totals)
    homeless = sum(totals.values()) - _sum(cells)
    if homeless:
        _house(goal, order, cells, homeless)
    served = _sum(cells)
    reserve, missing = _reserve(goal, cells, PARTS - served)
    some = any(parts for each in goal.before.values() for parts in each.values())
    if served == 0 and some and not crowded_out(goal):
        return TrafficPlan(goal.before, reserve=reserve, missing=missing, frozen=True)
    parts = {
        cluster: {revision: part for revision, part in row.items() if part}
        for cluster, row in cells.items()
    }
    return TrafficPlan(
        parts={cluster: row for cluster, row in parts.items() if row},
        shed=shed(goal.classes, PARTS - served),
        reserve=reserve,
        missing=missing,
        moved=moved(goal.before, parts),
    )


def crowded_out(goal: Goal) -> bool:
    """Say whether there are clusters that serve, and users of other applications fill them."""
    return any(each.full and each.eligibility is Eligibility.SERVES for each in goal.destinations)


def shed(classes: tuple[PriorityClass, ...], parts: int) -> dict[str, int]:
    """Return how many of the parts that do not fit each class loses; the last one loses first."""
    lost: dict[str, int] = {}
    for each in reversed(classes):
        taken = min(parts, each.parts)
        if taken:
            lost[each.name] = taken
        parts -= taken
    return lost


def _sum(cells: Matrix) -> int:
    return sum(part for row in cells.values() for part in row.values())


def _split(goal: Goal, totals: Parts) -> Cells:
    """Return the users of each cluster by revision, as far as exposure and pods allow."""
    new = _new_users(goal, totals)
    cells: Cells = {}
    for each in goal.destinations:
        total, revision = totals.get(each.cluster, 0), _unproven(goal, each)
        row = {revision: new.get(each.cluster, 0)} if revision is not None else {}
        proven = [known for known in each.revisions if known != revision]
        left = total - sum(row.values())
        weights = [each.revisions[known] for known in proven]
        limits = [_limit(goal, each, known) for known in proven]
        row |= dict(zip(proven, apportion(left, weights, limits), strict=True))
        cells[each.cluster] = row
    return cells


def _new_users(goal: Goal, totals: Parts) -> Parts:
    """Return the users of the unproven revision by cluster: never more than its split, or cap."""
    if goal.exposure is None:
        return {}
    wanted = []
    for each in goal.destinations:
        revision = _unproven(goal, each)
        percent = each.revisions[revision] if revision else 0
        parts = totals.get(each.cluster, 0) * percent // max(1, sum(each.revisions.values()))
        wanted.append(min(parts, _limit(goal, each, goal.exposure.revision)))
    allowed = apportion(goal.exposure.cap, wanted, wanted)
    return {each.cluster: part for each, part in zip(goal.destinations, allowed, strict=True)}


def _house(goal: Goal, order: tuple[Pass, ...], cells: Cells, homeless: int) -> None:
    """Give users who lost their place one with a proven revision, where there is room."""
    room = {}
    for each in goal.destinations:
        known = [r for r in each.revisions if r != _unproven(goal, each) and each.revisions[r]]
        row = cells[each.cluster]
        room[each.cluster] = sum(_limit(goal, each, r) - row.get(r, 0) for r in known)
    used = {cluster: sum(row.values()) for cluster, row in cells.items()}
    more = place(homeless, order, used, room)
    for each in goal.destinations:
        row = cells[each.cluster]
        known = [r for r in each.revisions if r != _unproven(goal, each)]
        weights = [each.revisions[r] for r in known]
        limits = [_limit(goal, each, r) - row.get(r, 0) for r in known]
        parts = apportion(more.get(each.cluster, 0), weights, limits)
        for revision, part in zip(known, parts, strict=True):
            row[revision] = row.get(revision, 0) + part


def _unproven(goal: Goal, destination: Destination) -> RevisionId | None:
    """Return the revision whose exposure is limited, if the cluster gives it users."""
    exposure = goal.exposure
    if exposure is None or exposure.revision not in destination.revisions:
        return None
    counts = exposure.clusters is None or destination.cluster in exposure.clusters
    return exposure.revision if counts else None


def _limit(goal: Goal, destination: Destination, revision: RevisionId) -> int:
    return goal.parts(destination.revision_capacity.get(revision))


def _reserve(goal: Goal, cells: Cells, turned_away: int) -> tuple[dict[ClusterName, int], int]:
    """Return what to start where, and what would be missing even then, in units of capacity."""
    held = sum(
        sum(cells[each.cluster].values())
        for each in goal.destinations
        if each.eligibility is Eligibility.LEAVING
    )
    needed = goal.units(turned_away + held)
    reserve: dict[ClusterName, int] = {}
    for each in sorted(goal.destinations, key=lambda each: each.order):
        proven = any(percent for r, percent in each.revisions.items() if r != _unproven(goal, each))
        usable = each.eligibility is Eligibility.SERVES and each.weight > 0 and proven
        if needed <= 0 or not usable:
            continue
        to_start = max(needed, each.minimum - (each.capacity or 0))
        if started := min(to_start, each.startable):
            reserve[each.cluster] = started
            needed -= started
    return reserve, max(0, needed)


def moved(before: Matrix, after: Matrix) -> int:
    """Return the users who are on a cluster now and will not be."""
    return sum(
        max(0, sum(row.values()) - sum(after.get(cluster, {}).values()))
        for cluster, row in before.items()
    )
