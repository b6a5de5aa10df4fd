"""
How many pods a revision runs: its chart's own numbers, times a percentage.

The chart's numbers stay with the objects, in an annotation, so that any percentage can follow any
other.  What an autoscaler runs keeps it: its range is scaled instead, so that nobody fights.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from crossfade.core.release.kinds import (
    Object,
    annotations_of,
    child,
    is_hook,
    mapping,
    name_of,
    title,
)

REPLICAS = "crossfade.dev/replicas"
"""Annotation: the chart's own number of pods; of an autoscaler its range, as `2-10`."""

SCALE = "crossfade.dev/scale"
"""Annotation: percent of the chart's own pods that was asked for."""

FULL = 100
_SIZED = ("Deployment", "StatefulSet")
_UNSIZED = ("DaemonSet", "Job")
"""Workloads that take note of the percentage and run as many pods as ever."""

_AUTOSCALER = "HorizontalPodAutoscaler"


def pods(own: int, percent: int) -> int:
    """Return ceil(own * percent / 100): a share above 0 of any pods is at least one."""
    return -(-own * percent // FULL)


def resize(objects: Sequence[Object], percent: int) -> None:
    """Make rendered objects ask for this percentage of their pods from the start."""
    autoscaled = set(_targets(objects))
    for thing in objects:
        if thing.get("kind") == _AUTOSCALER:
            _merge(thing, _range(thing, percent))
        elif thing.get("kind") in _SIZED:
            _merge(thing, _size(thing, percent))
            if title(thing) in autoscaled:
                # Left to the autoscaler: a number here would take its pods away when the
                # revision is installed again, as after a crash.
                thing["spec"].pop("replicas", None)
        elif thing.get("kind") in _UNSIZED and not is_hook(thing):
            child(thing, "metadata", "annotations")[SCALE] = str(percent)  # it may be asked, too


def changes(
    workloads: Iterable[Object], autoscalers: Iterable[Object], percent: int
) -> Iterator[tuple[Object, Object]]:
    """
    Yield the live objects to patch, each with its merge patch, in the order to do so.

    The workload that `scale_of` reads comes last, so that a half-done change is seen as not done.
    """
    ranges = {}
    for thing in autoscalers:
        patch = _range(thing, percent)
        for target in _targets([thing]):
            ranges[target] = (patch["spec"]["minReplicas"], patch["spec"]["maxReplicas"])
        yield from _unless_so(thing, patch)
    for thing in sorted(workloads, key=title, reverse=True):
        patch = {"metadata": {"annotations": {SCALE: str(percent)}}}
        if thing.get("kind") in _SIZED:
            patch = _size(thing, percent)
            if title(thing) in ranges:
                patch["spec"] = {"replicas": _within(ranges[title(thing)], thing, percent)}
        yield from _unless_so(thing, patch)


def scale_of(workloads: Iterable[Object]) -> int:
    """Return the percentage that was last asked for in full, 100 when none ever was."""
    first = min(workloads, key=title, default=None)
    text = str(annotations_of(first).get(SCALE, "")) if first is not None else ""
    return int(text) if text.isdecimal() else FULL


def planned_pods(objects: Iterable[Object]) -> int:
    """Return how many pods rendered objects ask for; of what an autoscaler runs, the fewest."""
    things = list(objects)
    autoscalers = [each for each in things if each.get("kind") == _AUTOSCALER]
    least = {
        target: _number(each, "minReplicas", 1)
        for each in autoscalers
        for target in _targets([each])
    }
    return sum(
        least.get(title(each), own_pods(each)) for each in things if each.get("kind") in _SIZED
    )


def own_pods(workload: Object) -> int:
    """Return the chart's own number of pods of a Deployment or StatefulSet."""
    own = str(annotations_of(workload).get(REPLICAS, ""))
    return int(own) if own.isdecimal() else _number(workload, "replicas", 1)


def _size(thing: Object, percent: int) -> Object:
    number = own_pods(thing)
    marks = {REPLICAS: str(number), SCALE: str(percent)}
    return {"metadata": {"annotations": marks}, "spec": {"replicas": pods(number, percent)}}


def _range(thing: Object, percent: int) -> Object:
    least, dash, most = str(annotations_of(thing).get(REPLICAS, "")).partition("-")
    if not dash:
        least = str(_number(thing, "minReplicas", 1))
        most = str(_number(thing, "maxReplicas", 1))
    # No autoscaler may have a range that begins at 0: its workload, set to 0, switches it off.
    low, high = (pods(int(each), max(percent, 1)) for each in (least, most))
    return {
        "metadata": {"annotations": {REPLICAS: f"{least}-{most}", SCALE: str(percent)}},
        "spec": {"minReplicas": low, "maxReplicas": max(high, 1)},
    }


def _within(limits: tuple[int, int], thing: Object, percent: int) -> int:
    """Return the number that the autoscaler would come to by itself, only sooner."""
    low, high = limits
    return 0 if percent == 0 else min(max(_number(thing, "replicas", 1), low, 1), high)


def _targets(objects: Iterable[Object]) -> Iterator[str]:
    """Yield the titles of what autoscalers among the objects run."""
    for thing in objects:
        if thing.get("kind") == _AUTOSCALER:
            target = mapping(mapping(thing.get("spec")).get("scaleTargetRef"))
            yield f"{target.get('kind')}/{target.get('name')}"


def _number(thing: Object, key: str, default: int) -> int:
    value = mapping(thing.get("spec")).get(key)
    return value if isinstance(value, int) else default


def _merge(thing: Object, patch: Object) -> None:
    child(thing, "metadata", "annotations").update(patch["metadata"]["annotations"])
    child(thing, "spec").update(patch["spec"])


def _unless_so(thing: Object, patch: Object) -> Iterator[tuple[Object, Object]]:
    annotations = annotations_of(thing)
    same: list[Any] = [
        annotations.get(key) == value for key, value in patch["metadata"]["annotations"].items()
    ]
    spec = mapping(thing.get("spec"))
    same += [spec.get(key) == value for key, value in patch.get("spec", {}).items()]
    if not all(same) and name_of(thing):
        yield thing, patch
