"""Application files: read, checked whole, and turned into the core's Application."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from crossfade.adapters.documents.application_shape import APPLICATION
from crossfade.adapters.documents.files import read_text
from crossfade.adapters.documents.problems import Mark, Problems
from crossfade.adapters.documents.shapes import Read
from crossfade.adapters.documents.tree import Located, read_tree
from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.analysis.spec import Analysis, ErrorThreshold
from crossfade.core.application import Application, Placement, Route, Source, Values
from crossfade.core.rollout.spec import (
    Deadlines,
    Pause,
    SetWeight,
    Step,
    Strategy,
    Unreachable,
)


def read_application(path: Path) -> Application:
    """Return the one application of the file.  Raises InputError with all its problems."""
    first, *others = read_applications(path)
    if others:
        raise InputError(
            f"{path} has {1 + len(others)} applications, one is wanted here",
            hint="keep each one in a file of its own",
        )
    return first


def read_applications(path: Path) -> tuple[Application, ...]:
    """
    Return the applications of the file, in its order; local charts become absolute paths.

    Raises InputError that lists everything that is wrong, each with line and column.
    """
    return parse(read_text(path), str(path), path.absolute().parent)


def parse(text: str, file: str, folder: Path | None = None) -> tuple[Application, ...]:
    """
    Return the applications of the text; `file` is its name in messages.

    Charts given as folders are looked for in `folder`; without one they are not looked for.
    Raises InputError that lists everything that is wrong, each with line and column.
    """
    problems = Problems(file)
    trees = read_tree(text, problems)
    if not trees and not problems.found:
        problems.add(Mark(1, 1), "", "is empty; an application begins with `apiVersion:`")
    read = [(tree, APPLICATION.read(tree, "", problems)) for tree in trees]
    _check_names(trees, problems)
    if folder is not None:
        for tree in trees:
            _check_chart(tree, folder, problems)
    problems.refuse_if_any()
    return tuple(_application(cast(Read, values), folder) for _, values in read)


def _at(tree: Located, *keys: str) -> Located | None:
    for key in keys:
        if not isinstance(tree.value, Mapping) or key not in tree.value:
            return None
        tree = tree.value[key][1]
    return tree


def _check_names(trees: tuple[Located, ...], problems: Problems) -> None:
    seen: dict[object, int] = {}
    for tree in trees:
        name = _at(tree, "metadata", "name")
        if name is None or not isinstance(name.value, str):
            continue
        if name.value in seen:
            where = f"the application in line {seen[name.value]} has this name already"
            problems.add(name.at, "metadata.name", where)
        seen.setdefault(name.value, name.at.line)


def _is_folder(source: Read) -> bool:
    return "repo" not in source and not str(source["chart"]).startswith("oci://")


def _check_chart(tree: Located, folder: Path, problems: Problems) -> None:
    chart, repo = _at(tree, "spec", "source", "chart"), _at(tree, "spec", "source", "repo")
    if chart is None or not isinstance(chart.value, str) or not chart.value or repo is not None:
        return
    if chart.value.startswith("oci://"):
        return
    path = folder / chart.value
    try:
        there = path.is_file() or (path / "Chart.yaml").is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        what = "has no Chart.yaml" if path.is_dir() else "does not exist"
        problems.add(chart.at, "spec.source.chart", f"the chart {path} {what}")


def _application(document: Read, folder: Path | None) -> Application:
    metadata, spec = _part(document, "metadata"), _part(document, "spec")
    placement = _part(spec, "placement")
    weights = cast("dict[str, int]", placement.get("weights", {}))
    labels = cast("dict[str, str]", _part(placement, "clusters").get("matchLabels", {}))
    return Application(
        name=ApplicationName(str(metadata["name"])),
        namespace=str(metadata.get("namespace", "default")),
        source=_source(_part(spec, "source"), folder),
        route=_route(_part(spec, "route")),
        placement=Placement(labels),
        strategy=_strategy(_part(spec, "rollout")),
        analysis=Analysis(judge=None, threshold=_threshold(_part(spec, "analysis"))),
        edge_weights={ClusterName(name): weight for name, weight in weights.items()},
    )


def _part(values: Read, key: str) -> Read:
    return cast(Read, values.get(key, {}))


def _given(values: Read, names: Mapping[str, str]) -> Read:
    """Return the given values under the names of the core; its defaults hold for the others."""
    return {name: values[key] for key, name in names.items() if key in values}


def _source(source: Read, folder: Path | None) -> Source:
    chart = str(source["chart"])
    if folder is not None and _is_folder(source):
        chart = str((folder / chart).resolve())
    values = cast(Values, source.get("values", {}))
    repo, version = source.get("repo"), source.get("version")
    return Source(
        chart,
        None if repo is None else str(repo),
        None if version is None else str(version),
        values,
    )


_ROUTE_NAMES = {
    "host": "host",
    "service": "service",
    "port": "port",
    "gateway": "gateway",
    "perTryTimeout": "try_seconds",
}


def _route(route: Read) -> Route:
    given = _given(route, _ROUTE_NAMES) | _given(_part(route, "probe"), {"path": "probe_path"})
    return Route(**given)  # type: ignore[arg-type]


_STRATEGY_NAMES = {
    "keepOld": "keep_old_seconds",
    "drain": "drain_seconds",
}


def _strategy(rollout: Read) -> Strategy:
    written = cast("tuple[Read, ...]", _part(rollout, "canary").get("steps", ()))
    steps = tuple(_step(step) for step in written)
    unreachable = Unreachable(str(rollout.get("unreachable", "hold")))
    given = _given(rollout, _STRATEGY_NAMES)
    deadlines = Deadlines(**_given(rollout, {"readyTimeout": "ready_seconds"}))  # type: ignore[arg-type]
    return Strategy(steps, unreachable=unreachable, deadlines=deadlines, **given)  # type: ignore[arg-type]


def _step(step: Read) -> Step:
    if "setWeight" in step:
        return SetWeight(cast(int, step["setWeight"]))
    return Pause(cast("float | None", _part(step, "pause").get("duration")))


_THRESHOLD_NAMES = {
    "maxPercent": "max_percent",
    "minRequests": "min_requests",
    "window": "window_seconds",
}


def _threshold(analysis: Read) -> ErrorThreshold | None:
    thresholds = cast("tuple[Read, ...]", analysis.get("thresholds", ({},)))
    if not thresholds:
        return None
    return ErrorThreshold(**_given(thresholds[0], _THRESHOLD_NAMES))  # type: ignore[arg-type]
