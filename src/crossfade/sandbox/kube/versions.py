"""
Kinds that are served at two versions but stored as one object.

Events are kept in their core form, autoscalers in `v2`; any other kind looks the same everywhere.
"""

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.status import group_resource

_NEW_EVENTS = "events.k8s.io"
_AUTOSCALERS = "horizontalpodautoscalers"
_EVENT_FIELDS = {
    "regarding": "involvedObject",
    "note": "message",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "reportingController": "reportingComponent",
}
"""Names in `events.k8s.io/v1`, and in core."""


def collection(kind: Kind) -> str:
    """Return the name of the collection that objects of this kind are stored in."""
    return "events" if kind.group == _NEW_EVENTS else group_resource(kind)


def stored(kind: Kind, obj: Object) -> Object:
    """Return an object of `kind` as it is stored."""
    if kind.group == _NEW_EVENTS:
        return _renamed(obj, _EVENT_FIELDS, "v1")
    if kind.plural == _AUTOSCALERS and kind.version == "v1":
        return _newer_autoscaler(obj)
    return obj


def shown(kind: Kind, obj: Object) -> Object:
    """Return a stored object as it looks at the version of `kind`."""
    if obj["apiVersion"] == kind.api_version:
        return obj
    if kind.group == _NEW_EVENTS:
        names = {core: new for new, core in _EVENT_FIELDS.items()}
        return _renamed(obj, names, kind.api_version)
    if kind.plural == _AUTOSCALERS and kind.version == "v1":
        return _older_autoscaler(obj)
    return {**obj, "apiVersion": kind.api_version}


def _renamed(obj: Object, names: dict[str, str], api_version: str) -> Object:
    renamed = {names.get(name, name): value for name, value in obj.items()}
    return {**renamed, "apiVersion": api_version}


def _newer_autoscaler(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        aim = {"type": "Utilization", "averageUtilization": target}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": aim}}]
    current = status.pop("currentCPUUtilizationPercentage", None)
    if current is not None:
        seen = {"name": "cpu", "current": {"averageUtilization": current}}
        status["currentMetrics"] = [{"type": "Resource", "resource": seen}]
    return {**obj, "apiVersion": "autoscaling/v2", "spec": spec, "status": status}


def _older_autoscaler(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    for metric in spec.pop("metrics", None) or ():
        resource = metric.get("resource") or {}
        target = (resource.get("target") or {}).get("averageUtilization")
        if resource.get("name") == "cpu" and target is not None:
            spec["targetCPUUtilizationPercentage"] = target
    spec.pop("behavior", None)
    for metric in status.pop("currentMetrics", None) or ():
        resource = metric.get("resource") or {}
        current = (resource.get("current") or {}).get("averageUtilization")
        if resource.get("name") == "cpu" and current is not None:
            status["currentCPUUtilizationPercentage"] = current
    status.pop("conditions", None)
    return {**obj, "apiVersion": "autoscaling/v1", "spec": spec, "status": status}
