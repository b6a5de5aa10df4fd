"""Objects of Argo and Flagger, and what becomes of them."""

from collections.abc import Mapping
from typing import Any

import yaml

from crossfade.adapters.documents.application import parse
from crossfade.adapters.importers.fates import Fate
from crossfade.adapters.importers.objects import parse_objects
from crossfade.adapters.importers.reading import Import, Wishes, applications_of
from crossfade.core.application import Application

ARGO, FLAGGER = "argoproj.io/v1alpha1", "flagger.app/v1beta1"

TEMPLATE = {
    "metadata": {"labels": {"app": "colors"}},
    "spec": {"containers": [{"name": "colors", "image": "colors:1"}]},
}
"""A pod template."""

Thing = dict[str, Any]


def thing(kind: str, name: str, spec: object, api: str = ARGO, **metadata: object) -> Thing:
    """Return a Kubernetes object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def rollout(strategy: Mapping[str, object], **more: object) -> Thing:
    """Return a Rollout called `colors`."""
    spec = {"selector": {"matchLabels": {"app": "colors"}}, "template": TEMPLATE, **more}
    return thing("Rollout", "colors", {**spec, "strategy": strategy}, namespace="shop")


def canary(*steps: Mapping[str, object], **more: object) -> Thing:
    """Return a Rollout called `colors` with these steps."""
    return rollout({"canary": {"stableService": "colors", "steps": list(steps), **more}})


def flagger(
    analysis: Mapping[str, object], service: Mapping[str, object] | None = None, **more: object
) -> Thing:
    """Return a Canary called `podinfo`."""
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}
    ports = {"port": 9898, **(service or {})}
    spec = {"targetRef": reference, "service": ports, "analysis": analysis, **more}
    return thing("Canary", "podinfo", spec, api=FLAGGER, namespace="test")


def metric(name: str, **more: object) -> Thing:
    """Return a metric of an analysis template."""
    return {"name": name, "provider": {"prometheus": {"query": "x"}}, **more}


def brought_in(*objects: Thing, **wishes: str) -> Import:
    """Return what becomes of these objects."""
    things = parse_objects(yaml.safe_dump_all(objects), "theirs.yaml")
    return applications_of(things, Wishes(**wishes))


def application(*objects: Thing) -> Application:
    """Return the one application that our reader makes of what is written."""
    (made,) = parse(brought_in(*objects).text, "ours.yaml")
    return made


def fates(got: Import, fate: Fate) -> dict[str, str]:
    """Return the reasons of fields with this fate, by object and path."""
    return {
        f"{entry.object} {entry.path}".strip(): entry.reason
        for entry in got.entries
        if entry.fate is fate
    }
