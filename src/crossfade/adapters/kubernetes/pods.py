"""Why a pod is not ready, in words for those who wrote the application."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from crossfade.adapters.kubernetes.client import Object
from crossfade.adapters.kubernetes.node_faults import is_about_nodes, node_fault
from crossfade.core.release.kinds import mapping, mappings, name_of
from crossfade.core.release.report import Cause

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
_NETWORK = re.compile(
    r"dial tcp|i/o timeout|connection (refused|reset)|no such host|TLS handshake|deadline exceeded"
    r"|toomanyrequests|Too Many Requests|status(?: code)?:? 5\d\d|unexpected EOF"
    r"|server misbehaving",
    re.IGNORECASE,
)

HOPELESS_RESTARTS = 5
"""A container that has ended with an error so often in a row, and never got ready, never will."""

GRACE_SECONDS = 10.0
"""Time in which somebody may be about to create the Secret or ConfigMap that is missing."""

RECENT = timedelta(seconds=60)
"""A pod that a node lost longer before another one was made is no reason for that one's state."""


class Rank(IntEnum):
    """How much a trouble says; the highest one is told."""

    STARTING = 0
    NODE = 1
    PROBE = 2
    NO_ROOM = 3
    CRASH = 4
    CONFIG = 5
    IMAGE = 6


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps one pod from being ready."""

    rank: Rank
    pod: str
    text: str
    cause: Cause = Cause.NONE
    container: str = ""
    """The container that it is about; "" for the whole pod."""
    previous: bool = False
    """The container has been started again since, so that its last words are in the older log."""
    patience_seconds: float | None = None
    """Waiting will not help once it has lasted so long; None: it always may."""


def worst(pods: Sequence[Object], lost_nodes: Collection[str] = ()) -> tuple[Trouble, int] | None:
    """
    Return the trouble that says most, with the number of pods that have its like.

    `lost_nodes` do not answer.  Waiting helps the trouble that is told as long as it may help any.
    """
    replaced = _newest_unready(pods)
    troubles = [
        trouble
        for pod in pods
        if not _is_old(pod, replaced) and (trouble := trouble_of(pod, lost_nodes)) is not None
    ]
    if not troubles:
        return None
    told = max(troubles, key=lambda each: each.rank)
    patience = [each.patience_seconds for each in troubles]
    known = [each for each in patience if each is not None]
    told = replace(told, patience_seconds=max(known) if len(known) == len(patience) else None)
    return told, sum(1 for each in troubles if each.rank == told.rank)


def trouble_of(pod: Object, lost_nodes: Collection[str] = ()) -> Trouble | None:
    """Return what keeps the pod from being ready, None when it is ready or leaving."""
    status = mapping(pod.get("status"))
    conditions = {str(each.get("type")): each for each in mappings(status.get("conditions"))}
    if mapping(conditions.get("Ready")).get("status") == "True":
        return None
    name = name_of(pod)
    fault = node_fault(pod, lost_nodes)
    if fault:
        return Trouble(Rank.NODE, name, fault, Cause.NODE)
    if mapping(pod.get("metadata")).get("deletionTimestamp") or status.get("phase") == "Succeeded":
        return None
    if re.match(r"OutOf(cpu|memory|pods|ephemeral-storage)", str(status.get("reason"))):
        text = f"its node had no room left: {status.get('message')}"
        return Trouble(Rank.NO_ROOM, name, text, Cause.RESOURCES)
    scheduled = mapping(conditions.get("PodScheduled"))
    if scheduled.get("status") == "False":
        why = str(scheduled.get("message") or scheduled.get("reason") or "no reason given")
        told = re.sub(r"[\s,]*(no new claims to deallocate,\s*)?preemption: .*", "", why)
        return Trouble(Rank.NO_ROOM, name, f"no node takes it: {told}", _unscheduled(why))
    containers = [
        trouble
        for group in ("initContainerStatuses", "containerStatuses")
        for container in mappings(status.get(group))
        if (trouble := _container_trouble(name, container, group)) is not None
    ]
    if containers:
        return max(containers, key=lambda each: each.rank)
    return Trouble(Rank.STARTING, name, "it is starting")


def _unscheduled(why: str) -> Cause:
    """Return whose fault it is, from what the scheduler says of all nodes."""
    if "Insufficient" in why or "Too many pods" in why:
        return Cause.RESOURCES
    return Cause.NODE if is_about_nodes(why) else Cause.CONFIG


def _container_trouble(pod: str, status: Object, group: str) -> Trouble | None:
    name = str(status.get("name"))
    state = mapping(status.get("state"))
    waiting, ended = mapping(state.get("waiting")), mapping(state.get("terminated"))
    before = mapping(mapping(status.get("lastState")).get("terminated"))
    reason = str(waiting.get("reason") or "")
    message = str(waiting.get("message") or reason)
    if reason in _IMAGE:
        return _image_trouble(pod, status, reason, message)
    if reason in _CONFIG:
        return _config_trouble(pod, name, message)
    if ended and ended.get("exitCode") != 0:
        return _crash(pod, status, ended, previous=False)
    lasts = group == "containerStatuses"  # those before it are meant to end
    if before and not status.get("ready") and (lasts or before.get("exitCode") != 0):
        return _crash(pod, status, before, previous=True)
    if reason == "CrashLoopBackOff":  # some runtimes forget how it ended
        text = f"container {name} ends again and again: {message}"
        return Trouble(Rank.CRASH, pod, text, Cause.CONFIG, name, previous=True)
    if "running" in state and not status.get("ready"):
        text = f"container {name} runs, but is not ready"
        return Trouble(Rank.PROBE, pod, text, Cause.CONFIG, name)
    return None


def _image_trouble(pod: str, status: Object, reason: str, message: str) -> Trouble:
    name, image = str(status.get("name")), status.get("image") or "?"
    text = f"its image {image} cannot be had: {message}"
    if is_about_network(message):
        return Trouble(Rank.IMAGE, pod, text, Cause.NODE, name)
    patience = 0.0 if reason in _NEVER else None
    return Trouble(Rank.IMAGE, pod, text, Cause.CONFIG, name, patience_seconds=patience)


def _config_trouble(pod: str, container: str, message: str) -> Trouble:
    if "timed out waiting for the condition" in message:  # the node cannot read what is there
        text = f"its node cannot read its settings: {message}"
        return Trouble(Rank.NODE, pod, text, Cause.NODE, container)
    text = f"container {container} cannot be made: {missing(message) or message}"
    return Trouble(Rank.CONFIG, pod, text, Cause.CONFIG, container, patience_seconds=GRACE_SECONDS)


def _crash(pod: str, status: Object, ended: Object, *, previous: bool) -> Trouble:
    name = str(status.get("name"))
    if ended.get("reason") in ("ContainerStatusUnknown", "Unknown"):
        text = f"container {name} was lost by its node, which was restarted or cut off"
        return Trouble(Rank.NODE, pod, text, Cause.NODE, name)
    hopeless = (status.get("restartCount") or 0) >= HOPELESS_RESTARTS
    return Trouble(
        Rank.CRASH,
        pod,
        f"container {name} {_end(ended)}",
        Cause.CONFIG,
        name,
        previous,
        patience_seconds=0.0 if hopeless else None,
    )


def _end(terminated: Object) -> str:
    """Return how a container ended."""
    if terminated.get("reason") == "OOMKilled":
        return "was killed: it used more memory than its limit"
    if terminated.get("reason") in ("StartError", "ContainerCannotRun"):
        return f"cannot be started: {terminated.get('message') or 'no reason given'}"
    if terminated.get("signal"):
        return f"was killed by signal {terminated['signal']}"
    message = f" ({terminated['message']})" if terminated.get("message") else ""
    if terminated.get("exitCode") == 0:
        return f"ended by itself, as if its work were done (exit code 0){message}"
    return f"crashed with exit code {terminated.get('exitCode')}{message}"


def is_about_network(message: str) -> bool:
    """Return whether the registry is away or overloaded, which is no fault of the image's name."""
    return bool(_NETWORK.search(message))


