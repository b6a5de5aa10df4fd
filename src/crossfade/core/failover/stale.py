"""
Which clusters get users of an application.  Pure.

Stale gets nothing: a cluster that does not report the wanted epoch is left out until it has
converged.  Reachable clusters are given a moment for each step, during which they still run the
step before.  When no cluster would be left, nothing changes: then it is we who are cut off.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.ids import ClusterName
from crossfade.core.fleet.health import ClusterHealth
from crossfade.core.release.report import Report
from crossfade.core.release.wanted import Wanted

STEP_GRACE_SECONDS = 5.0
"""How long a reachable cluster may stay one epoch behind before it loses its users."""

DEFAULT_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class ClusterShare:
    """One cluster's part of an application's users, as a proportion, and why."""

    cluster: ClusterName
    weight: int
    reason: str


def cluster_share(
    wanted: Wanted, report: Report | None, health: ClusterHealth | None, weight: int, now: float
) -> ClusterShare | None:
    """Return the share of a cluster that has reported, None when it has never been converged."""
    if report is None or report.address is None or not wanted.split.shares:
        return None
    reason = _ineligible(wanted, report, health, now)
    return ClusterShare(report.cluster, 0 if reason else weight, reason or "serving")


def _ineligible(wanted: Wanted, report: Report, health: ClusterHealth | None, now: float) -> str:
    """Return why the cluster must not get users, "" when it may."""
    if health is not None and health.lost:
        return "lost: neither its API server nor its gateway answers"
    if health is not None and report.looked_at < health.back_at:
        return "back, and not yet looked at"
    current = report.epoch == wanted.epoch
    recent = now - wanted.since < STEP_GRACE_SECONDS
    stepping = (current or report.epoch == wanted.previous) and report.epoch > 0 and recent
    if not (current and report.in_force) and not stepping:
        return f"stale: at epoch {report.epoch}, wanted is {wanted.epoch}"
    for revision in report.shares:
        if report.shares[revision] > 0 and report.of(revision).ready_pods == 0:
            return f"no pod of {revision} is ready"
    return ""


def settle(
    shares: tuple[ClusterShare, ...], before: Mapping[ClusterName, int]
) -> tuple[ClusterShare, ...]:
    """
    Return the shares, or the ones `before` when nobody would be left to serve.

    If every cluster looks dead at once, the observer is cut off far more often than all clouds
    are gone; edges see for themselves which cluster answers.  Clusters that the application is
    leaving serve until another one does.
    """
    if any(share.weight > 0 for share in shares) or not any(before.values()):
        return shares
    frozen = "frozen: no cluster is known to serve, so the last plan stays"
    names = sorted({share.cluster for share in shares} | before.keys())
    return tuple(ClusterShare(name, before.get(name, 0), frozen) for name in names)
