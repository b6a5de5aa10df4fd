"""
The plan while clusters that are down still wait to be taken out.  Pure.

The hub takes lost clusters out one after the other.  Edges do not wait: they leave a dead cluster
at once, and send its users to the others as the shares of the plan are to each other.  So the
shares of those who are left must fit what each carries, and how many users may meet a new
revision; the clusters that are down keep theirs.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from crossfade.base.ids import ClusterName
from crossfade.core.traffic.apportion import apportion
from crossfade.core.traffic.destinations import PARTS, Eligibility, Goal, Matrix
from crossfade.core.traffic.matrix import TrafficPlan, crowded_out, moved, plan_traffic, shed


def plan_while_lost(goal: Goal, lost: Collection[ClusterName]) -> tuple[TrafficPlan, TrafficPlan]:
    """
    Return the plan, and how it works out at the edges, which have left the clusters that are down.

    When all look down it is the hub that is cut off, and edges are taken to follow the plan.
    """
    plan = plan_traffic(goal)
    if not lost:
        return plan, plan
    out = Eligibility.OUT
    destinations = tuple(
        replace(each, eligibility=out) if each.cluster in lost else each
        for each in goal.destinations
    )
    left = replace(goal, destinations=destinations)
    short = plan_traffic(left)
    if short.frozen or not short.parts:
        # Whoever has no room left turns everybody away, those of the lost clusters too.
        return plan, short if crowded_out(left) else plan
    away, needed = turned_away(goal, plan.parts, lost), sum(short.shed.values())
    if away > needed or _too_exposed(goal, plan.parts, lost, needed):
        shaped = _shaped(goal, plan, short, lost)
        after = turned_away(goal, shaped.parts, lost)
        # Should edges still reach who looks lost, its users come on top.
        if after <= away and not _too_exposed(goal, shaped.parts, (), 0):
            plan, away = shaped, after
    return plan, short if away <= needed else _fewer(goal, short, away)


def turned_away(goal: Goal, parts: Matrix, lost: Collection[ClusterName]) -> int:
    """Return how many of all users no cluster of the plan can carry once edges left the `lost`."""
    there = {name: sum(row.values()) for name, row in parts.items() if name not in lost}
    total = sum(there.values())
    fits = min(
        (
            goal.parts(each.capacity) * total // there[each.cluster]
            for each in goal.destinations
            if there.get(each.cluster) and each.capacity is not None
        ),
        default=PARTS,
    )
    return max(0, PARTS - fits)


def carried(parts: Matrix, lost: Collection[ClusterName], away: int) -> Mapping[ClusterName, int]:
    """
    Return the parts of all users whom each cluster has to carry while edges turn `away` so many.

    Those who are left carry the users of the `lost` too, as their shares are to each other.  The
    lost keep theirs: some edges may still reach them.
    """
    shares = {name: sum(row.values()) for name, row in parts.items()}
    left = sum(share for name, share in shares.items() if name not in lost)
    if left in (0, sum(shares.values())):
        return shares
    return {
        name: share if name in lost else -(-share * (PARTS - away) // left)
        for name, share in shares.items()
    }


def _shaped(
    goal: Goal, plan: TrafficPlan, short: TrafficPlan, lost: Collection[ClusterName]
) -> TrafficPlan:
    """Return the plan in which those who are left stand to each other as without the lost."""
    rows = {name: row for name, row in plan.parts.items() if name in lost}
    left = sum(plan.share(name) for name in plan.parts if name not in lost)
    served = sum(short.share(name) for name in short.parts)
    there = [each for each in goal.destinations if short.share(each.cluster)]
    weights = [short.share(each.cluster) for each in there]
    fit = [goal.parts(each.capacity) * left // served for each in there]
    fitting = apportion(left, weights, fit)
    # Where all are full, what was lost by rounding down is still dealt.
    more = apportion(left - sum(fitting), weights, [PARTS] * len(there))
    for each, some, rest in zip(there, fitting, more, strict=True):
        row = short.parts[each.cluster]
        dealt = apportion(some + rest, list(row.values()), [PARTS] * len(row))
        cells = {revision: part for revision, part in zip(row, dealt, strict=True) if part}
        rows |= {each.cluster: cells} if cells else {}
    return replace(plan, parts=rows, moved=moved(goal.before, rows))


def _too_exposed(goal: Goal, parts: Matrix, lost: Collection[ClusterName], away: int) -> bool:
    """Say whether more users than allowed meet the revision that is limited, at the edges."""
    limit = goal.exposure
    there = {name: row for name, row in parts.items() if name not in lost}
    total = sum(sum(row.values()) for row in there.values())
    if limit is None or total == 0:
        return False
    exposed = sum(
        row.get(limit.revision, 0)
        for name, row in there.items()
        if limit.clusters is None or name in limit.clusters
    )
    return exposed * (PARTS - away) // total > limit.cap + len(there)  # each row is rounded


def _fewer(goal: Goal, short: TrafficPlan, away: int) -> TrafficPlan:
    """Return the plan without the lost with so many parts of users turned away."""
    missing = max(short.missing, goal.units(away))
    return replace(short, shed=shed(goal.classes, away), missing=missing)
