"""
The next act that brings one cluster to what is wanted of it.  Pure.

Order keeps users safe: a revision gets users only once it can answer (install, ready, route), and
is taken away only after the data plane has confirmed for `drain_seconds` that nobody is sent there.
"""

from dataclasses import dataclass
from typing import TypeAlias

from crossfade.base.ids import Epoch, RevisionId
from crossfade.core.release.report import Report
from crossfade.core.release.wanted import Rolled, Wanted


@dataclass(frozen=True, slots=True)
class Install:
    """Put the revision's objects into the cluster, with this percentage of the chart's pods."""

    revision: RevisionId
    percent: int = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """Run this percentage of the chart's pods."""

    revision: RevisionId
    percent: int


@dataclass(frozen=True, slots=True)
class Roll:
    """Replace pods in place until this percentage of them is of the revision."""

    revision: RevisionId
    percent: int


@dataclass(frozen=True, slots=True)
class WriteRoute:
    """Ask the cluster's router for the wanted shares."""

    epoch: Epoch


@dataclass(frozen=True, slots=True)
class Uninstall:
    """Take the revision away."""

    revision: RevisionId


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do now; `settled` when the cluster is wholly as wanted."""

    reason: str
    settled: bool = False


Act: TypeAlias = Install | Scale | Roll | WriteRoute | Uninstall | Rest


def next_act(wanted: Wanted, seen: Report, held: Epoch, drain_seconds: float, now: float) -> Act:
    """
    Return the one next act.

    Args:
        wanted: what the cluster should run.
        seen: what it runs; its `epoch` and `shares` are those confirmed by the data plane.
        held: epoch of the route that the cluster holds, confirmed or not; 0 for none.
        drain_seconds: time between 0 % confirmed and removal.
        now: the time of `seen`, in the same clock as `seen.idle_since`.
    """
    if wanted.rolled is not None:
        return _roll(wanted.rolled, seen)
    if held > wanted.epoch:
        return Rest(
            f"the cluster is at epoch {held}, beyond our {wanted.epoch}: not ours to change"
        )
    for revision in sorted(wanted.revisions, key=lambda each: -wanted.share(each)):
        report, pods = seen.of(revision), wanted.pods(revision)
        if not report.installed and not report.refused:
            return Install(revision, pods)
        if report.installed and report.scale < pods:
            return Scale(revision, pods)
    if not wanted.split.shares and held == 0:
        return _without_users(wanted, seen)
    if held != wanted.epoch:
        return _route(wanted, seen)
    if seen.epoch != wanted.epoch or not seen.in_force:
        return Rest(seen.trouble or "waiting for the gateway to confirm the route")
    return _remove(wanted, seen, drain_seconds, now)


def _roll(rolled: Rolled, seen: Report) -> Act:
    report = seen.of(rolled.revision)
    if report.refused:
        return Rest(report.trouble)
    if not report.installed or report.scale != rolled.percent:
        return Roll(rolled.revision, rolled.percent)
    if rolled.percent > 0 and not report.ready:
        return Rest(report.trouble or f"waiting for {rolled.revision}")
    return Rest("as wanted", settled=True)


def _without_users(wanted: Wanted, seen: Report) -> Act:
    """There is no route, so that nobody can be hurt by removing what is not wanted."""
    for revision in sorted(set(seen.revisions) - set(wanted.revisions)):
        return Uninstall(revision)
    for revision in wanted.revisions:
        if seen.of(revision).installed and seen.of(revision).scale > wanted.pods(revision):
            return Scale(revision, wanted.pods(revision))
    for revision in wanted.revisions:
        if wanted.pods(revision) > 0 and not seen.of(revision).ready:
            return Rest(seen.of(revision).trouble or f"waiting for {revision}")
    return Rest("as wanted; no users yet", settled=True)


def _route(wanted: Wanted, seen: Report) -> Act:
    """Write the route unless it would send users to a revision that has nobody to answer."""
    for revision in wanted.revisions:
        report = seen.of(revision)
        share = wanted.share(revision)
        first = share == 0 and wanted.split.meets_users(revision)
        more = first or share > seen.shares.get(revision, 0)
        if more and report.ready_pods == 0:
            return Rest(report.trouble or f"waiting for {revision} to become ready")
    return WriteRoute(wanted.epoch)


def _remove(wanted: Wanted, seen: Report, drain_seconds: float, now: float) -> Act:
    serving = all(seen.of(revision).ready_pods > 0 for revision in wanted.split.shares)
    for revision in wanted.revisions:
        if seen.of(revision).installed and seen.of(revision).scale > wanted.pods(revision):
            return Scale(revision, wanted.pods(revision))
    draining = False
    for revision in sorted(set(seen.revisions) - set(wanted.revisions)):
        if seen.shares.get(revision, 0) > 0 or not serving:
            draining = True  # the last copy that answers stays, wanted or not
            continue
        idle_since = seen.idle_since.get(revision)
        if idle_since is not None and now - idle_since >= drain_seconds:
            return Uninstall(revision)
        draining = True
    unready = [each for each in wanted.revisions if not seen.of(each).ready]
    if unready:
        first = seen.of(unready[0])
        return Rest(first.trouble or f"waiting for {unready[0]} to become ready")
    if draining:
        return Rest("draining before removal")
    return Rest("as wanted", settled=True)
