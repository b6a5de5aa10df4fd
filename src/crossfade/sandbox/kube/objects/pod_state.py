"""Questions about one Pod that several controllers ask."""

from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.objects import conditions
from crossfade.sandbox.kube.objects.timestamps import seconds_of

PORTS_ANNOTATION = "sandbox.crossfade.dev/ports"
"""JSON object: container port (as text) to the port of the host that the kubelet picked."""


def phase(pod: Object) -> str:
    """Return `status.phase`; `Pending` until somebody said otherwise."""
    found: str = pod.get("status", {}).get("phase") or "Pending"
    return found


def is_finished(pod: Object) -> bool:
    """Return whether all its containers have ended for good."""
    return phase(pod) in ("Succeeded", "Failed")


def is_terminating(pod: Object) -> bool:
    """Return whether its deletion has been asked for."""
    return "deletionTimestamp" in pod["metadata"]


def is_active(pod: Object) -> bool:
    """Return whether it counts as a replica."""
    return not is_finished(pod) and not is_terminating(pod)


def is_ready(pod: Object) -> bool:
    """Return whether its `Ready` condition holds."""
    return conditions.is_true(pod, "Ready")


def available_at(pod: Object, min_ready_seconds: int) -> float | None:
    """Return when (epoch seconds) it has been ready long enough, or None when it is not ready."""
    ready = conditions.find(pod, "Ready")
    if ready is None or ready.get("status") != "True":
        return None
    if not min_ready_seconds:
        return 0.0
    return seconds_of(ready.get("lastTransitionTime")) + min_ready_seconds


def restarts(pod: Object) -> int:
    """Return how often its containers were restarted, the most of all containers."""
    statuses: list[dict[str, Any]] = pod.get("status", {}).get("containerStatuses") or []
    return max((status.get("restartCount", 0) for status in statuses), default=0)
