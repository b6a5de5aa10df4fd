"""The status of a Deployment, from those of its ReplicaSets.  Pure."""

from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.controllers import rolling
from crossfade.sandbox.kube.objects.conditions import Condition, find, merged
from crossfade.sandbox.kube.objects.timestamps import seconds_of, stamp

_NO_DEADLINE = 2**31 - 1
_COMPLETE = "NewReplicaSetAvailable"


def status(
    deployment: Object, sets: list[Object], new: Object | None, now: float
) -> tuple[Object, float | None]:
    """Return the status, and seconds until it changes by itself (a deadline) or None."""
    counts = _counts(deployment, sets, new)
    limits = room(deployment)
    old = deployment.get("status", {})
    enough = counts["availableReplicas"] >= limits.least
    available = (
        Condition(
            "Available", True, "MinimumReplicasAvailable", "Deployment has minimum availability."
        )
        if enough
        else Condition(
            "Available",
            False,
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    )
    kept = [
        one
        for one in old.get("conditions") or ()
        if one["type"] not in ("Progressing", "ReplicaFailure")
    ]
    conditions = merged(kept, [available, *_failures(sets)], now, updates=True)
    progressing, after = _progress(deployment, counts, new, now)
    if progressing is not None:
        conditions.append(progressing)
    result: Object = {
        name: value
        for name, value in counts.items()
        if value or name not in ("unavailableReplicas", "readyReplicas", "availableReplicas")
    }
    if "collisionCount" in old:
        result["collisionCount"] = old["collisionCount"]
    result["conditions"] = conditions
    return {name: value for name, value in result.items() if value != 0}, after


def room(deployment: Object) -> rolling.Room:
    """Return how far this Deployment may leave its size."""
    spec = deployment["spec"]
    strategy = spec.get("strategy") or {}
    update: dict[str, Any] = strategy.get("rollingUpdate") or {}
    replicas = spec.get("replicas", 1)
    if strategy.get("type") == "Recreate":
        return rolling.Room(replicas, 0, replicas)
    return rolling.room(
        replicas, update.get("maxSurge", "25%"), update.get("maxUnavailable", "25%")
    )


def _counts(deployment: Object, sets: list[Object], new: Object | None) -> dict[str, int]:
    def total(name: str) -> int:
        return sum(one.get("status", {}).get(name, 0) for one in sets)

    wanted = sum(one["spec"].get("replicas", 1) for one in sets)
    available = total("availableReplicas")
    return {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": total("replicas"),
        "updatedReplicas": (new or {}).get("status", {}).get("replicas", 0),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted - available),
    }


def _failures(sets: list[Object]) -> list[Condition]:
    for one in sets:
        failure = find(one, "ReplicaFailure")
        if failure is not None and failure.get("status") == "True":
            reason, message = failure.get("reason", ""), failure.get("message", "")
            return [Condition("ReplicaFailure", True, reason, message)]
    return []


def _progress(
    deployment: Object, counts: dict[str, int], new: Object | None, now: float
) -> tuple[Object | None, float | None]:
    """Return the `Progressing` condition and seconds until its deadline."""
    deadline = deployment["spec"].get("progressDeadlineSeconds", 600)
    before = find(deployment, "Progressing")
    if deadline is None or deadline >= _NO_DEADLINE:
        return None, None
    if deployment["spec"].get("paused"):
        return _unknown(before, "DeploymentPaused", "Deployment is paused", now), None
    if before is not None and before.get("reason") == "DeploymentPaused":
        return _unknown(before, "DeploymentResumed", "Deployment is resumed", now), 0.0
    if new is None:
        return before, None
    return _rolling(deployment, counts, new, now)


def _rolling(
    deployment: Object, counts: dict[str, int], new: Object, now: float
) -> tuple[Object, float | None]:
    deadline = deployment["spec"].get("progressDeadlineSeconds", 600)
    before = find(deployment, "Progressing")
    quoted = f'"{new["metadata"]["name"]}"'
    if before is None or quoted not in before.get("message", ""):
        created = not new.get("status", {}).get("observedGeneration")
        reason = "NewReplicaSetCreated" if created else "FoundNewReplicaSet"
        text = f"Created new replica set {quoted}" if created else f"Found new replica set {quoted}"
        before = _condition(before, True, reason, text, now)
    if _complete(deployment, counts):
        if before.get("reason") != _COMPLETE:
            message = f"ReplicaSet {quoted} has successfully progressed."
            before = _condition(before, True, _COMPLETE, message, now)
        return before, None
    if _moved(deployment.get("status", {}), counts):
        message = f"ReplicaSet {quoted} is progressing."
        return _condition(before, True, "ReplicaSetUpdated", message, now), float(deadline)
    if before.get("reason") in (_COMPLETE, "ProgressDeadlineExceeded"):
        return before, None
    left = seconds_of(before.get("lastUpdateTime")) + deadline - now
    if left > 0:
        return before, left + 0.05
    message = f"ReplicaSet {quoted} has timed out progressing."
    return _condition(before, False, "ProgressDeadlineExceeded", message, now), None


def _complete(deployment: Object, counts: dict[str, int]) -> bool:
    wanted = deployment["spec"].get("replicas", 1)
    names = ("updatedReplicas", "replicas", "availableReplicas")
    return all(counts[name] == wanted for name in names)


def _moved(old: Object, counts: dict[str, int]) -> bool:
    def fewer_old(status: Object) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return fewer_old(counts) < fewer_old(old) or any(
        counts[name] > old.get(name, 0) for name in grown
    )


def _condition(before: Object | None, good: bool, reason: str, message: str, now: float) -> Object:
    status, time = str(good), stamp(now)
    since = time
    if before is not None and before.get("status") == status:
        since = before.get("lastTransitionTime", time)
    return {
        "type": "Progressing",
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": time,
        "lastTransitionTime": since,
    }


def _unknown(before: Object | None, reason: str, message: str, now: float) -> Object:
    if before is not None and before.get("reason") == reason:
        return before
    return _condition(before, True, reason, message, now) | {"status": "Unknown"}
