"""The status of a revision, from its workloads and what troubles them."""

from collections.abc import Sequence

from crossfade.adapters.kubernetes.diagnosis import Diagnosis
from crossfade.adapters.kubernetes.workloads import Workload
from crossfade.base.ids import RevisionId
from crossfade.core.release import sizing
from crossfade.core.release.report import Cause
from crossfade.ports.releases import RevisionStatus


def status_of(
    revision: RevisionId,
    workloads: Sequence[Workload],
    trouble: Diagnosis | None,
    *,
    installed: bool,
) -> RevisionStatus:
    """Return the status of a revision with these workloads."""
    first = min(workloads, key=lambda each: each.title, default=None)
    return RevisionStatus(
        revision=revision,
        installed=installed,
        ready=trouble is None,
        wanted_pods=sum(each.wanted for each in workloads),
        ready_pods=sum(min(each.ready, each.wanted) for each in workloads),
        trouble=trouble.text if trouble else "",
        hopeless=trouble.hopeless if trouble else False,
        cause=trouble.cause if trouble else Cause.NONE,
        scale=first.scale if first else sizing.FULL,
        chart_pods=sum(each.own for each in workloads),
    )
