"""
Why a cluster does not run what is wanted of an application, so that it must not have users.  Pure.

Reachable clusters are given a moment for each step, during which they still run the step before.
"""

from crossfade.core.release.report import Report
from crossfade.core.release.wanted import Wanted

STEP_GRACE_SECONDS = 5.0
"""How long a reachable cluster may stay one epoch behind before it loses its users."""


def stale(
    wanted: Wanted, report: Report, back_at: float, now: float, *, served: bool = False
) -> str:
    """
    Return why the cluster must not get users, "" when it may.

    Args:
        wanted: what it should run.
        report: what it was last seen to run.
        back_at: when it last came back from being lost; what was seen before does not count.
        now: in the same clock.
        served: it has users, and those who send them find them served: that no pod at all is
            ready is then the word of a control plane alone, and takes nobody away.
    """
    if report.looked_at < back_at:
        return "back, and not yet looked at"
    current = report.epoch == wanted.epoch
    recent = now - wanted.since < STEP_GRACE_SECONDS
    stepping = (current or report.epoch == wanted.previous) and report.epoch > 0 and recent
    if not (current and report.in_force) and not stepping:
        return f"at epoch {report.epoch}, wanted is {wanted.epoch}"
    if served and not any(report.of(each).ready_pods for each in report.shares):
        return ""
    for revision in report.shares:
        if report.shares[revision] > 0 and report.of(revision).ready_pods == 0:
            return f"no pod of {revision} is ready"
    return ""
