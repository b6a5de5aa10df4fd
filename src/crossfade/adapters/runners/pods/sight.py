"""How a run stands, from the status of its pod."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from crossfade.adapters.kubernetes.pods import is_about_network
from crossfade.adapters.runners.exit_codes import reason_of, status_of
from crossfade.core.pipeline.state import Status

Object: TypeAlias = dict[str, Any]

_LOST_REASONS = frozenset(
    {
        *("Evicted", "NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated"),
        *("NodeAffinity", "OutOfcpu", "OutOfmemory", "OutOfpods", "UnexpectedAdmissionError"),
    }
)
"""Reasons of pods that failed through no fault of their own."""
WAITS_FOR_NODE = "waits for a node"
_NO_IMAGE = ("ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_NOT_STARTED = ("StartError", "ContainerCannotRun", "RunContainerError")
_PATIENCE_SECONDS = 30.0
"""A pod that is to go and has not gone so long after its grace is on a node that is gone."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How a pod stands."""

    status: Status
    why: str = ""
    note: str = ""
    """What people should know who wait for it."""


def sight_of(pod: Object, mains: tuple[str, ...], now: float, gates: tuple[str, ...] = ()) -> Sight:
    """
    Return how the run of a pod stands.

    `mains` are the containers that decide, in order; `gates` those that end well before these.
    """
    status = pod.get("status") or {}
    lost = _lost(pod, status, now)
    if lost:
        return Sight(Status.LOST, lost)
    if status.get("phase") in ("Succeeded", "Failed"):
        return _ended(status, mains, gates)
    for waiting, name in _waiting(status):
        reason, message = str(waiting.get("reason")), str(waiting.get("message") or "")
        if reason in _NO_IMAGE and not is_about_network(message):
            return Sight(Status.FAILED, _no_image(name, reason, message))
    if unhealthy := _unhealthy(status):
        return Sight(Status.FAILED, f"{unhealthy} is not healthy: see what it printed")
    return Sight(Status.RUNNING, note=_note(status))


def _lost(pod: Object, status: Object, now: float) -> str:
    """Return why the pod was lost, "" when it was not."""
    over = status.get("phase") in ("Succeeded", "Failed")
    for each in (status.get("conditions") or ()) if over else ():
        if each.get("type") == "DisruptionTarget" and each.get("status") == "True":
            return f"its pod was taken away: {each.get('message') or each.get('reason')}"
    if status.get("phase") == "Failed" and status.get("reason") in _LOST_REASONS:
        return f"its pod was taken away: {status.get('message') or status.get('reason')}"
    metadata = pod.get("metadata") or {}
    gone = metadata.get("deletionTimestamp")
    if gone and now > _seconds(gone) + _PATIENCE_SECONDS:
        return f"its node does not answer any more: {(pod.get('spec') or {}).get('nodeName')}"
    return ""


def is_serving(pod: Object, mains: tuple[str, ...]) -> bool:
    """Return whether what comes before the containers that decide is done, and they run."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    running = {one.get("name") for one in statuses if "running" in (one.get("state") or {})}
    return set(mains) <= running


def _unhealthy(status: Object) -> str:
    """Return the service that had to be started again before it was healthy, "" for none."""
    for each in status.get("initContainerStatuses") or ():
        waits = each.get("started") is False and not (each.get("state") or {}).get("terminated")
        if waits and int(each.get("restartCount") or 0) > 0:
            return str(each.get("name"))
    return ""


def _ended(status: Object, mains: tuple[str, ...], gates: tuple[str, ...]) -> Sight:
    if status.get("reason") == "DeadlineExceeded":
        return Sight(
            Status.FAILED, "it went on for too long: no pod of a step may for more than a day"
        )
    ends = {name: each for each, name in _terminated(status)}
    refused = [name for name in gates if int((ends.get(name) or {}).get("exitCode") or 0)]
    for name in refused[:1] or mains:
        sight = _end_of(ends[name]) if name in ends else Sight(Status.LOST, "its pod was lost")
        if sight.status is not Status.SUCCEEDED:
            return sight
    return Sight(Status.SUCCEEDED)


def _end_of(ended: Object) -> Sight:
    code, reason = int(ended.get("exitCode") or 0), str(ended.get("reason") or "")
    if reason == "ContainerStatusUnknown":
        return Sight(Status.LOST, "its node was lost")
    if reason == "OOMKilled":
        return Sight(Status.KILLED, "its memory did not do (OOMKilled)")
    if reason in _NOT_STARTED:
        return Sight(Status.FAILED, f"it cannot be started: {ended.get('message') or reason}")
    return Sight(status_of(code), reason_of(code))


def _statuses(status: Object) -> Iterator[Object]:
    for part in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(part) or ()


def _waiting(status: Object) -> Iterator[tuple[Object, str]]:
    for each in _statuses(status):
        if (waiting := (each.get("state") or {}).get("waiting")) is not None:
            yield waiting, str(each.get("name"))


def _terminated(status: Object) -> Iterator[tuple[Object, str]]:
    for each in _statuses(status):
        if (ended := (each.get("state") or {}).get("terminated")) is not None:
            yield ended, str(each.get("name"))


def _no_image(container: str, reason: str, message: str) -> str:
    said = f": {message}" if message and message not in reason else ""
    return f"the image of {container} cannot be pulled by the cluster ({reason}){said}"


def _note(status: Object) -> str:
    """Return what a pod waits for that has not begun."""
    if status.get("phase") not in (None, "Pending"):
        return ""
    for each in status.get("conditions") or ():
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            return f"{WAITS_FOR_NODE}: {each.get('message') or each.get('reason')}"
    for waiting, name in _waiting(status):
        if waiting.get("message"):
            return f"{name} waits: {waiting.get('reason')}: {waiting['message']}"
    return ""


def _seconds(stamp: object) -> float:
    return datetime.fromisoformat(str(stamp)).timestamp()
