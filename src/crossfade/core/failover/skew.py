"""
Which revisions may serve side by side, and so where users may fail over to.  Pure.

A failover that lands users on a revision which cannot read what another one has written turns an
outage into a loss of data.  Who is unreachable is taken to run still what it ran last.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from crossfade.base.ids import ClusterName, RevisionId


@dataclass(frozen=True, slots=True)
class SkewPolicy:
    """How far clusters may be apart."""

    revisions: int = 2
    """Revisions that may have users at a time."""
    seconds: float = 86_400.0
    """How long they may stay apart."""
    schemas: Mapping[RevisionId, str] = field(default_factory=dict)
    """Class of the data that a revision reads and writes.  Those of one class get along; one that
    is not named gets along with itself only."""

    def compatible(self, one: RevisionId, other: RevisionId) -> bool:
        """Say whether users of one revision may be served by the other."""
        if one == other:
            return True
        known = self.schemas.get(one)
        return known is not None and known == self.schemas.get(other)


class Fit(IntEnum):
    """How well a cluster suits as a target, the best first."""

    SAME = 0
    """It runs the revision that the users had."""
    COMPATIBLE = 1
    BREAK_GLASS = 2
    """It runs another one: only when a person takes it on themselves."""


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster that could take users."""

    cluster: ClusterName
    fit: Fit


def targets(
    policy: SkewPolicy,
    lost: RevisionId,
    running: Mapping[ClusterName, Collection[RevisionId]],
    *,
    break_glass: bool = False,
) -> tuple[Target, ...]:
    """
    Return where users of `lost` may go, the best first.

    Args:
        policy: which revisions get along.
        lost: what the users had.
        running: revisions that have users, by cluster that can take more.
        break_glass: a person lets users go to revisions that do not get along with theirs.
    """
    found = []
    for cluster, revisions in running.items():
        fit = max((_fit(policy, lost, each) for each in revisions), default=None)
        if fit is not None and (fit is not Fit.BREAK_GLASS or break_glass):
            found.append(Target(cluster, fit))
    return tuple(sorted(found, key=lambda each: (each.fit, each.cluster)))


def too_far_apart(
    policy: SkewPolicy, serving: Collection[RevisionId], since: float | None, now: float
) -> str:
    """Return how the policy is broken, "" when it is not; `since`: more than one has had users."""
    distinct = sorted(set(serving))
    if len(distinct) > policy.revisions:
        return f"{', '.join(distinct)} have users; {policy.revisions} revisions may"
    if len(distinct) > 1 and since is not None and now - since > policy.seconds:
        return f"{', '.join(distinct)} have had users for more than {policy.seconds:g} s"
    return ""


def may_contract(
    policy: SkewPolicy,
    to: RevisionId,
    last_known: Mapping[ClusterName, Collection[RevisionId]],
    reachable: Collection[ClusterName],
) -> str:
    """
    Return why data may not be brought to the form that only `to` reads, "" when it may.

    A cluster that cannot be reached may come back with users on what it ran last.
    """
    behind = sorted(
        cluster
        for cluster, revisions in last_known.items()
        if any(not policy.compatible(each, to) for each in revisions)
    )
    if not behind:
        return ""
    away = [cluster for cluster in behind if cluster not in reachable]
    if away:
        return f"{', '.join(away)} cannot be reached, and may still run an older revision"
    return f"{', '.join(behind)} still runs an older revision"


def _fit(policy: SkewPolicy, lost: RevisionId, other: RevisionId) -> Fit:
    if lost == other:
        return Fit.SAME
    return Fit.COMPATIBLE if policy.compatible(lost, other) else Fit.BREAK_GLASS
