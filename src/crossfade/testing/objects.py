"""Small Kubernetes objects for tests, as a chart would render them."""

from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]


def thing(kind: str, name: str, api: str = "v1", **rest: object) -> Object:
    """Return an object of any kind; `rest` are its other top-level fields."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **rest}


def deployment(name: str, labels: dict[str, str] | None = None, **pod: object) -> Object:
    """Return a Deployment with these pod labels (`app: web`); `pod` goes into its pod's spec."""
    labels = labels or {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c"}], **pod}}
    spec = {"selector": {"matchLabels": dict(labels)}, "template": template}
    return thing("Deployment", name, "apps/v1", spec=spec)


def service(name: str, **spec: object) -> Object:
    """Return a Service of the pods that `deployment` makes by default."""
    ports = [{"name": "http", "port": 80}]
    return thing("Service", name, spec={"selector": {"app": "web"}, "ports": ports, **spec})
