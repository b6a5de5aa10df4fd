"""Files for `crossfade analysis threshold`: an Argo metric and what was measured of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from crossfade.adapters.documents.analysis_shapes import Json, OrNull, Whole, without
from crossfade.adapters.documents.problems import Mark, Problems
from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    Flag,
    ListOf,
    Places,
    Read,
    Record,
    Text,
    Tree,
)
from crossfade.adapters.documents.tree import Located, read_tree
from crossfade.base.json_value import Json as Value
from crossfade.core.analysis.argo import Measurement, Metric, Phase, measure
from crossfade.core.analysis.expression_tokens import ExpressionError
from crossfade.core.analysis.expressions import Condition, condition

_LIMIT = OrNull(Whole(0))


def _check_conditions(metric: Read, places: Places) -> None:
    for key in ("successCondition", "failureCondition"):
        if metric.get(key):
            try:
                condition(str(metric[key]))
            except ExpressionError as error:
                hint = f"; {error.hint}" if error.hint else ""
                places.wrong(key, f"{error}{hint}")


METRIC = Record(
    {
        "name": Field(Text("a name", longest=253), "Name in messages.", default="metric"),
        "interval": Field(OrNull(Duration()), "Time from one measurement to the next."),
        "initialDelay": Field(OrNull(Duration()), "Time before the first one."),
        "count": Field(_LIMIT, "Measurements to take.", default="1, no end with an interval"),
        "successCondition": Field(
            Text("an expression on `result`", "(?s:.*)", 4096), "When a measurement is good."
        ),
        "failureCondition": Field(
            Text("an expression on `result`", "(?s:.*)", 4096), "When a measurement is bad."
        ),
        "failureLimit": Field(
            OrNull(Whole(-1)), "Bad measurements that are let pass; -1 for any.", default="0"
        ),
        "inconclusiveLimit": Field(_LIMIT, "Unclear ones that are let pass.", default="0"),
        "consecutiveErrorLimit": Field(_LIMIT, "Errors in a row let pass.", default="4"),
        "consecutiveSuccessLimit": Field(
            _LIMIT, "Good ones in a row that end it early; 0 for none.", default="0"
        ),
        "provider": Field(Tree(), "Where figures come from; not asked here."),
    },
    check=_check_conditions,
)


def _check_measurement(measurement: Read, places: Places) -> None:
    if "phase" not in measurement and "value" not in measurement:
        places.wrong("phase", "is missing; a measurement has a phase or a value")


_TIME = Json("a time")

MEASUREMENT = Record(
    {
        "phase": Field(Choice(tuple(Phase)), "How it ended; a value beside it is not looked at."),
        "value": Field(Json(), "What was measured, to be put through the conditions."),
        "message": Field(Text("a text", "(?s:.*)"), "What its source said."),
        "metadata": Field(Json(), "Not looked at."),
        "startedAt": Field(_TIME, "Not looked at."),
        "finishedAt": Field(_TIME, "Not looked at."),
        "resumeAt": Field(_TIME, "Not looked at."),
    },
    check=_check_measurement,
)
_MEASUREMENTS = ListOf(MEASUREMENT, "a list of measurements, each with a phase or a value")
_FILE = Record(
    {
        "metric": Field(METRIC, "The metric.", required=True),
        "measurements": Field(_MEASUREMENTS, "What was measured.", required=True),
        "terminating": Field(Flag(), "Whether the run is about to end.", default="false"),
    }
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric and what was measured of it, oldest first."""

    metric: Metric
    measurements: tuple[Measurement, ...]
    terminating: bool = False


def parse(text: str, file: str) -> Measured:
    """
    Return the metric and its measurements; `file` is its name in messages.

    The file is `{metric: {...}, measurements: [...]}`, or the metric with `measurements` in it.
    Raises InputError that lists everything that is wrong, each with line and column.
    """
    problems = Problems(file, "docs/guides/coming-from.md shows such a file")
    trees = read_tree(text, problems)
    if len(trees) != 1 and not problems.found:
        problems.add(Mark(1, 1), "", f"has {len(trees)} documents, one is wanted")
    read = _FILE.read(_nested(trees[0]), "", problems) if trees else None
    problems.refuse_if_any()
    found = cast(Read, read)
    metric = metric_of(cast(Read, found["metric"]))
    given = cast("tuple[Read, ...]", found["measurements"])
    measurements = tuple(_measurement(metric, each) for each in given)
    return Measured(metric, measurements, bool(found.get("terminating")))


_BESIDE = ("measurements", "terminating")


def _nested(tree: Located) -> Located:
    """Return the file with its metric under `metric`, and what belongs beside it there."""
    entries = tree.value
    if not isinstance(entries, Mapping):
        return tree
    at, metric = entries.get("metric", (tree.at, tree))
    inside = metric.value
    if not isinstance(inside, Mapping) or "measurements" not in inside:
        return tree
    beside = {key: inside[key] for key in _BESIDE if key in inside}
    above = dict(entries) if metric is not tree else {}
    return Located(above | {"metric": (at, without(metric, *_BESIDE))} | beside, tree.at)


def metric_of(read: Read) -> Metric:
    """Return the metric of what METRIC has read."""

    def number(key: str, default: int) -> int:
        found = read.get(key)
        return default if found is None else cast(int, found)

    return Metric(
        name=str(read.get("name", "metric")),
        success=_condition(read, "successCondition"),
        failure=_condition(read, "failureCondition"),
        count=number("count", 0),
        interval_seconds=cast("float | None", read.get("interval")),
        initial_delay_seconds=cast("float | None", read.get("initialDelay")) or 0.0,
        failure_limit=number("failureLimit", 0),
        inconclusive_limit=number("inconclusiveLimit", 0),
        consecutive_error_limit=number("consecutiveErrorLimit", 4),
        consecutive_success_limit=number("consecutiveSuccessLimit", 0),
    )


def _condition(read: Read, key: str) -> Condition | None:
    text = read.get(key)
    return condition(str(text)) if text else None


def _measurement(metric: Metric, read: Read) -> Measurement:
    value = cast(Value, read.get("value"))
    if "phase" not in read:
        return measure(metric, value)
    return Measurement(Phase(str(read["phase"])), value, str(read.get("message", "")))
