"""May a pod be evicted? Disruption budgets, counted when it is asked."""

import math

from crossfade.sandbox.kube import selectors
from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.kinds import POD, Kind
from crossfade.sandbox.kube.objects.conditions import Condition, merged
from crossfade.sandbox.kube.values import Json

_BUDGET = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")


def check(api: Api, pod: Object) -> None:
    """Raise ApiError 429 when a disruption budget needs this pod."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed", "Pending") or "deletionTimestamp" in metadata:
        return
    for budget in api.select(_BUDGET, metadata["namespace"]):
        spec = budget.get("spec") or {}
        selects = selectors.label_selector(spec.get("selector"))
        if not selects(labels):
            continue
        pods = [
            one
            for one in api.select(POD, metadata["namespace"])
            if selects(one["metadata"].get("labels") or {})
        ]
        healthy = sum(map(_healthy, pods))
        needed = _needed(spec, len(pods))
        if _healthy(pod) and healthy - 1 < needed:
            raise _refusal(budget["metadata"]["name"], healthy, needed)


def marked(pod: Object, now: float) -> Object:
    """Return the pod with the condition that says who ends it."""
    told = Condition("DisruptionTarget", True, "EvictionByEvictionAPI", "Eviction API: evicting")
    status = pod.get("status") or {}
    conditions = merged(status.get("conditions") or (), [told], now)
    return {**pod, "status": {**status, "conditions": conditions}}


def _healthy(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _needed(spec: Object, count: int) -> int:
    if spec.get("maxUnavailable") is not None:
        return count - _scaled(spec["maxUnavailable"], count)
    return _scaled(spec.get("minAvailable", 1), count)


def _scaled(value: Json, count: int) -> int:
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdecimal():
        return math.ceil(int(value[:-1]) * count / 100)
    return int(value) if isinstance(value, int) else 0


def _refusal(budget: str, healthy: int, needed: int) -> ApiError:
    message = (
        f"The disruption budget {budget} needs {needed} healthy pods and has {healthy} currently"
    )
    causes = [{"reason": "DisruptionBudget", "message": message}]
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    return ApiError(429, "TooManyRequests", text, {"causes": causes})
