"""Workloads of a revision: how many pods they want, and how many are ready."""

import asyncio
from dataclasses import dataclass

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.core.release.kinds import mapping, mappings, name_of
from crossfade.core.release.sizing import own_pods, scale_of

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
"""Kinds that are looked at."""

AUTOSCALERS = "HorizontalPodAutoscaler"

_PLACES = {
    "Deployment": ("apps/v1", "deployments"),
    "StatefulSet": ("apps/v1", "statefulsets"),
    "DaemonSet": ("apps/v1", "daemonsets"),
    "Job": ("batch/v1", "jobs"),
    AUTOSCALERS: ("autoscaling/v2", "horizontalpodautoscalers"),
}
"""Where each kind is served."""


@dataclass(frozen=True, slots=True)
class PodsOf:
    """Whose pods are looked at: those of a namespace with these labels."""

    namespace: str
    labels: str


@dataclass(frozen=True, slots=True)
class Workload:
    """One Deployment, StatefulSet, DaemonSet or Job."""

    title: str
    wanted: int
    """Pods that should be ready; 0 for a Job, which ends."""
    ready: int
    failure: str = ""
    """Why it cannot make its pods, or why a Job has failed."""
    probed: bool = True
    """A readiness probe says when its pods can serve; otherwise they are ready once they run."""
    scale: int = 100
    """Percent of the chart's own pods that it was last asked for."""
    own: int = 0
    """The chart's own number of pods; 0 for a Job."""


async def list_kind(api: KubeApi, kind: str, namespace: str, labels: str) -> list[Object]:
    """Return the objects of a kind, each with its kind, which lists leave out."""
    version, plural = _PLACES[kind]
    things, _ = await api.list(f"/apis/{version}/namespaces/{namespace}/{plural}", labels)
    return [{**thing, "apiVersion": version, "kind": kind} for thing in things]


async def list_workloads(api: KubeApi, namespace: str, labels: str) -> list[Object]:
    """Return the objects of all kinds that are looked at.  Raises Unavailable."""
    try:
        async with asyncio.TaskGroup() as group:
            listed = [
                group.create_task(list_kind(api, kind, namespace, labels)) for kind in WORKLOADS
            ]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [thing for task in listed for thing in task.result()]


def path_of(thing: Object) -> str:
    """Return where an object of `list_kind` is."""
    version, plural = _PLACES[thing["kind"]]
    return f"/apis/{version}/namespaces/{thing['metadata']['namespace']}/{plural}/{name_of(thing)}"


def read_workload(thing: Object) -> Workload:
    """Return what the object says of itself."""
    kind = thing["kind"]
    spec, status = mapping(thing.get("spec")), mapping(thing.get("status"))
    wanted = ready = own = 0
    if kind == "DaemonSet":
        wanted, ready = _number(status, "desiredNumberScheduled"), _number(status, "numberReady")
        # Until its controller has looked at it, it wants an unknown number, which is not none.
        wanted = own = wanted if _is_current(thing) else max(wanted, 1)
    elif kind != "Job":
        replicas = spec.get("replicas")
        wanted, own = replicas if isinstance(replicas, int) else 1, own_pods(thing)
        ready = min(_number(status, "readyReplicas"), _number(status, "updatedReplicas"))
    return Workload(
        title=f"{kind}/{name_of(thing)}",
        wanted=wanted,
        ready=ready if _is_current(thing) else 0,
        failure=_failure(status),
        probed=_is_probed(spec),
        scale=scale_of([thing]),
        own=own,
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
