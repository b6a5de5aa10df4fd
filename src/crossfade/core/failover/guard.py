"""
What automation may never do, checked apart from what decides.  Pure.

Each rule says no with a reason.  They know nothing of why somebody wants the change, so that no
reasoning, however good, gets around them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from crossfade.base.ids import ClusterName


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be taken out in a while; one cluster always may."""

    percent: int = 34
    """Of the fleet's capacity."""
    seconds: float = 60.0


BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class Removal:
    """A cluster that automation took out."""

    cluster: ClusterName
    at: float
    percent: float
    """Its part of the fleet's capacity."""


def over_budget(
    removals: Collection[Removal],
    wanted: ClusterName,
    percent: float,
    now: float,
    budget: Budget = BUDGET,
) -> str:
    """Return why the cluster may not be taken out yet, "" when it may."""
    recent = [each for each in removals if now - each.at < budget.seconds]
    others = [each for each in recent if each.cluster != wanted]
    if not others:
        return ""
    taken = sum(each.percent for each in others)
    if taken + percent <= budget.percent:
        return ""
    names = ", ".join(sorted({each.cluster for each in others}))
    left = max(each.at for each in others) + budget.seconds - now
    return (
        f"budget: {names} went out less than {budget.seconds:g} s ago, and together that is"
        f" {taken + percent:.0f} % of capacity (limit {budget.percent} %); {left:.0f} s to wait"
    )


def last_copy(serving: Collection[ClusterName], leaving: ClusterName) -> str:
    """
    Return why the cluster may not be taken out: it is the last one with users.

    `serving` are the clusters that serve and are not known to be dead.  None at all means that
    the observer is cut off, and then nobody may leave.
    """
    if any(each != leaving for each in serving):
        return ""
    return f"last copy: no other cluster than {leaving} is known to serve"
