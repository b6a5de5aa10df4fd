"""Selectors narrowed to one revision, so that no revision selects the pods of another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from crossfade.core.release.kinds import (
    APPLICATION_LABEL,
    REVISION_LABEL,
    Object,
    child,
    labels_of,
    pod_templates,
)


def label(thing: Object, application: str, revision: str) -> None:
    """Put the labels of the revision on the object, its pod templates and their selector."""
    ours = {APPLICATION_LABEL: application, REVISION_LABEL: revision}
    for labelled in (thing, *pod_templates(thing)):
        child(labelled, "metadata", "labels").update(ours)
    spec = thing.get("spec")
    if isinstance(spec, dict) and isinstance(spec.get("selector"), dict) and spec.get("template"):
        plain = thing["kind"] == "ReplicationController"
        selector = spec["selector"] if plain else child(spec, "selector", "matchLabels")
        selector[REVISION_LABEL] = revision


def narrow(
    objects: Sequence[Object], release: str, revision: str
) -> Iterator[tuple[Object, Object]]:
    """
    Add the revision to each selector that would match pods of other revisions too.

    Yields the objects with a selector that neither names the release nor matches a pod of it:
    those are left alone, since pods that are made elsewhere carry no revision.
    """
    pods = [labels_of(template) for thing in objects for template in pod_templates(thing)]
    for thing in objects:
        for selector, add in _selectors(thing):
            if is_unique(selector, release):
                continue
            if any(matches(selector, labels) for labels in pods):
                add(revision)
            else:
                yield thing, selector


def is_unique(selector: Object, release: str) -> bool:
    """Return whether the label selector can only match objects that name the release."""
    for value in (selector.get("matchLabels") or {}).values():
        if release in str(value):
            return True
    for expression in selector.get("matchExpressions") or ():
        values = expression.get("values") or ()
        if expression.get("operator") == "In" and values:
            if all(release in str(value) for value in values):
                return True
    return False


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Return whether the label selector matches; the empty one matches everything."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != str(value) for key, value in wanted.items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    value = labels.get(str(expression.get("key")))
    values = [str(each) for each in expression.get("values") or ()]
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False


def _selectors(thing: Object) -> Iterator[tuple[Object, Callable[[str], None]]]:
    """Yield the pod selectors of the object, each with what adds a revision to it."""
    spec = thing.get("spec")
    if not isinstance(spec, dict):
        return
    if thing["kind"] == "Service" and isinstance(spec.get("selector"), dict) and spec["selector"]:
        plain = spec["selector"]
        yield {"matchLabels": plain}, lambda revision: plain.update({REVISION_LABEL: revision})
    if thing["kind"] == "PodDisruptionBudget":
        yield from _label_selector(spec, "selector")
    if thing["kind"] == "NetworkPolicy":
        yield from _label_selector(spec, "podSelector")
    for template in pod_templates(thing):
        for holder in _scheduling_terms(template["spec"]):
            yield from _label_selector(holder, "labelSelector")


def _label_selector(holder: Object, key: str) -> Iterator[tuple[Object, Callable[[str], None]]]:
    selector = holder.get(key)
    if isinstance(selector, dict):

        def add(revision: str) -> None:
            child(holder, key, "matchLabels")[REVISION_LABEL] = revision

        yield selector, add


def _scheduling_terms(spec: Object) -> Iterator[Object]:
    """Yield what spreads or gathers pods: a revision must not push another one's pods away."""
    yield from _dicts(spec.get("topologySpreadConstraints"))
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        yield from _dicts(rules.get("requiredDuringSchedulingIgnoredDuringExecution"))
        for each in _dicts(rules.get("preferredDuringSchedulingIgnoredDuringExecution")):
            if isinstance(each.get("podAffinityTerm"), dict):
                yield each["podAffinityTerm"]


def _dicts(values: Any) -> Iterator[Object]:
    return (value for value in values or () if isinstance(value, dict))
