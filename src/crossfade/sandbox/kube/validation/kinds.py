"""Rules by kind: the names and labels that all objects have, and the rest."""

import base64
import binascii
from collections.abc import Callable

from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.strict import misfits
from crossfade.sandbox.kube.validation import definitions, network, texts, workloads
from crossfade.sandbox.kube.validation.texts import (
    Problem,
    Problems,
    Values,
    invalid,
    mapping,
    objects,
    one_of,
    required,
)
from crossfade.sandbox.kube.values import Json

_RBAC = "rbac.authorization.k8s.io"
_GATEWAY = "gateway.networking.k8s.io"
_LARGEST_DATA = 1024 * 1024
_NAMES: dict[str, Callable[[str, Json], Problems]] = {
    "Namespace": texts.label,
    "Service": texts.old_label,
    "CustomResourceDefinition": texts.subdomain,
}
_SPECS: dict[tuple[str, str], Callable[[Values], Problems]] = {
    ("", "Pod"): workloads.pod,
    ("", "Service"): network.service,
    ("", "ReplicationController"): lambda spec: texts.at_least(
        "spec.replicas", spec.get("replicas"), 0
    ),
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replicas,
    ("apps", "DaemonSet"): workloads.replicas,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("batch", "Job"): workloads.job,
    ("batch", "CronJob"): workloads.cron_job,
    ("autoscaling", "HorizontalPodAutoscaler"): workloads.autoscaler,
    ("policy", "PodDisruptionBudget"): workloads.disruption_budget,
    ("networking.k8s.io", "Ingress"): network.ingress,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.custom_resource_definition,
}


def validate(kind: Kind, obj: Values) -> list[Problem]:
    """Return all (field, message) problems of an object that has its defaults; [] when valid."""
    return list(_all(kind, obj))


def _all(kind: Kind, obj: Values) -> Problems:
    # A real server answers wrong types before it looks at the rules: see `strict.type_error`.
    if wrong := misfits(kind, obj):
        yield from (invalid("", "object", message) for message in wrong)
        return
    metadata = mapping(obj.get("metadata"))
    yield from _metadata(kind, metadata)
    if kind.group == _GATEWAY:
        yield from network.gateway_kind(kind.kind, obj)
    elif (rules := _SPECS.get((kind.group, kind.kind))) is not None:
        yield from rules(mapping(obj.get("spec")))
        if kind.kind == "CustomResourceDefinition":
            yield from definitions.name(str(metadata.get("name")), mapping(obj.get("spec")))
    elif kind.group == _RBAC:
        yield from _rbac(kind, obj)
    elif (kind.group, kind.kind) in (("", "ConfigMap"), ("", "Secret")):
        yield from _data(kind, obj)


def _metadata(kind: Kind, metadata: Values) -> Problems:
    name = metadata.get("name")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif kind.group == _RBAC:
        yield from texts.path_segment("metadata.name", name)
    else:
        yield from _NAMES.get(kind.kind, texts.subdomain)("metadata.name", name)
    yield from texts.labels("metadata.labels", metadata.get("labels"))
    yield from texts.annotations("metadata.annotations", metadata.get("annotations"))
    for index, owner in enumerate(objects(metadata.get("ownerReferences"))):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield required(f"metadata.ownerReferences[{index}].{field}")


def _rbac(kind: Kind, obj: Values) -> Problems:
    if kind.kind in ("RoleBinding", "ClusterRoleBinding"):
        reference = mapping(obj.get("roleRef"))
        roles = ("ClusterRole",) if kind.kind.startswith("Cluster") else ("ClusterRole", "Role")
        yield from one_of("roleRef.kind", reference.get("kind"), roles)
        if not reference.get("name"):
            yield required("roleRef.name")
        for index, subject in enumerate(objects(obj.get("subjects"))):
            if not subject.get("name"):
                yield required(f"subjects[{index}].name")
        return
    for index, rule in enumerate(objects(obj.get("rules"))):
        if not rule.get("verbs"):
            yield required(f"rules[{index}].verbs", "verbs must contain at least one value")


def _data(kind: Kind, obj: Values) -> Problems:
    size = 0
    for field in ("data", "binaryData"):
        for key, text in texts.texts(obj.get(field)).items():
            if not key.replace("-", "a").replace("_", "a").replace(".", "a").isalnum():
                why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
                yield invalid(f"{field}[{key}]", key, why)
            size += len(text) * 3 // 4 if kind.kind == "Secret" else len(text.encode())
            if kind.kind == "Secret" or field == "binaryData":
                yield from _base64(f"{field}[{key}]", text)
    if size > _LARGEST_DATA:
        where = "data" if kind.kind == "Secret" else ""
        yield where, f"Too long: may not be more than {_LARGEST_DATA} bytes"


def _base64(field: str, text: str) -> Problems:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        yield invalid(field, "", "illegal base64 data")
