"""The status of a Pod, from the records of its containers.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kubelet.container_record import (
    ContainerRecord,
    Running,
    Terminated,
    Waiting,
)
from crossfade.sandbox.kube.objects.conditions import Condition, find, is_true, merged
from crossfade.sandbox.kube.objects.timestamps import stamp


@dataclass(slots=True)
class PodRecord:
    """All that the kubelet knows of the containers of one Pod."""

    containers: list[ContainerRecord]
    inits: list[ContainerRecord] = field(default_factory=list)
    started_at: float = 0.0
    failure: tuple[str, str] | None = None
    """Reason and message of a Pod that failed as a whole (deadline, eviction)."""
    stopped: bool = False
    """Ended by order, so that it is not started again whatever its restart policy."""


def phase(pod: Object, record: PodRecord) -> str:
    """Return `Pending`, `Running`, `Succeeded` or `Failed`."""
    if record.failure is not None:
        return "Failed"
    if record.stopped:
        return "Succeeded" if all(one.succeeded for one in record.containers) else "Failed"
    policy = pod["spec"].get("restartPolicy", "Always")
    if not _initialized(pod, record):
        broken = any(
            isinstance(one.state, Terminated) and one.state.exit_code for one in record.inits
        )
        return "Failed" if broken and policy == "Never" else "Pending"
    states = [one.state for one in record.containers]
    fresh = [
        one for one in record.containers if isinstance(one.state, Waiting) and one.last is None
    ]
    if fresh:
        return "Pending"
    ended = [state for state in states if isinstance(state, Terminated)]
    beside = any(isinstance(one.state, Running) for one in _sidecars(pod, record))
    if len(ended) < len(states) or beside or policy == "Always":
        return "Running"
    if all(state.exit_code == 0 for state in ended):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def is_sidecar(container: dict[str, Any]) -> bool:
    """Return whether an init container goes on beside the others."""
    return bool(container.get("restartPolicy") == "Always")


def _initialized(pod: Object, record: PodRecord) -> bool:
    if any(one.id for one in record.containers):
        return True  # whatever has become of sidecars since
    for container, one in zip(pod["spec"].get("initContainers") or (), record.inits, strict=False):
        if is_sidecar(container):
            if not one.started:
                return False
        elif not one.succeeded:
            return False
    return True


def status(pod: Object, record: PodRecord, address: str, now: float) -> Object:
    """Return the whole status to be written."""
    found = phase(pod, record)
    old = pod.get("status") or {}
    result: Object = {
        "phase": found,
        "conditions": merged(old.get("conditions") or (), conditions(pod, record, found), now),
        "hostIP": address,
        "hostIPs": [{"ip": address}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": stamp(record.started_at),
        "containerStatuses": [one.status() for one in _by_name(record.containers)],
        "reason": record.failure[0] if record.failure else None,
        "message": record.failure[1] if record.failure else None,
    }
    if record.inits:
        result["initContainerStatuses"] = [one.status() for one in record.inits]
    return result


def _by_name(records: Sequence[ContainerRecord]) -> list[ContainerRecord]:
    return sorted(records, key=lambda one: one.name)


def conditions(pod: Object, record: PodRecord, found: str) -> list[Condition]:
    """Return the conditions that a kubelet owns."""
    done = found in ("Succeeded", "Failed")
    ended = record.failure if record.failure and record.failure[0] == "Terminated" else None
    initialized = _initialized(pod, record) or found == "Succeeded"
    result = [
        # The scheduler may still be about to say so itself.
        *([] if find(pod, "PodScheduled") else [Condition("PodScheduled", True)]),
        Condition("PodReadyToStartContainers", not done),
        Condition("Initialized", True, "PodCompleted" if found == "Succeeded" else "")
        if initialized
        else _not_initialized(record),
        *([Condition("DisruptionTarget", True, "TerminationByKubelet", ended[1])] if ended else []),
    ]
    if done:
        reason = "PodCompleted" if found == "Succeeded" else "PodFailed"
        return [*result, *_both_ready(False, reason, "")]
    watched = [*_sidecars(pod, record), *record.containers]
    unready = [one.name for one in watched if not one.ready]
    if unready or not initialized:
        message = f"containers with unready status: [{' '.join(unready)}]"
        return [*result, *_both_ready(False, "ContainersNotReady", message)]
    gates = [
        gate["conditionType"]
        for gate in pod["spec"].get("readinessGates") or ()
        if not is_true(pod, gate["conditionType"])
    ]
    if gates:
        message = "; ".join(
            f'corresponding condition of pod readiness gate "{one}" does not exist or is not True'
            for one in gates
        )
        ready = Condition("Ready", False, "ReadinessGatesNotReady", message)
        return [*result, ready, Condition("ContainersReady", True)]
    return [*result, *_both_ready(True, "", "")]


def _sidecars(pod: Object, record: PodRecord) -> list[ContainerRecord]:
    inits = zip(pod["spec"].get("initContainers") or (), record.inits, strict=False)
    return [one for container, one in inits if is_sidecar(container)]


def _both_ready(good: bool, reason: str, message: str) -> tuple[Condition, Condition]:
    return (
        Condition("Ready", good, reason, message),
        Condition("ContainersReady", good, reason, message),
    )


def _not_initialized(record: PodRecord) -> Condition:
    waiting = [
        one.name
        for one in record.inits
        if not one.succeeded and not (isinstance(one.state, Running) and one.started)
    ]
    message = f"containers with incomplete status: [{' '.join(waiting)}]"
    return Condition("Initialized", False, "ContainersNotInitialized", message)
