"""Why a revision's pods are not ready, asked of a cluster: pods, their last words, their events."""

from collections.abc import Sequence
from dataclasses import dataclass

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.kubernetes.pods import Rank, Trouble, last_probe_failure, worst
from crossfade.adapters.kubernetes.workloads import Workload
from crossfade.base.errors import CrossfadeError
from crossfade.core.release.kinds import REVISION_LABEL

_LOG_LINES = 5
_LONGEST_LOG = 600


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why pods are not ready, in the user's words."""

    text: str
    hopeless: bool = False
    """No pod is ready, and waiting will not make one so."""


async def diagnose(
    api: KubeApi, namespace: str, revision: str, workloads: Sequence[Workload]
) -> Diagnosis:
    """Return why the workloads of a revision are not ready.  Raises Unavailable."""
    for workload in workloads:
        if workload.failure:
            return Diagnosis(f"{workload.title}: {workload.failure}")
    root = f"/api/v1/namespaces/{namespace}"
    pods, _ = await api.list(f"{root}/pods", f"{REVISION_LABEL}={revision}")
    found = worst(pods)
    ready, wanted = sum(each.ready for each in workloads), sum(each.wanted for each in workloads)
    count = f"{ready} of {wanted} pods are ready"
    if found is None or found[0].rank is Rank.STARTING:
        return Diagnosis(count)
    trouble, same = found
    others = f" (and {same - 1} like it)" if same > 1 else ""
    detail = await _detail(api, root, trouble)
    text = f"{count}; pod {trouble.pod}{others}: {trouble.text}{detail}"
    return Diagnosis(text, hopeless=trouble.hopeless and ready == 0)


async def _detail(api: KubeApi, root: str, trouble: Trouble) -> str:
    """Return what else is to be said; nothing when it cannot be had, since it is an extra."""
    try:
        if trouble.rank is Rank.CRASH:
            log = await api.text(
                f"{root}/pods/{trouble.pod}/log",
                {
                    "container": trouble.container,
                    "tailLines": str(_LOG_LINES),
                    "previous": "true" if trouble.previous else "",
                },
            )
            return f"; it said: {_one_line(log)}" if log.strip() else ""
        if trouble.rank is Rank.PROBE:
            selector = f"involvedObject.name={trouble.pod}"
            events, _ = await api.list(f"{root}/events", fields=selector)
            failure = last_probe_failure(events)
            return f": {failure}" if failure else ""
    except CrossfadeError:
        return ""
    return ""


def _one_line(log: str) -> str:
    """Return the end of a log for a sentence."""
    lines = (" ".join(line.split()) for line in log.splitlines())
    return " / ".join(line for line in lines if line)[-_LONGEST_LOG:]
