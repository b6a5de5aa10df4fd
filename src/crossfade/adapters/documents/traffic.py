"""Files for `crossfade traffic`: read, checked whole, and turned into the core's values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from crossfade.adapters.documents.problems import Mark, Problems
from crossfade.adapters.documents.shapes import Read, Shape
from crossfade.adapters.documents.traffic_shapes import GOAL, LEVELS
from crossfade.adapters.documents.tree import read_tree
from crossfade.base.ids import ClusterName, RevisionId
from crossfade.core.traffic.destinations import (
    EVERYBODY,
    PARTS,
    Destination,
    Eligibility,
    Exposure,
    Goal,
    Mode,
    PriorityClass,
)
from crossfade.core.traffic.spill import Level

_REFERENCE = "docs/reference/traffic-file.md lists every key"
_LEVELS_MOST = 128
"""Envoy knows no more priorities."""


def parse_goal(text: str, file: str) -> Goal:
    """
    Return what a plan is asked for; `file` is its name in messages.

    Raises InputError that lists everything that is wrong, each with line and column.
    """
    goal = cast(Read, _read_one(text, file, GOAL))
    exposure = cast(Read, goal.get("exposure", {}))
    before = cast("Mapping[str, Mapping[str, int]]", goal.get("before", {}))
    return Goal(
        destinations=tuple(
            _destination(each) for each in cast("tuple[Read, ...]", goal["clusters"])
        ),
        demand=cast(int, goal.get("demand", PARTS)),
        mode=Mode(str(goal.get("mode", Mode.ACTIVE_ACTIVE))),
        exposure=_exposure(exposure) if exposure else None,
        classes=_classes(cast("tuple[Read, ...]", goal.get("classes", ()))),
        before={ClusterName(name): _by_revision(row) for name, row in before.items()},
        exclusive=bool(goal.get("exclusive", False)),
        full_percent=cast(int, goal.get("full", 80)),
    )


def parse_levels(text: str, file: str) -> tuple[Level, ...]:
    """Return priorities from JSON (or YAML).  Raises InputError with everything that is wrong."""
    levels = cast("tuple[dict[str, int], ...]", _read_one(text, file, LEVELS))
    return tuple(Level(**level) for level in levels)


def _read_one(text: str, file: str, shape: Shape) -> object:
    problems = Problems(file, reference=_REFERENCE)
    trees = read_tree(text, problems)
    if not problems.found and len(trees) != 1:
        what = "is empty" if not trees else f"has {len(trees)} documents, one is wanted"
        problems.add(Mark(1, 1), "", f"{what}; allowed: {shape.allowed}")
    values = [shape.read(tree, "", problems) for tree in trees]
    if shape is LEVELS and not problems.found:
        count = len(cast("tuple[object, ...]", values[0]))
        if not 1 <= count <= _LEVELS_MOST:
            problems.add(trees[0].at, "", f"has {count} priorities; allowed: 1 to {_LEVELS_MOST}")
    problems.refuse_if_any()
    return values[0]


_NAMES = {
    "weight": "weight",
    "order": "order",
    "capacity": "capacity",
    "startable": "startable",
    "minimum": "minimum",
    "ramp": "ramp_percent",
}


def _destination(cluster: Read) -> Destination:
    given = {name: cluster[key] for key, name in _NAMES.items() if key in cluster}
    return Destination(
        cluster=ClusterName(str(cluster["name"])),
        revisions=_by_revision(cast("Mapping[str, int]", cluster["revisions"])),
        eligibility=Eligibility(str(cluster.get("state", Eligibility.SERVES))),
        revision_capacity=_by_revision(
            cast("Mapping[str, int]", cluster.get("revisionCapacity", {}))
        ),
        **given,  # type: ignore[arg-type]
    )


def _by_revision(values: Mapping[str, int]) -> dict[RevisionId, int]:
    return {RevisionId(name): value for name, value in values.items()}


def _exposure(exposure: Read) -> Exposure:
    percent = Decimal(str(exposure["cap"]))
    return Exposure(RevisionId(str(exposure["revision"])), int(percent * PARTS / 100))


def _classes(classes: tuple[Read, ...]) -> tuple[PriorityClass, ...]:
    if not classes:
        return EVERYBODY
    return tuple(
        PriorityClass(str(each["name"]), cast(int, each["share"]) * PARTS // 100)
        for each in classes
    )
