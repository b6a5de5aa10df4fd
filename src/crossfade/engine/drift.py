"""One application in each cluster: what is wanted, what is there, and what differs."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.release.report import Report
from crossfade.core.release.wanted import Wanted
from crossfade.engine.records import Records


@dataclass(frozen=True, slots=True)
class RevisionThere:
    """One revision in one cluster."""

    revision: RevisionId
    pods: str
    """Ready and wanted ones, as `3/3`."""
    ready: bool
    wanted: bool
    """False: it is about to be removed."""
    trouble: str


@dataclass(frozen=True, slots=True)
class InCluster:
    """The application in one cluster."""

    cluster: ClusterName
    in_step: bool
    """The cluster is as wanted."""
    drift: tuple[str, ...]
    """What differs, and why."""
    looked_at: float | None
    """When the newest look ended; null before the first."""
    wanted: Mapping[RevisionId, float]
    """Percent of users by revision."""
    confirmed: Mapping[RevisionId, float]
    """The same, as its data plane confirms."""
    revisions: tuple[RevisionThere, ...]


async def in_clusters(records: Records, application: ApplicationName) -> tuple[InCluster, ...]:
    """Return the application cluster by cluster, by name.  Raises NotFound."""
    record = (await records.application(application)).value
    found = []
    for cluster in sorted(record.wanted):
        report = await records.find_report(application, cluster)
        found.append(_compared(cluster, record.at(cluster), report.value if report else None))
    return tuple(found)


def _compared(cluster: ClusterName, wanted: Wanted, report: Report | None) -> InCluster:
    shares = dict(wanted.split.shares)
    if report is None:
        return InCluster(cluster, False, ("it was not looked at yet",), None, shares, {}, ())
    asked = {*wanted.revisions, *((wanted.rolled.revision,) if wanted.rolled else ())}
    there = {revision for revision, known in report.revisions.items() if known.installed}
    revisions = tuple(
        RevisionThere(
            revision,
            f"{report.of(revision).ready_pods}/{report.of(revision).wanted_pods}",
            report.of(revision).ready,
            revision in asked,
            report.of(revision).trouble,
        )
        for revision in sorted(there | asked)
    )
    drift = tuple(_differs(wanted, report, revisions))
    confirmed = dict(report.shares)
    return InCluster(cluster, not drift, drift, report.looked_at, shares, confirmed, revisions)


def _differs(wanted: Wanted, report: Report, revisions: tuple[RevisionThere, ...]) -> list[str]:
    said = [report.trouble] if report.trouble else []
    if _some(report.shares) != _some(wanted.split.shares) or report.epoch != wanted.epoch:
        said.append("its data plane has not confirmed the wanted shares yet")
    for each in revisions:
        if each.wanted and not report.of(each.revision).installed:
            said.append(f"{each.revision} is not installed")
        elif each.wanted and not each.ready:
            said.append(
                f"{each.revision} is not ready{f': {each.trouble}' if each.trouble else ''}"
            )
        elif not each.wanted:
            said.append(f"{each.revision} is still there, without users")
    return said


def _some(shares: Mapping[RevisionId, float]) -> dict[RevisionId, float]:
    """Return the shares without those that are nothing."""
    return {revision: percent for revision, percent in shares.items() if percent > 0}
