"""Why a revision's pods are not ready, asked of a cluster: pods, their last words, their events."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.kubernetes.node_faults import is_away, is_lost, nodes_of_unready
from crossfade.adapters.kubernetes.pods import (
    GRACE_SECONDS,
    Rank,
    Trouble,
    is_about_network,
    missing,
    newest_event,
    probe_path,
    worst,
)
from crossfade.adapters.kubernetes.room import shortage
from crossfade.adapters.kubernetes.workloads import PodsOf, Workload
from crossfade.base.errors import CrossfadeError
from crossfade.core.release.kinds import name_of
from crossfade.core.release.report import Cause

IMAGE_TRIES = 3
"""An image that could not be had so often, from a registry that answers, is not there."""

_LOG_LINES = 5
_LONGEST_LOG = 600
_LONGEST_ANSWER = 200
_MOST_NODES = 10


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why pods are not ready, in the user's words."""

    text: str
    rank: Rank = Rank.STARTING
    cause: Cause = Cause.NONE
    patience_seconds: float | None = None
    """No pod is ready, and none will be once it has lasted so long; None: some may."""
    hopeless: bool = False
    """It has lasted so long."""


async def diagnose(api: KubeApi, whose: PodsOf, workloads: Sequence[Workload]) -> Diagnosis:
    """Return why the workloads of these pods are not ready.  Raises Unavailable."""
    for workload in workloads:
        if workload.failure:
            return _failed(workload)
    root = f"/api/v1/namespaces/{whose.namespace}"
    pods, _ = await api.list(f"{root}/pods", whose.labels)
    found = worst(pods, await _lost_nodes(api, pods))
    ready, wanted = sum(each.ready for each in workloads), sum(each.wanted for each in workloads)
    count = f"{ready} of {wanted} pods are ready"
    if found is None:
        return Diagnosis(count)
    trouble, same = found
    pod = next(each for each in pods if name_of(each) == trouble.pod)
    with suppress(CrossfadeError):  # what else is to be said is an extra
        trouble = await _told_in_full(api, root, trouble, pod)
    if trouble.rank is Rank.STARTING:
        return Diagnosis(count)
    others = f" (and {same - 1} like it)" if same > 1 else ""
    return Diagnosis(
        f"{count}; pod {trouble.pod}{others}: {trouble.text}",
        trouble.rank,
        trouble.cause,
        trouble.patience_seconds if ready == 0 else None,
    )


def _failed(workload: Workload) -> Diagnosis:
    """Return what keeps a workload from making its pods, or why a Job has failed."""
    text = f"{workload.title}: {workload.failure}"
    if "exceeded quota" in workload.failure:
        return Diagnosis(text, Rank.NO_ROOM, Cause.RESOURCES)
    if "forbidden" in workload.failure or "admission webhook" in workload.failure:
        return Diagnosis(text, Rank.CONFIG, Cause.REFUSED, GRACE_SECONDS)
    patience = 0.0 if workload.title.startswith("Job/") else None
    return Diagnosis(text, Rank.CONFIG, Cause.CONFIG, patience)


async def _lost_nodes(api: KubeApi, pods: Sequence[Object]) -> list[str]:
    """Return those nodes of unready pods that do not answer; none if we may not look at nodes."""
    names = nodes_of_unready(pods)[:_MOST_NODES]

    async def lost(name: str) -> bool:
        with suppress(CrossfadeError):
            node = await api.find(f"/api/v1/nodes/{name}")
            return node is None or is_lost(node)
        return False

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(lost(name)) for name in names]
    return [name for name, task in zip(names, asked, strict=True) if task.result()]


async def _told_in_full(api: KubeApi, root: str, trouble: Trouble, pod: Object) -> Trouble:
    """Return the trouble with what logs, events and nodes add to it.  Raises Unavailable."""
    if trouble.rank is Rank.NO_ROOM:
        return await _with_nodes(api, trouble, pod)
    if trouble.rank in (Rank.CONFIG, Rank.NODE):
        return trouble
    events, _ = await api.list(f"{root}/events", fields=f"involvedObject.name={trouble.pod}")
    match trouble.rank:
        case Rank.STARTING:
            return _held_up(trouble, events)
        case Rank.PROBE:
            failure = newest_event(events, "Unhealthy")
            if not failure:
                return trouble
            answer = await _answer(api, root, trouble, pod) if "statuscode" in failure else ""
            return replace(trouble, text=f"{trouble.text}: {failure}{answer}")
        case Rank.IMAGE:
            return _with_tries(trouble, events)
        case _:
            return await _with_last_words(api, root, trouble, events)


