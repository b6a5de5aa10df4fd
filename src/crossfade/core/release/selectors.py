"""Selectors narrowed to one revision, so that no revision selects the pods of another."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from crossfade.core.release.kinds import (
    APPLICATION_LABEL,
    REVISION_LABEL,
    Object,
    child,
    labels_of,
    mapping,
    mappings,
    pod_templates,
)


def label(thing: Object, application: str, revision: str) -> None:
    """Put the labels of the revision on the object, its pod templates and their selector."""
    ours = {APPLICATION_LABEL: application, REVISION_LABEL: revision}
    for labelled in (thing, *pod_templates(thing)):
        child(labelled, "metadata", "labels").update(ours)
    spec = mapping(thing.get("spec"))
    selector = mapping(spec.get("selector"))
    if not spec.get("template") or not selector:
        return
    if thing["kind"] == "ReplicationController":
        selector[REVISION_LABEL] = revision
    elif "matchLabels" in selector or "matchExpressions" in selector:
        child(selector, "matchLabels")[REVISION_LABEL] = revision


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
    wanted = mapping(selector.get("matchLabels"))
    return (
        REVISION_LABEL in wanted
        or any(release in str(value) for value in wanted.values())
        or any(
            expression.get("operator") == "In" and all(release in value for value in values)
            for expression, values in _expressions(selector)
        )
    )


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Return whether the label selector matches; the empty one matches everything."""
    wanted = mapping(selector.get("matchLabels"))
    if any(labels.get(key) != str(value) for key, value in wanted.items()):
        return False
    return all(_holds(each, values, labels) for each, values in _expressions(selector))


def _expressions(selector: Object) -> Iterator[tuple[Object, list[str]]]:
    for expression in mappings(selector.get("matchExpressions")):
        values = expression.get("values")
        yield expression, [str(each) for each in values] if isinstance(values, list) else []


def _holds(expression: Object, values: Sequence[str], labels: Mapping[str, str]) -> bool:
    value = labels.get(str(expression.get("key")))
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
    spec = mapping(thing.get("spec"))
    plain = mapping(spec.get("selector"))
    if thing["kind"] == "Service" and plain:
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
    yield from mappings(spec.get("topologySpreadConstraints"))
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = mapping(mapping(spec.get("affinity")).get(kind))
        yield from mappings(rules.get("requiredDuringSchedulingIgnoredDuringExecution"))
        for each in mappings(rules.get("preferredDuringSchedulingIgnoredDuringExecution")):
            yield mapping(each.get("podAffinityTerm"))
