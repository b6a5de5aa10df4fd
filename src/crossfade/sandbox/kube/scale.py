"""The `/scale` of workloads: one shape for every kind that has a number of replicas."""

from dataclasses import dataclass

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.registry import Served
from crossfade.sandbox.kube.status import bad_request, conflict
from crossfade.sandbox.kube.values import Json, clone

KIND = Kind("autoscaling", "v1", "Scale", "scales")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where an object of some kind has its replicas."""

    kind: Kind
    wanted: tuple[str, ...]
    current: tuple[str, ...]
    selector: tuple[str, ...]


def paths(served: Served) -> Paths | None:
    """Return where the kind has its replicas; None when it cannot be scaled."""
    if "scale" not in served.kind.subresources:
        return None
    given = served.scale or {}
    return Paths(
        served.kind,
        _steps(given.get("specReplicasPath", ".spec.replicas")),
        _steps(given.get("statusReplicasPath", ".status.replicas")),
        _steps(given.get("labelSelectorPath", "" if served.scale else ".spec.selector")),
    )


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step for step in path.split(".") if step)


def _at(obj: Json, steps: tuple[str, ...]) -> Json:
    for step in steps:
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj if steps else None


def show(obj: Object, where: Paths) -> Object:
    """Return the object as a `Scale`."""
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Object = {"replicas": _at(obj, where.current) or 0}
    selector = _at(obj, where.selector)
    if isinstance(selector, dict):
        selector = _text(selector)
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": KIND.api_version,
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "spec": {"replicas": _at(obj, where.wanted) or 0},
        "status": status,
    }


def _text(selector: Object) -> str:
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for one in selector.get("matchExpressions") or ():
        key, values = one.get("key"), ",".join(sorted(one.get("values") or ()))
        text = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": f"{key}",
            "DoesNotExist": f"!{key}",
        }
        parts.append(text.get(str(one.get("operator")), str(key)))
    return ",".join(parts)


def scaled(obj: Object, wanted: Object, where: Paths) -> Object:
    """Return the object with the replicas of a `Scale`; raises ApiError 400, 409."""
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0:
        raise bad_request(f"spec.replicas: Invalid value: {replicas}: must be 0 or more")
    version = (wanted.get("metadata") or {}).get("resourceVersion")
    if version and version != obj["metadata"]["resourceVersion"]:
        raise conflict(where.kind, obj["metadata"]["name"])
    result = clone(obj)
    holder = result
    for step in where.wanted[:-1]:
        holder = holder.setdefault(step, {})
    holder[where.wanted[-1]] = replicas
    return result
