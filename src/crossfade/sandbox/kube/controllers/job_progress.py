"""How far a Job is, from its Pods and its status.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.objects import conditions, pod_state
from crossfade.sandbox.kube.objects.timestamps import seconds_of

TRACKING = "batch.kubernetes.io/job-tracking"
"""Finalizer of Pods that are not yet counted, so that none is lost and none counts twice."""
INDEX = "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True, slots=True)
class Progress:
    """What has been done and what is under way."""

    active: tuple[Object, ...]
    terminating: int
    ready: int
    succeeded: int
    failed: int
    completed_indexes: frozenset[int]
    restarts: int
    """Of containers in active Pods."""
    last_failure_at: float


@dataclass(frozen=True, slots=True)
class End:
    """How the Job has ended."""

    complete: bool
    reason: str
    message: str


def index_of(pod: Object) -> int | None:
    """Return the completion index of a Pod of an indexed Job."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else None


def is_tracked(pod: Object) -> bool:
    """Return whether the Pod has not been counted for good."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def has_ended(pod: Object) -> bool:
    """Return whether a Pod is to be counted: finished, or deleted and gone from its Node."""
    if pod_state.is_finished(pod):
        return True
    meta = pod["metadata"]
    return pod_state.is_terminating(pod) and not meta.get("deletionGracePeriodSeconds")


def progress(job: Object, pods: Iterable[Object]) -> Progress:
    """Return how far the Job is; all ended Pods have been counted in its status before."""
    pods = list(pods)
    status = job.get("status") or {}
    active = tuple(pod for pod in pods if pod_state.is_active(pod))
    failed = [pod for pod in pods if pod_state.phase(pod) == "Failed"]
    return Progress(
        active=active,
        terminating=sum(pod_state.is_terminating(pod) and not has_ended(pod) for pod in pods),
        ready=sum(pod_state.is_ready(pod) for pod in active),
        succeeded=status.get("succeeded", 0),
        failed=status.get("failed", 0),
        completed_indexes=parse_indexes(status.get("completedIndexes", "")),
        restarts=sum(pod_state.restarts(pod) for pod in active),
        last_failure_at=max((_ended_at(pod) for pod in failed), default=0.0),
    )


def _ended_at(pod: Object) -> float:
    statuses: list[dict[str, Any]] = pod.get("status", {}).get("containerStatuses") or []
    ended = [(one.get("state") or {}).get("terminated") or {} for one in statuses]
    return max((seconds_of(one.get("finishedAt")) for one in ended), default=0.0)


def is_indexed(job: Object) -> bool:
    """Return whether each completion has an index of its own."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def end_of(job: Object, seen: Progress, now: float) -> End | None:
    """Return how the Job has ended, or None while it goes on."""
    spec = job["spec"]
    limit = spec.get("backoffLimit", 6)
    on_failure = spec["template"]["spec"].get("restartPolicy") == "OnFailure"
    restarted_out = on_failure and seen.restarts > 0 and seen.restarts >= limit
    if seen.failed > limit or restarted_out:
        message = "Job has reached the specified backoff limit"
        return End(False, "BackoffLimitExceeded", message)
    started = seconds_of((job.get("status") or {}).get("startTime"))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and started and now >= started + deadline:
        message = "Job was active longer than specified deadline"
        return End(False, "DeadlineExceeded", message)
    completions = spec.get("completions")
    reached = (
        seen.succeeded > 0 and not seen.active
        if completions is None
        else seen.succeeded >= completions
    )
    if reached:
        message = "Reached expected number of succeeded pods"
        return End(True, "CompletionsReached", message)
    return None


def ended_before(job: Object) -> bool:
    """Return whether the status already says that the Job is over."""
    return conditions.is_true(job, "Complete") or conditions.is_true(job, "Failed")


def wanted_active(job: Object, seen: Progress) -> int:
    """Return how many Pods should be at work."""
    spec = job["spec"]
    parallelism = int(spec.get("parallelism", 1))
    completions: int | None = spec.get("completions")
    if completions is None:
        return len(seen.active) if seen.succeeded else parallelism
    return min(parallelism, max(0, completions - seen.succeeded))


def free_indexes(job: Object, seen: Progress) -> list[int]:
    """Return the indexes that nobody works on and that are not done, lowest first."""
    taken = {index_of(pod) for pod in seen.active} | seen.completed_indexes
    return [index for index in range(job["spec"].get("completions") or 0) if index not in taken]


def parse_indexes(text: str) -> frozenset[int]:
    """Return the numbers in `1,3-5`."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def format_indexes(indexes: Iterable[int]) -> str:
    """Return the numbers as `1,3-5`."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
