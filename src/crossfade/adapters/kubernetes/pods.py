"""Why a pod is not ready, in words for those who wrote the application."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from crossfade.adapters.kubernetes.client import Object
from crossfade.core.release.kinds import mapping, mappings, name_of

_IMAGE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_NEVER = {"InvalidImageName", "ErrImageNeverPull"}
_CONFIG = {
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "StartError",
    "PreStartHookError",
    "PostStartHookError",
}


HOPELESS_RESTARTS = 5
"""A container that has ended with an error so often in a row, and never got ready, never will."""


class Rank(IntEnum):
    """How much a trouble says; the highest one is told."""

    STARTING = 0
    PROBE = 1
    NO_ROOM = 2
    CRASH = 3
    CONFIG = 4
    IMAGE = 5


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps one pod from being ready."""

    rank: Rank
    pod: str
    text: str
    container: str = ""
    """The container that it is about; "" for the whole pod."""
    previous: bool = False
    """The container has been started again since, so that its last words are in the older log."""
    hopeless: bool = False
    """Waiting will not help."""


def worst(pods: Sequence[Object]) -> tuple[Trouble, int] | None:
    """Return the trouble that says most, with the number of pods that have its like."""
    troubles = [trouble for pod in pods if (trouble := trouble_of(pod)) is not None]
    if not troubles:
        return None
    told = max(troubles, key=lambda each: each.rank)
    told = replace(told, hopeless=all(each.hopeless for each in troubles))
    return told, sum(1 for each in troubles if each.rank == told.rank)


def trouble_of(pod: Object) -> Trouble | None:
    """Return what keeps the pod from being ready, None when it is ready or leaving."""
    status = mapping(pod.get("status"))
    conditions = {str(each.get("type")): each for each in mappings(status.get("conditions"))}
    if mapping(conditions.get("Ready")).get("status") == "True":
        return None
    if mapping(pod.get("metadata")).get("deletionTimestamp") or status.get("phase") == "Succeeded":
        return None
    name = name_of(pod)
    scheduled = mapping(conditions.get("PodScheduled"))
    if scheduled.get("status") == "False":
        why = scheduled.get("message") or scheduled.get("reason") or "no reason given"
        return Trouble(Rank.NO_ROOM, name, f"no node takes it: {why}")
    containers = [
        trouble
        for group in ("initContainerStatuses", "containerStatuses")
        for container in mappings(status.get(group))
        if (trouble := _container_trouble(name, container)) is not None
    ]
    if containers:
        return max(containers, key=lambda each: each.rank)
    return Trouble(Rank.STARTING, name, "it is starting")


def _container_trouble(pod: str, status: Object) -> Trouble | None:
    name = str(status.get("name"))
    state = mapping(status.get("state"))
    waiting, ended = mapping(state.get("waiting")), mapping(state.get("terminated"))
    before = mapping(mapping(status.get("lastState")).get("terminated"))
    reason = str(waiting.get("reason") or "")
    message = str(waiting.get("message") or reason)
    if reason in _IMAGE:
        image = status.get("image") or "?"
        text = f"its image {image} cannot be had: {message}"
        return Trouble(Rank.IMAGE, pod, text, name, hopeless=reason in _NEVER)
    if reason in _CONFIG:
        return Trouble(Rank.CONFIG, pod, f"container {name} cannot be made: {message}", name)
    hopeless = (status.get("restartCount") or 0) >= HOPELESS_RESTARTS
    if ended and ended.get("exitCode") != 0:
        return Trouble(Rank.CRASH, pod, f"container {name} {_end(ended)}", name, hopeless=hopeless)
    if before and not status.get("ready") and before.get("exitCode") != 0:
        text = f"container {name} {_end(before)}"
        return Trouble(Rank.CRASH, pod, text, name, previous=True, hopeless=hopeless)
    if "running" in state and not status.get("ready"):
        return Trouble(Rank.PROBE, pod, f"container {name} runs, but is not ready", name)
    return None


def _end(terminated: Object) -> str:
    """Return how a container ended."""
    if terminated.get("reason") == "OOMKilled":
        return "was killed: it used more memory than its limit"
    if terminated.get("signal"):
        return f"was killed by signal {terminated['signal']}"
    message = f" ({terminated['message']})" if terminated.get("message") else ""
    return f"crashed with exit code {terminated.get('exitCode')}{message}"


def last_probe_failure(events: Iterable[Object]) -> str:
    """Return what the newest event says of a failing probe, "" when there is none."""
    told = [each for each in events if each.get("reason") == "Unhealthy"]
    if not told:
        return ""
    newest = max(told, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime")))
    return str(newest.get("message") or "")
