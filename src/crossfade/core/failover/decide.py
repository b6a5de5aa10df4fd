"""
What to do about each cluster of the fleet: stay, drain, move, return, or freeze.  Pure.

The one step from what is seen to what is wanted.  It may be repeated: a decision that was saved
and not yet acted on is made again.  Edges do not wait for it; they leave a dead cloud by
themselves, and this ratifies what they did, within the limits of `guard`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from crossfade.base.ids import ClusterName
from crossfade.core.failover.evidence import DOWN, Condition, Evidence
from crossfade.core.failover.guard import BUDGET, Budget, Removal, last_copy, over_budget
from crossfade.core.failover.standing import (
    PATIENCE,
    Patience,
    Presence,
    Standing,
    advance,
)


class Action(StrEnum):
    """What happens to a cluster's users."""

    STAY = "stay"
    """As it is: with its users, or without."""
    DRAIN = "drain"
    """A person wants its users gone; they go as others have room."""
    MOVE = "move"
    """Its users go elsewhere now."""
    RETURN = "return"
    """Users may come back to it, step by step."""
    FREEZE = "freeze"
    """It should change, and must not: the last plan stays."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is wanted of one cluster, for people and for the traffic plan."""

    cluster: ClusterName
    action: Action
    reason: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is remembered between decisions; saved before anybody acts."""

    presences: Mapping[ClusterName, Presence]
    removals: tuple[Removal, ...] = ()
    """Newest last; those that no budget looks at any more are dropped."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people and files say."""

    drained: frozenset[ClusterName] = frozenset()
    """Clusters that a person has drained."""
    capacity: Mapping[ClusterName, int] = field(default_factory=dict)
    """What each carries, as a proportion; a cluster that is not named counts as 1."""
    given_back: Mapping[ClusterName, Presence] = field(default_factory=dict)
    """Clusters that were away for a drill only, and where they stood before it."""
    patience: Patience = PATIENCE
    budget: Budget = BUDGET


def decide(
    fleet: Fleet, evidence: Evidence, wishes: Wishes, now: float
) -> tuple[Fleet, tuple[Decision, ...]]:
    """Return the fleet to remember, and one decision for each cluster, in its order."""
    if evidence.all_look_dead:
        return fleet, _frozen(fleet, evidence)
    wanted = {
        name: advance(each, _condition(evidence, name), now, wishes.patience)
        for name, each in fleet.presences.items()
    }
    leaving = {n for n, each in fleet.presences.items() if each.serves and not wanted[n].serves}
    decisions: dict[ClusterName, Decision] = {}
    # Whoever leaves comes last, so that those who are well again count as somewhere to go.
    for name in sorted(wanted, key=lambda name: name in leaving):
        take = _take_out if name in leaving else _keep
        fleet, decisions[name] = take(fleet, wanted[name], evidence, wishes, now)
    return _last_resort(fleet, tuple(decisions[name] for name in wanted), evidence, now)


def _condition(evidence: Evidence, name: ClusterName) -> Condition:
    return evidence.conditions.get(name, Condition.UNKNOWN)


def _frozen(fleet: Fleet, evidence: Evidence) -> tuple[Decision, ...]:
    said = "every cluster looks dead, so it is we who are cut off; the last plan stays"
    return tuple(
        Decision(name, Action.FREEZE, said)
        if evidence.conditions.get(name) in DOWN
        else Decision(name, Action.STAY, said)
        for name in fleet.presences
    )


def _take_out(
    fleet: Fleet, wanted: Presence, evidence: Evidence, wishes: Wishes, now: float
) -> tuple[Fleet, Decision]:
    """Move the users of a cluster, unless a guard says no; then it is looked at again."""
    name = wanted.cluster
    percent = _percent(fleet, name, wishes)
    why_not = last_copy(_alive(fleet, evidence, wishes), name) or over_budget(
        fleet.removals, name, percent, now, wishes.budget
    )
    if why_not:
        return fleet, Decision(name, Action.FREEZE, why_not)
    kept = tuple(each for each in fleet.removals if now - each.at < wishes.budget.seconds)
    after = Fleet({**fleet.presences, name: wanted}, (*kept, Removal(name, now, percent)))
    condition = _condition(evidence, name)
    return after, Decision(name, Action.MOVE, f"{condition}; confirmed by most observers")


def _alive(fleet: Fleet, evidence: Evidence, wishes: Wishes) -> list[ClusterName]:
    """Return the clusters that serve or are about to, are not dead, and that nobody drained."""
    return [
        name
        for name, each in fleet.presences.items()
        if (each.serves or each.standing is Standing.RECOVERING)
        and _condition(evidence, name) not in DOWN
        and name not in wishes.drained
    ]


def _keep(
    fleet: Fleet, wanted: Presence, evidence: Evidence, wishes: Wishes, _now: float
) -> tuple[Fleet, Decision]:
    name, before = wanted.cluster, fleet.presences[wanted.cluster]
    condition = _condition(evidence, name)
    after = replace(fleet, presences={**fleet.presences, name: wanted})
    if wanted.serves and not before.serves:
        well = f"well for {wanted.since - before.since:.0f} s"
        return after, Decision(name, Action.RETURN, well)
    if wanted.serves and name in wishes.drained:
        if why_not := last_copy(_alive(fleet, evidence, wishes), name):
            return after, Decision(name, Action.FREEZE, why_not)
        return after, Decision(name, Action.DRAIN, "drained by a person")
    return after, Decision(name, Action.STAY, _why(wanted, condition))


def _why(presence: Presence, condition: Condition) -> str:
    match presence.standing:
        case Standing.SERVING if condition is Condition.HEALTHY:
            return "serving"
        case Standing.SERVING if condition is Condition.API_DOWN:
            return "serving; only its API server is away, so users stay"
        case Standing.SERVING:
            return "serving; observers are silent or do not agree, and that is no failure"
        case Standing.DOUBTED:
            return f"{condition}; watched before users leave"
        case Standing.RECOVERING:
            return f"well, and must be for {presence.wait_seconds:g} s"
        case _:
            return f"out: {condition}"


def _last_resort(
    fleet: Fleet, decisions: tuple[Decision, ...], evidence: Evidence, now: float
) -> tuple[Fleet, tuple[Decision, ...]]:
    """Let a cluster that is well return before its time when no other could serve."""
    if any(
        each.serves and _condition(evidence, each.cluster) not in DOWN
        for each in fleet.presences.values()
    ):
        return fleet, decisions
    early = {
        name: replace(each, standing=Standing.SERVING, since=now, returned_at=now)
        for name, each in fleet.presences.items()
        if evidence.conditions.get(name) is Condition.HEALTHY
    }
    said = "before its time: no other cluster can serve"
    return replace(fleet, presences={**fleet.presences, **early}), tuple(
        Decision(each.cluster, Action.RETURN, said) if each.cluster in early else each
        for each in decisions
    )


def _percent(fleet: Fleet, name: ClusterName, wishes: Wishes) -> float:
    capacity = {each: wishes.capacity.get(each, 1) for each in fleet.presences}
    return 100 * capacity[name] / max(1, sum(capacity.values()))
