"""What a delete request does to an object: a deletion time first, or gone at once."""

from dataclasses import dataclass

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import JOB, NAMESPACE, POD, Kind
from crossfade.sandbox.kube.status import conflict
from crossfade.sandbox.kube.values import timestamp

FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"
_OURS = {"Foreground": FOREGROUND_FINALIZER, "Orphan": ORPHAN_FINALIZER}


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete, as a `DeleteOptions` object says it."""

    grace_seconds: int | None = None
    propagation: str = ""
    """`Background`, `Foreground`, `Orphan`, or empty for what the kind has as default."""
    uid: str = ""
    """Delete only the object with this uid; empty: any."""
    resource_version: str = ""
    dry_run: bool = False


def check_preconditions(kind: Kind, obj: Object, options: DeleteOptions) -> None:
    """Raise ApiError 409 unless the stored object is the one that the client means."""
    metadata = obj["metadata"]
    if options.uid and options.uid != metadata["uid"]:
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record "
            f"({metadata['uid']}). The object might have been deleted and then recreated"
        )
        raise conflict(kind, metadata["name"], why)
    if options.resource_version and options.resource_version != metadata["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match "
            f"the ResourceVersion in record ({metadata['resourceVersion']}). "
            "The object might have been modified"
        )
        raise conflict(kind, metadata["name"], why)


def begin(kind: Kind, obj: Object, options: DeleteOptions, now: float) -> Object | None:
    """Return the object as marked for deletion, or None when nothing keeps it."""
    finalizers = _finalizers(kind, obj, options)
    grace = _grace_seconds(kind, obj, options)
    metadata = obj["metadata"]
    held = bool(finalizers) or (kind == NAMESPACE and bool(obj.get("spec", {}).get("finalizers")))
    if grace == 0 and not held:
        return None
    marked = {**obj, "metadata": dict(metadata)}
    marked["metadata"].pop("finalizers", None)
    if finalizers:
        marked["metadata"]["finalizers"] = finalizers
    already = metadata.get("deletionGracePeriodSeconds")
    if "deletionTimestamp" not in metadata or (already is not None and grace < already):
        marked["metadata"]["deletionTimestamp"] = timestamp(now + grace)
        marked["metadata"]["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            marked["metadata"]["generation"] = metadata["generation"] + 1
    if kind == NAMESPACE:
        marked["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    return marked


def complete(kind: Kind, obj: Object) -> bool:
    """Say whether nothing keeps a stored object that is being deleted."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if kind == NAMESPACE:
        return not obj.get("spec", {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")


def _finalizers(kind: Kind, obj: Object, options: DeleteOptions) -> list[str]:
    found: list[str] = list(obj["metadata"].get("finalizers") or ())
    propagation = options.propagation
    if not propagation and kind == JOB and not {*found} & {*_OURS.values()}:
        propagation = "Orphan"  # as the real server does for batch/v1, for old clients
    if not propagation:
        return found
    found = [name for name in found if name not in _OURS.values()]
    if propagation in _OURS:
        found.append(_OURS[propagation])
    return found


def _grace_seconds(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    if kind != POD:
        return 0
    spec, metadata = obj.get("spec", {}), obj["metadata"]
    grace = options.grace_seconds
    if grace is None:
        grace = spec.get("terminationGracePeriodSeconds", 30)
    phase = obj.get("status", {}).get("phase")
    if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
        grace = 0
    already = metadata.get("deletionGracePeriodSeconds")
    grace = max(0, grace)
    return grace if already is None else min(grace, already)
