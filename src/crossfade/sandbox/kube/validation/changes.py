"""Rules for changing an object: fields that stay as they were made."""

from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.validation.texts import (
    Problem,
    Problems,
    Values,
    forbidden,
    invalid,
    mapping,
    objects,
)

_IMMUTABLE = "field is immutable"
_FROZEN: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("selector",),
    ("apps", "ReplicaSet"): ("selector",),
    ("apps", "DaemonSet"): ("selector",),
    ("batch", "Job"): ("selector", "template", "completionMode"),
}
"""Fields of the spec that never change."""
_STATEFUL_SET = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_POD = (
    "spec.containers[*].image",
    "spec.initContainers[*].image",
    "spec.activeDeadlineSeconds",
    "spec.tolerations (only additions to existing tolerations)",
    "spec.terminationGracePeriodSeconds (allow it to be set to 1 if it was previously negative)",
)


def validate_change(kind: Kind, old: Values, new: Values) -> list[Problem]:
    """Return the (field, message) problems of replacing `old` by `new`; both have defaults."""
    return list(_all(kind, old, new))


def _all(kind: Kind, old: Values, new: Values) -> Problems:
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    for name in _FROZEN.get((kind.group, kind.kind), ()):
        if _changed(kind, name, before, after):
            yield invalid(f"spec.{name}", mapping(after.get(name)), _IMMUTABLE)
    match (kind.group, kind.kind):
        case ("apps", "StatefulSet"):
            yield from _stateful_set(before, after)
        case ("", "Pod"):
            yield from _pod(before, after)
        case ("", "Service"):
            yield from _service(before, after)
        case ("", "Secret" | "ConfigMap"):
            yield from _data(kind, old, new)
        case ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding"):
            if old.get("roleRef") != new.get("roleRef"):
                yield invalid("roleRef", mapping(new.get("roleRef")), "cannot change roleRef")
        case _:
            pass


def _changed(kind: Kind, name: str, before: Values, after: Values) -> bool:
    one, two = before.get(name), after.get(name)
    if (kind.kind, name) == ("Job", "template") and before.get("suspend"):
        # While a Job is suspended, its queue may still say where its pods shall run.
        one, two = (mapping(mapping(part).get("spec")).get("containers") for part in (one, two))
    return bool(one != two)


def _stateful_set(before: Values, after: Values) -> Problems:
    kept = [name for name in {*before, *after} if name not in _STATEFUL_SET]
    if any(before.get(name) != after.get(name) for name in kept):
        listed = ", ".join(f"'{name}'" for name in _STATEFUL_SET[:-1])
        yield forbidden(
            "spec",
            f"updates to statefulset spec for fields other than {listed} and "
            f"'{_STATEFUL_SET[-1]}' are forbidden",
        )


def _pod(before: Values, after: Values) -> Problems:
    ignored = {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"}
    # The scheduler sets the node once, and gates are taken away one by one.
    ignored |= {"schedulingGates", "ephemeralContainers"}
    if not before.get("nodeName"):
        ignored.add("nodeName")
    for name in {*before, *after} - ignored:
        one, two = before.get(name), after.get(name)
        if name in ("containers", "initContainers"):
            one, two = ([{**item, "image": ""} for item in objects(v)] for v in (one, two))
        if one != two:
            listed = ",".join(f"`{field}`" for field in _POD)
            yield forbidden("spec", f"pod updates may not change fields other than {listed}")
            return


def _service(before: Values, after: Values) -> Problems:
    old, new = before.get("clusterIP"), after.get("clusterIP")
    external = "ExternalName" in (before.get("type"), after.get("type"))
    if old and old != new and not external:
        yield invalid("spec.clusterIPs[0]", [new or ""], "may not change once set")


def _data(kind: Kind, old: Values, new: Values) -> Problems:
    if kind.kind == "Secret" and old.get("type") != new.get("type"):
        yield invalid("type", new.get("type"), _IMMUTABLE)
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", "field is immutable when `immutable` is set")
    for name in ("data", "binaryData"):
        if old.get(name) != new.get(name):
            yield forbidden(name, "field is immutable when `immutable` is set")