async def _with_nodes(api: KubeApi, trouble: Trouble, pod: Object) -> Trouble:
    """Return why no node takes the pod, from what the nodes themselves say."""
    if trouble.cause is Cause.NODE:
        return trouble
    nodes, _ = await api.list("/api/v1/nodes")
    if trouble.cause is Cause.CONFIG:
        # Newer schedulers do not say which taint it is: it may be that of a node in trouble.
        hidden = "untolerated taint(s)" in trouble.text and any(map(is_away, nodes))
        return replace(trouble, cause=Cause.NODE) if hidden else trouble
    others, _ = await api.list("/api/v1/pods")
    return replace(trouble, text=shortage(pod, nodes, others) or trouble.text)


async def _answer(api: KubeApi, root: str, trouble: Trouble, pod: Object) -> str:
    """Return what a container says where its readiness probe asks, "" if it cannot be asked."""
    path = probe_path(pod, trouble.container)
    if not path:
        return ""
    try:
        body = await api.peek(f"{root}/pods/{path}")
    except CrossfadeError:  # few accounts may use the proxy
        return ""
    return f", saying: {_one_line(body)[:_LONGEST_ANSWER]}" if body.strip() else ""


def _held_up(trouble: Trouble, events: Sequence[Object]) -> Trouble:
    """Return why a pod's containers are not even begun with, if an event says so."""
    message = newest_event(events, "FailedMount")
    if lacking := missing(message):
        return replace(
            trouble,
            rank=Rank.CONFIG,
            text=f"its volumes cannot be made: {lacking}",
            cause=Cause.CONFIG,
            patience_seconds=GRACE_SECONDS,
        )
    for reason in ("FailedAttachVolume", "FailedMount", "FailedCreatePodSandBox"):
        if message := newest_event(events, reason):
            return replace(trouble, rank=Rank.NODE, text=message, cause=Cause.NODE)
    return trouble


def _with_tries(trouble: Trouble, events: Sequence[Object]) -> Trouble:
    """Return the trouble of an image with the number of tries, which tells when to give up."""
    tried = "Failed to pull image"
    tries = sum(
        int(each.get("count") or 1)
        for each in events
        if each.get("reason") == "Failed" and str(each.get("message")).startswith(tried)
    )
    told = newest_event(events, "Failed", tried)
    if told and "Back-off" in trouble.text:  # the event says why, the status only that it waits
        trouble = replace(trouble, text=told)
    if is_about_network(told):
        return replace(trouble, cause=Cause.NODE)
    if tries < IMAGE_TRIES or trouble.cause is not Cause.CONFIG:
        return trouble
    text = f"{trouble.text} (tried {tries} times)"
    return replace(trouble, text=text, patience_seconds=0.0)


async def _with_last_words(
    api: KubeApi, root: str, trouble: Trouble, events: Sequence[Object]
) -> Trouble:
    """Return the trouble of a container that crashed, with what it wrote last."""
    if killed := newest_event(events, "Unhealthy", "Liveness probe failed"):
        trouble = replace(trouble, text=f"{trouble.text} after this: {killed}")
    log = await _log(api, root, trouble, previous=trouble.previous)
    if not log and not trouble.previous:  # it was started again since its status was read
        with suppress(CrossfadeError):
            log = await _log(api, root, trouble, previous=True)
    words = f"; it said: {_one_line(log)}" if log else ""
    return replace(trouble, text=trouble.text + words)


async def _log(api: KubeApi, root: str, trouble: Trouble, *, previous: bool) -> str:
    """Return the end of a container's log, or of that of the container before it."""
    lines = {"container": trouble.container, "tailLines": str(_LOG_LINES)}
    asked = {**lines, "previous": "true" if previous else ""}
    return (await api.text(f"{root}/pods/{trouble.pod}/log", asked)).strip()


def _one_line(log: str) -> str:
    """Return the end of a log for a sentence."""
    lines = (" ".join(line.split()) for line in log.splitlines())
    return " / ".join(line for line in lines if line)[-_LONGEST_LOG:]
