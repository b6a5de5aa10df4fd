"""Workloads of a revision: how many pods they want, and how many are ready."""

from dataclasses import dataclass

from crossfade.adapters.kubernetes.client import Object
from crossfade.base.ids import RevisionId
from crossfade.core.release.kinds import REVISION_LABEL, labels_of, mapping, mappings, name_of

WORKLOADS = {
    "Deployment": "/apis/apps/v1/namespaces/{namespace}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{namespace}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{namespace}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{namespace}/jobs",
}
"""Where each kind that is looked at is listed."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One Deployment, StatefulSet, DaemonSet or Job."""

    title: str
    revision: RevisionId
    wanted: int
    """Pods that should be ready; 0 for a Job, which ends."""
    ready: int
    failure: str = ""
    """Why it cannot make its pods, or why a Job has failed."""
    probed: bool = True
    """A readiness probe says when its pods can serve; otherwise they are ready once they run."""


def read_workload(kind: str, thing: Object) -> Workload:
    """Return what the object says of itself."""
    spec, status = mapping(thing.get("spec")), mapping(thing.get("status"))
    wanted = ready = 0
    if kind == "DaemonSet":
        wanted, ready = _number(status, "desiredNumberScheduled"), _number(status, "numberReady")
        # Until its controller has looked at it, it wants an unknown number, which is not none.
        wanted = wanted if _is_current(thing) else max(wanted, 1)
    elif kind != "Job":
        replicas = spec.get("replicas")
        wanted = replicas if isinstance(replicas, int) else 1
        ready = min(_number(status, "readyReplicas"), _number(status, "updatedReplicas"))
    return Workload(
        title=f"{kind}/{name_of(thing)}",
        revision=RevisionId(labels_of(thing).get(REVISION_LABEL, "")),
        wanted=wanted,
        ready=ready if _is_current(thing) else 0,
        failure=_failure(status),
        probed=_is_probed(spec),
    )


def _is_probed(spec: Object) -> bool:
    pod = mapping(mapping(spec.get("template")).get("spec"))
    containers = mappings(pod.get("containers"))
    return any(each.get("readinessProbe") for each in containers)


def _number(status: Object, key: str) -> int:
    value = status.get(key)
    return value if isinstance(value, int) else 0


def _is_current(thing: Object) -> bool:
    """Return whether the status is about what is wanted now, not about an earlier wish."""
    observed = mapping(thing.get("status")).get("observedGeneration", 0)
    return bool(observed >= thing["metadata"].get("generation", 0))


def _failure(status: Object) -> str:
    for condition in mappings(status.get("conditions")):
        failed = condition.get("type") in ("ReplicaFailure", "Failed")
        if failed and condition.get("status") == "True":
            return str(condition.get("message") or condition.get("reason") or "it failed")
    return ""