def missing(message: str) -> str:
    """Return which object or key is missing, for people; "" when the message is of another kind."""
    kinds = {"secret": "Secret", "configmap": "ConfigMap", "config": "ConfigMap"}
    if found := re.search(r'\b(secret|configmap) "([^"]+)" not found', message):
        return f"{kinds[found[1]]} {found[2]} is missing in its namespace"
    if found := re.search(r"couldn't find key (\S+) in (Secret|ConfigMap) \S+?/(\S+)", message):
        return f"key {found[1]} is missing in {found[2]} {found[3]}"
    if found := re.search(r"references non-existent (secret|config) key: (\S+)", message):
        return f"key {found[2]} is missing in the {kinds[found[1]]} of one of its volumes"
    return ""


def probe_path(pod: Object, container: str) -> str:
    """Return where the API server's proxy asks as the readiness probe does, "" if it does not."""
    for each in mappings(mapping(pod.get("spec")).get("containers")):
        action = mapping(mapping(each.get("readinessProbe")).get("httpGet"))
        if each.get("name") == container and action and not action.get("host"):
            scheme = str(action.get("scheme") or "HTTP").lower()
            path = str(action.get("path") or "/").lstrip("/")
            return f"{scheme}:{name_of(pod)}:{action.get('port')}/proxy/{path}"
    return ""


def newest_event(events: Iterable[Object], reason: str, words: str = "") -> str:
    """Return what the newest event of the reason says that has the words, "" without any."""
    told = [
        each
        for each in events
        if each.get("reason") == reason and words in str(each.get("message"))
    ]
    if not told:
        return ""
    newest = max(told, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime")))
    return str(newest.get("message") or "")


def _newest_unready(pods: Sequence[Object]) -> datetime | None:
    """Return when the newest pod was made that may still become ready."""
    made = []
    for pod in pods:
        metadata, status = mapping(pod.get("metadata")), mapping(pod.get("status"))
        alive = status.get("phase") not in ("Failed", "Succeeded")
        if alive and not metadata.get("deletionTimestamp"):
            made.append(_time(metadata.get("creationTimestamp")))
    return max((each for each in made if each), default=None)


def _is_old(pod: Object, replaced: datetime | None) -> bool:
    """Return whether a node lost the pod so long ago that others have come and gone since."""
    status = mapping(pod.get("status"))
    if status.get("phase") != "Failed" or replaced is None:
        return False
    times = [_time(each.get("lastTransitionTime")) for each in mappings(status.get("conditions"))]
    last = max((each for each in times if each), default=None)
    return last is not None and last < replaced - RECENT


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
