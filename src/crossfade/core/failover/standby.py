"""
Standbys: clusters that run small, and grow before users come to them.  Pure.

A size is reserved first and used as pods get ready, so that no user is sent where nothing runs
yet.  It only grows while anybody needs the cluster, and goes back to rest when nobody has for a
while: a standby that shrinks as users come back would have to grow again at the first setback.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crossfade.base.ids import ClusterName
from crossfade.core.application import Placement
from crossfade.core.release import sizing
from crossfade.core.release.report import Report
from crossfade.core.release.wanted import Wanted
from crossfade.core.traffic.destinations import Mode

_MODES = (Mode.WARM_STANDBY, Mode.PILOT_LIGHT)


@dataclass(frozen=True, slots=True)
class Standby:
    """One cluster that is not at rest, or just has been."""

    percent: int
    """Of the pods that it would run if it served as the others do."""
    idle_since: float | None = None
    """Since when nobody needs it; None while anybody does."""


def at_rest(placement: Placement, cluster: ClusterName) -> int:
    """Return the percentage of its pods that the cluster runs while nobody needs it."""
    standby = placement.mode in _MODES and placement.orders.get(cluster, 0) > 0
    return placement.standby_percent if standby else sizing.FULL


def size_of(
    placement: Placement, cluster: ClusterName, known: Mapping[ClusterName, Standby]
) -> int:
    """Return the percentage of its pods that the cluster should run."""
    rest = at_rest(placement, cluster)
    return max(rest, known[cluster].percent) if cluster in known else rest


def sized(wanted: Wanted, percent: int) -> Wanted:
    """Return what the cluster should run at this size, canaries in proportion."""
    if percent == sizing.FULL:
        return wanted
    scale = {each: sizing.pods(wanted.pods(each), percent) for each in wanted.revisions}
    return replace(wanted, scale=scale)


def unsized(wanted: int, running: int, rest: int) -> int:
    """Return the percentage of pods that counts for a rollout: `wanted`, once it is sized so."""
    return wanted if running >= sizing.pods(wanted, rest) else running


def full_pods(wanted: Wanted, report: Report) -> int:
    """Return how many pods of the revisions with users the cluster would run in full."""
    serving = [each for each, share in wanted.split.shares.items() if share > 0]
    return sum(sizing.pods(report.of(each).chart_pods, wanted.pods(each)) for each in serving)


def grown(
    before: Standby | None, rest: int, needed_percent: int, now: float, linger_seconds: float
) -> Standby | None:
    """
    Return how large a standby should be from now on, None when it is at rest.

    Args:
        before: how large it was to be.
        rest: percent of its pods while nobody needs it.
        needed_percent: what users need who are there or are to come; 0 for nobody.
        now: in seconds.
        linger_seconds: how long it stays as it is when nobody needs it any more.
    """
    percent = before.percent if before else rest
    if needed_percent > 0:
        return Standby(max(percent, min(needed_percent, sizing.FULL)))
    if before is None:
        return None
    idle_since = now if before.idle_since is None else before.idle_since
    if now - idle_since >= linger_seconds:
        return None
    return replace(before, idle_since=idle_since)


def told(
    before: Mapping[ClusterName, Standby], after: Mapping[ClusterName, Standby], rest: int
) -> tuple[str, ...]:
    """Return what people should read: which standbys grow, and which go back to rest."""
    found = []
    for cluster in sorted({*before, *after}):
        was = before[cluster].percent if cluster in before else rest
        will = after[cluster].percent if cluster in after else rest
        if will > was:
            found.append(f"{cluster} grows from {was} % to {will} % of its pods")
        elif will < was:
            found.append(f"{cluster} goes back to {will} % of its pods: nobody needs more")
    return tuple(found)
