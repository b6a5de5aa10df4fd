"""What Crossfade knows of Kubernetes objects: which route users, exist once, and hold pods."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON."""

APPLICATION_LABEL = "crossfade.dev/application"
REVISION_LABEL = "crossfade.dev/revision"

Node: TypeAlias = Any
"""A part of an object: any JSON value."""

TRAFFIC = frozenset(
    {
        ("extensions", "Ingress"),
        ("networking.k8s.io", "Ingress"),
        *(
            ("gateway.networking.k8s.io", kind)
            for kind in ("Gateway", "GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute")
        ),
        *(
            ("networking.istio.io", kind)
            for kind in ("DestinationRule", "Gateway", "VirtualService")
        ),
        ("k8s.nginx.org", "VirtualServer"),
        ("projectcontour.io", "HTTPProxy"),
        ("route.openshift.io", "Route"),
        ("traefik.io", "IngressRoute"),
    }
)
"""Groups and kinds that lead users somewhere: the application's one route stands in for them."""

SHARED = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CustomResourceDefinition",
        "GatewayClass",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "PersistentVolume",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)
"""Kinds that a cluster has once, whatever the number of revisions."""


def title(thing: Object) -> str:
    """Return what people call the object: `Deployment/colors`."""
    return f"{thing.get('kind', '?')}/{name_of(thing) or '?'}"


def name_of(thing: Object) -> str:
    """Return `metadata.name`, or "" where there is none."""
    metadata = thing.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def is_traffic(thing: Object) -> bool:
    """Return whether the object leads users somewhere."""
    return (str(thing.get("apiVersion")).partition("/")[0], thing.get("kind")) in TRAFFIC


def annotations_of(thing: Object) -> dict[str, Any]:
    """Return `metadata.annotations`; an empty one where there are none."""
    annotations = thing.get("metadata", {}).get("annotations")
    return annotations if isinstance(annotations, dict) else {}


def is_hook(thing: Object) -> bool:
    """Return whether Helm runs the object as a hook; Helm 3 shows those to no post-renderer."""
    return "helm.sh/hook" in annotations_of(thing)


def is_test(thing: Object) -> bool:
    """Return whether the object is a hook for `helm test` alone."""
    hooks = str(annotations_of(thing).get("helm.sh/hook", "")).split(",")
    return {hook.strip() for hook in hooks} <= {"test", "test-success", "test-failure"}


def flatten(objects: Sequence[Object]) -> Iterator[Object]:
    """Yield the objects, with the items of each `List` in its place."""
    for thing in objects:
        if str(thing.get("kind", "")).endswith("List") and isinstance(thing.get("items"), list):
            yield from flatten(thing["items"])
        else:
            yield thing


def child(thing: Object, *path: str) -> Object:
    """Return the object at `path`, made on the way where it is missing."""
    for key in path:
        below = thing.get(key)
        if not isinstance(below, dict):
            below = thing[key] = {}
        thing = below
    return thing


def pod_templates(thing: Object) -> Iterator[Object]:
    """
    Yield every pod template (`metadata` and `spec`) in the object: a Pod is its own.

    Templates are known by their form, so those of custom resources are found too.
    """
    if thing.get("kind") == "Pod":
        if isinstance(thing.get("spec"), dict):
            yield thing
    else:
        yield from _templates_below({"spec": thing.get("spec"), "template": thing.get("template")})


def _templates_below(node: Node) -> Iterator[Object]:
    if isinstance(node, dict):
        template = mapping(node.get("template"))
        if isinstance(mapping(template.get("spec")).get("containers"), list):
            yield template
        for value in node.values():
            yield from _templates_below(value)
    elif isinstance(node, list):
        for value in node:
            yield from _templates_below(value)


def labels_of(template: Object) -> dict[str, str]:
    """Return the labels of an object or a pod template."""
    metadata = template.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return {str(key): str(value) for key, value in mapping(labels).items()}


def mapping(node: Node) -> Object:
    """Return the node if it is a mapping, else an empty one."""
    return node if isinstance(node, dict) else {}


def mappings(node: Node) -> list[Object]:
    """Return those items of the node that are mappings; none if it is no list."""
    return [item for item in node if isinstance(item, dict)] if isinstance(node, list) else []
