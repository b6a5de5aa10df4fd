"""What the server itself decides about an object on its way into the store, by kind."""

from typing import Any

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import (
    CUSTOM_RESOURCE_DEFINITION,
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    Kind,
)
from crossfade.sandbox.kube.registry import is_custom
from crossfade.sandbox.kube.status import invalid
from crossfade.sandbox.kube.values import timestamp

_GENERATION_GROUPS = frozenset(
    {
        "apps",
        "batch",
        "policy",
        "networking.k8s.io",
        "apiextensions.k8s.io",
        "discovery.k8s.io",
        "admissionregistration.k8s.io",
        "scheduling.k8s.io",
    }
)
_ASSIGNED = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "generateName",
)
CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""Keeps a CustomResourceDefinition until all its objects are gone."""
_STATUS_METADATA = frozenset({POD, NODE, SERVICE, NAMESPACE})
"""Kinds whose labels and annotations can be written through `/status` as well."""


def has_generation(kind: Kind) -> bool:
    """Say whether `metadata.generation` counts the changes of this kind's spec."""
    return kind.group in _GENERATION_GROUPS or is_custom(kind)


def needs_version(kind: Kind) -> bool:
    """Say whether an update of this kind without a resourceVersion is refused."""
    return is_custom(kind) or kind.plural in ("leases", "customresourcedefinitions")


def prepare_create(kind: Kind, obj: Object, now: float) -> None:
    """Set in place what the server sets on a new object of this kind."""
    metadata = obj["metadata"]
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"):
        metadata.pop(name, None)
    if has_generation(kind):
        metadata["generation"] = 1
    if "status" in kind.subresources and kind != NODE:
        obj.pop("status", None)
    if kind == NAMESPACE:
        _new_namespace(obj)
    elif kind == POD:
        obj["status"] = {"phase": "Pending", "qosClass": quality_of_service(obj)}
    elif kind == CUSTOM_RESOURCE_DEFINITION:
        establish(obj, now)
        finalizers = metadata.get("finalizers") or []
        metadata["finalizers"] = list(dict.fromkeys([*finalizers, CLEANUP_FINALIZER]))
    elif kind == SERVICE or kind.plural == "ingresses":
        obj["status"] = {"loadBalancer": {}}
    elif "status" in kind.subresources and not is_custom(kind):
        obj.setdefault("status", {})


def _new_namespace(obj: Object) -> None:
    obj["spec"] = {**(obj.get("spec") or {}), "finalizers": ["kubernetes"]}
    obj["status"] = {"phase": "Active"}
    labels = obj["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = obj["metadata"]["name"]


def establish(crd: Object, now: float) -> None:
    """Set in place the status of a CustomResourceDefinition that is served."""
    spec = crd["spec"] = dict(crd.get("spec") or {})
    names = spec["names"] = dict(spec.get("names") or {})
    if not names.get("kind"):
        return  # not valid, as the check that follows will say
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", names["kind"] + "List")
    spec.setdefault("conversion", {"strategy": "None"})
    before = crd.get("status") or {}
    stored = list(before.get("storedVersions") or ())
    for version in spec.get("versions") or ():
        if version.get("storage") and version["name"] not in stored:
            stored.append(version["name"])
    conditions = before.get("conditions") or [
        {
            "type": type_,
            "status": "True",
            "reason": reason,
            "message": message,
            "lastTransitionTime": timestamp(now),
        }
        for type_, reason, message in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
    ]
    crd["status"] = {"acceptedNames": names, "conditions": conditions, "storedVersions": stored}


def check_finalizers(kind: Kind, old: Object, new: Object) -> None:
    """Raise ApiError 422 when finalizers are added to an object that is being deleted."""
    before = old["metadata"].get("finalizers") or ()
    more = [one for one in new["metadata"].get("finalizers") or () if one not in before]
    if more and "deletionTimestamp" in old["metadata"]:
        found = ", ".join(f'"{name}"' for name in more)
        why = (
            "Forbidden: no new finalizers can be added if the object is being deleted, "
            f"found new finalizers []string{{{found}}}"
        )
        raise invalid(kind, old["metadata"]["name"], [("metadata.finalizers", why)])


def prepare_update(kind: Kind, old: Object, new: Object, subresource: str) -> Object:
    """Return what of `new` may replace `old`, with what the server itself keeps and counts."""
    if subresource == "status":
        new = _only_status(kind, old, new)
    elif subresource == "finalize":
        new = {**old, "spec": new.get("spec") or {}}
    elif subresource == "binding":
        pass  # sets the node and a condition in one
    elif "status" in kind.subresources and kind != NODE:
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
    elif kind == NODE and "status" in old:
        new["status"] = old["status"]
    new["metadata"] = _kept_metadata(old["metadata"], new["metadata"])
    if kind == NAMESPACE and subresource != "finalize":
        new["spec"] = old.get("spec", {})
    if kind == CUSTOM_RESOURCE_DEFINITION and not subresource:
        establish(new, 0.0)
    return new


def _only_status(kind: Kind, old: Object, new: Object) -> Object:
    result = dict(old)
    result["metadata"] = metadata = dict(old["metadata"])
    if "status" in new:
        result["status"] = new["status"]
    else:
        result.pop("status", None)
    for name in ("resourceVersion", "managedFields"):
        if name in new["metadata"]:
            metadata[name] = new["metadata"][name]
    if kind in _STATUS_METADATA:
        for name in ("labels", "annotations"):
            if name in new["metadata"]:
                metadata[name] = new["metadata"][name]
    return result


def _kept_metadata(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in new.items() if value not in (None, {}, [])}
    if not new.get("managedFields") and "managedFields" in old:
        kept["managedFields"] = old["managedFields"]
    for name in _ASSIGNED:
        if name in old:
            kept[name] = old[name]
        else:
            kept.pop(name, None)
    kept["name"] = old["name"]
    if "namespace" in old:
        kept["namespace"] = old["namespace"]
    kept.pop("selfLink", None)
    return kept


def count_generation(kind: Kind, old: Object, new: Object) -> None:
    """Set in place the generation of an object that has its defaults: one more if it changed."""
    if not has_generation(kind):
        return
    ignored = {"metadata", "status", "apiVersion", "kind"}
    changed = any(
        old.get(key) != new.get(key) for key in (old.keys() | new.keys()) if key not in ignored
    )
    new["metadata"]["generation"] = old["metadata"].get("generation", 1) + (1 if changed else 0)


def quality_of_service(pod: Object) -> str:
    """Return `Guaranteed`, `Burstable` or `BestEffort` by the containers' requests and limits."""
    spec = pod.get("spec", {})
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    guaranteed, any_set = bool(containers), False
    for container in containers:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for name in ("cpu", "memory"):
            if name in limits or name in requests:
                any_set = True
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                guaranteed = False
    if guaranteed:
        return "Guaranteed"
    return "Burstable" if any_set else "BestEffort"
