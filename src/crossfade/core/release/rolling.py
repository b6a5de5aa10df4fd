"""
Revisions that follow each other in place, for what cannot stand beside itself.

One Helm release, named as the application, holds whatever the chart makes.  Its StatefulSets have
a partition: pods from that number on belong to the wanted revision, those below it to the one
before.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release import sizing
from crossfade.core.release.kinds import (
    APPLICATION_LABEL,
    REVISION_LABEL,
    Object,
    annotations_of,
    child,
    flatten,
    is_hook,
    labels_of,
    mapping,
    mappings,
    name_of,
    pod_templates,
    title,
)

IN_PLACE_LABEL = "crossfade.dev/in-place"
"""On objects and on Helm's records: the revision that is wanted in place."""

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")

NOBODY = 2**31 - 1
"""A partition that holds every pod back."""


def prepare_in_place(
    objects: Sequence[Object], application: ApplicationName, revision: RevisionId
) -> list[Object]:
    """
    Return the objects as they are installed over the revision before; no pod changes by that.

    Pods carry the revision that they were made for; selectors stay as they are, since they cannot
    be changed in place.  Deployments and DaemonSets have no partition: they follow as a whole.
    """
    kept = [deepcopy(thing) for thing in flatten(objects)]
    for thing in kept:
        if is_hook(thing):
            continue
        marks = {APPLICATION_LABEL: application, IN_PLACE_LABEL: revision}
        child(thing, "metadata", "labels").update(marks)
        for template in pod_templates(thing):
            marks = {APPLICATION_LABEL: application, REVISION_LABEL: revision}
            child(template, "metadata", "labels").update(marks)
        if thing.get("kind") in _WORKLOADS:
            # What an earlier revision has reached must not be taken for what this one has.
            child(thing, "metadata", "annotations")[sizing.SCALE] = "0"
        if thing.get("kind") == "StatefulSet":
            strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": NOBODY}}
            child(thing, "spec")["updateStrategy"] = strategy
    return kept


def partition(replicas: int, percent: int) -> int:
    """Return the number of the first pod that changes when `percent` of them are to."""
    return max(replicas - sizing.pods(replicas, percent), 0)


def shifts(workloads: Iterable[Object], percent: int) -> Iterator[tuple[Object, Object]]:
    """
    Yield the live workloads to patch, each with its merge patch, in the order to do so.

    As with a change of size, the workload that tells the percentage comes last.
    """
    for thing in sorted(workloads, key=title, reverse=True):
        patch: Object = {"metadata": {"annotations": {sizing.SCALE: str(percent)}}}
        same = annotations_of(thing).get(sizing.SCALE) == str(percent)
        if thing.get("kind") == "StatefulSet":
            first = partition(_replicas(thing), percent)
            same = same and _partition(thing) == first
            patch["spec"] = {"updateStrategy": {"rollingUpdate": {"partition": first}}}
        if not same:
            yield thing, patch


def reached(workload: Object) -> int:
    """
    Return the percentage that the workload was asked for, as far as that is still so.

    An autoscaler adds pods with the highest numbers, which are all of the wanted revision: then
    it is what that comes to, so that whoever compares asks again.
    """
    asked, replicas, first = sizing.scale_of([workload]), _replicas(workload), _partition(workload)
    if first == partition(replicas, asked) or first == NOBODY or replicas == 0:
        return asked
    return sizing.FULL * max(replicas - first, 0) // replicas


@dataclass(frozen=True, slots=True)
class Part:
    """The pods of one revision among those of one workload."""

    revision: RevisionId
    wanted: int
    ready: int


def parts(workload: Object, pods: Iterable[Object]) -> list[Part]:
    """
    Return how the workload's pods are dealt over revisions, the wanted revision first.

    What is below the partition is wanted of the revision before; if a rollback finds pods of
    several older revisions, each is wanted in the number that it still has.
    """
    wanted = RevisionId(labels_of(workload)[IN_PLACE_LABEL])
    found: dict[RevisionId, list[bool]] = {wanted: []}
    for pod in pods:
        if _is_owned(pod, workload):
            revision = RevisionId(labels_of(pod).get(REVISION_LABEL, ""))
            found.setdefault(revision, []).append(_is_ready(pod))
    first = min(_partition(workload), _replicas(workload))
    older = [revision for revision in found if revision != wanted]
    below = {revision: len(found[revision]) for revision in older}
    if len(older) == 1:
        below[older[0]] = first
    numbers = {wanted: _replicas(workload) - first, **below}
    return [Part(revision, numbers[revision], sum(found[revision])) for revision in found]


def stuck(workload: Object, pods: Iterable[Object]) -> list[str]:
    """
    Return the names of pods that block the way back: not ready, and not of the wanted revision.

    A StatefulSet waits for such a pod to become ready before it replaces it, which may be never.
    """
    wanted, first = labels_of(workload).get(IN_PLACE_LABEL), _partition(workload)
    return [
        name_of(pod)
        for pod in pods
        if _is_owned(pod, workload)
        and labels_of(pod).get(REVISION_LABEL) != wanted
        and not _is_ready(pod)
        and _ordinal(pod) >= first
    ]


def _replicas(workload: Object) -> int:
    value = mapping(workload.get("spec")).get("replicas")
    return value if isinstance(value, int) else 1


def _partition(workload: Object) -> int:
    strategy = mapping(mapping(workload.get("spec")).get("updateStrategy"))
    value = mapping(strategy.get("rollingUpdate")).get("partition")
    return value if isinstance(value, int) else 0


def _is_owned(pod: Object, workload: Object) -> bool:
    owners = mappings(mapping(pod.get("metadata")).get("ownerReferences"))
    return any(each.get("uid") == workload["metadata"].get("uid") for each in owners)


def _is_ready(pod: Object) -> bool:
    if mapping(pod.get("metadata")).get("deletionTimestamp"):
        return False
    conditions = mappings(mapping(pod.get("status")).get("conditions"))
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _ordinal(pod: Object) -> int:
    number = name_of(pod).rpartition("-")[2]
    return int(number) if number.isdigit() else -1
