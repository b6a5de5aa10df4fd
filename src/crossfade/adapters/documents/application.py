"""Application files: read, checked whole, and turned into the core's Application."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from crossfade.adapters.documents.application_shape import APPLICATION
from crossfade.adapters.documents.dns_shape import dns_spec
from crossfade.adapters.documents.failover_shape import failover, users_placed
from crossfade.adapters.documents.files import read_text
from crossfade.adapters.documents.notifications_shape import notifications
from crossfade.adapters.documents.priorities_shape import priorities
from crossfade.adapters.documents.problems import Mark, Problems
from crossfade.adapters.documents.rollout import strategy
from crossfade.adapters.documents.runs_shape import runs
from crossfade.adapters.documents.shapes import Read, given, listed, part
from crossfade.adapters.documents.sources_shape import source
from crossfade.adapters.documents.tree import Located, read_tree
from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.analysis.plan import OnTimeout
from crossfade.core.analysis.presets import Preset
from crossfade.core.analysis.spec import Analysis, CounterSource, ErrorThreshold, Judge
from crossfade.core.application import Application, Route, Router, Shared, Source, Values
from crossfade.core.release.data import DataForms


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
    metadata, spec = part(document, "metadata"), part(document, "spec")
    placement = part(spec, "placement")
    weights = cast("dict[str, int]", placement.get("weights", {}))
    labels = cast("dict[str, str]", part(placement, "clusters").get("matchLabels", {}))
    return Application(
        name=ApplicationName(str(metadata["name"])),
        namespace=str(metadata.get("namespace", "default")),
        source=_source(part(spec, "source"), folder),
        shared=tuple(
            Shared(str(each["name"]), _source(part(each, "source"), folder))
            for each in listed(spec, "shared")
        ),
        route=_route(part(spec, "route")) if "route" in spec else None,
        dns=dns_spec(spec),
        data=_data(part(spec, "data")) if "data" in spec else None,
        placement=users_placed(labels, placement),
        failover=failover(part(spec, "failover")),
        strategy=strategy(part(spec, "rollout"), cast(int, placement.get("survive", 0))),
        analysis=_analysis(part(spec, "analysis"), routed="route" in spec),
        notifications=notifications(spec.get("notifications", ())),
        edge_weights={ClusterName(name): weight for name, weight in weights.items()},
    )


def _data(data: Read) -> DataForms:
    return DataForms(str(data["writes"]), cast("tuple[str, ...]", data.get("reads", ())))


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
    "retryNonIdempotent": "retry_non_idempotent",
    "sticky": "sticky",
}


def _route(route: Read) -> Route:
    probe = given(part(route, "probe"), {"path": "probe_path"})
    router = Router(str(route.get("router", Router.GATEWAY_API)))
    more = given(route, _ROUTE_NAMES) | probe
    return Route(**more, router=router, priorities=priorities(route))  # type: ignore[arg-type]


_THRESHOLD_NAMES = {
    "maxPercent": "max_percent",
    "minRequests": "min_requests",
    "window": "window_seconds",
}
_JUDGE_NAMES = {
    "metrics": "metrics",
    "budget": "budget",
    "alpha": "alpha",
    "beta": "beta",
    "tolerance": "tolerance",
    "window": "window_seconds",
    "minDuration": "min_seconds",
    "maxDuration": "max_seconds",
    "minRequests": "min_requests",
}


def _analysis(analysis: Read, *, routed: bool) -> Analysis:
    thresholds = cast("tuple[Read, ...]", analysis.get("thresholds", ()))
    limit = None
    if thresholds:
        limit = ErrorThreshold(**given(thresholds[0], _THRESHOLD_NAMES))  # type: ignore[arg-type]
    more = runs(analysis.get("runs", ()))
    where = source(analysis["source"]) if "source" in analysis else None
    counters = _counters(part(analysis, "counters")) if "counters" in analysis else None
    if analysis.get("metrics", True) == () or not routed:
        return Analysis(None, limit, more, where)
    on_timeout = OnTimeout(str(analysis.get("onTimeout", "pause")))
    keys = given(analysis, _JUDGE_NAMES) | _dispersion(analysis.get("dispersion", 1.0))
    judge = Judge(on_timeout=on_timeout, **keys)  # type: ignore[arg-type]
    return Analysis(judge, limit, more, where, counters)


def _dispersion(read: object) -> Read:
    """Return one factor for everything, or one for errors and one for latency."""
    if not isinstance(read, dict):
        return {"dispersion": read}
    errors, latency = read.get("errors", 1.0), read.get("latency", 1.0)
    return {"dispersion": errors, "latency_dispersion": latency}


def _counters(read: Read) -> CounterSource:
    more = given(read, {"labels": "labels", "edges": "edges_seconds"})
    return CounterSource(Preset(str(read["preset"])), **more)  # type: ignore[arg-type]
