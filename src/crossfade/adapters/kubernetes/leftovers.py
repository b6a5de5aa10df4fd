"""Objects of a revision that Helm knows nothing of any more, as after a crash in a removal."""

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.base.errors import NotFound
from crossfade.core.release.kinds import annotations_of, name_of

_COLLECTIONS = (
    "/apis/apps/v1/namespaces/{namespace}/deployments",
    "/apis/apps/v1/namespaces/{namespace}/statefulsets",
    "/apis/apps/v1/namespaces/{namespace}/daemonsets",
    "/apis/batch/v1/namespaces/{namespace}/jobs",
    "/apis/batch/v1/namespaces/{namespace}/cronjobs",
    "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers",
    "/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets",
    "/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "/api/v1/namespaces/{namespace}/services",
    "/api/v1/namespaces/{namespace}/configmaps",
    "/api/v1/namespaces/{namespace}/secrets",
    "/api/v1/namespaces/{namespace}/serviceaccounts",
)
"""Volumes are not among them: data is deleted by people."""


async def sweep(api: KubeApi, namespace: str, labels: str, release: str) -> None:
    """Delete what carries the labels and was made by the Helm release.  Raises Unavailable."""
    for collection in _COLLECTIONS:
        path = collection.format(namespace=namespace)
        try:
            things, _ = await api.list(path, labels, metadata_only=True)
        except NotFound:  # the cluster does not know the kind, so it has none
            continue
        for thing in things:
            annotations = annotations_of(thing)
            kept = annotations.get("helm.sh/resource-policy") == "keep"
            if annotations.get("meta.helm.sh/release-name") == release and not kept:
                await api.delete(f"{path}/{name_of(thing)}")
