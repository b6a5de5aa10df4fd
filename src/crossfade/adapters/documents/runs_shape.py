"""`spec.analysis.runs`: metrics of other systems, with limits or compared, as the core's values."""

from typing import cast

from crossfade.adapters.documents.argo_metric import METRIC
from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    Flag,
    MapOf,
    Number,
    OneKey,
    Places,
    Read,
    Record,
    Text,
    given,
    listed,
    part,
)
from crossfade.adapters.documents.sources_shape import QUERY, SOURCE, query, source
from crossfade.adapters.documents.webhook_shape import NamedList
from crossfade.core.analysis import kayenta
from crossfade.core.analysis.runs import ComparedMetric, Comparison, RunMetric, RunSpec

_NAME = Text(
    "lower-case letters, digits and dashes (not first or last), at most 40",
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    40,
)
_LIMITS = {key: each for key, each in METRIC.fields.items() if key not in {"name", "provider"}}


def _check_metric(metric: Read, places: Places) -> None:
    METRIC.check(metric, places)
    if "query" in metric and "name" in metric:
        for what in run_metric(metric).limits.objections:
            places.problems.add(places.record.at, places.path, what)


_METRIC = Record(
    {
        "name": Field(_NAME, "For people.", required=True),
        "query": Field(QUERY, "What its source is asked.", required=True),
        "source": Field(SOURCE, "Where it comes from.", default="that of `analysis`"),
        **_LIMITS,
        "dryRun": Field(Flag(), "Measured and told, without a say.", default="false"),
    },
    check=_check_metric,
)
_COMPARED = Record(
    {
        "name": Field(_NAME, "For people.", required=True),
        "canary": Field(QUERY, "Its series of the new revision.", required=True),
        "baseline": Field(QUERY, "Its series of the stable one.", required=True),
        "source": Field(SOURCE, "Where it comes from.", default="that of `analysis`"),
        "group": Field(Text("a name", longest=100), "Group of metrics.", default="default"),
        "critical": Field(Flag(), "One that fails fails all.", default="false"),
        "mustHaveData": Field(Flag(), "No data is a failure.", default="false"),
        "direction": Field(
            Choice(tuple(kayenta.Direction)), "In which direction it gets worse.", default="either"
        ),
    }
)
_KAYENTA = Record(
    {
        "lifetime": Field(Duration(60), "How long in all.", default="3h"),
        "interval": Field(Duration(60), "Between two looks.", default="1h"),
        "step": Field(Duration(1), "Between two points of a series.", default="1m"),
        "pass": Field(Number(0, 100, whole=False), "Score that passes.", default="95"),
        "marginal": Field(Number(0, 100, whole=False), "Each look must be above it.", default="75"),
        "groupWeights": Field(
            MapOf(Text("a group", longest=100), Number(0, 100, whole=False)), "In percent."
        ),
        "metrics": Field(NamedList(_COMPARED, "a list of metrics"), "What.", required=True),
    }
)
RUN = Record(
    {
        "name": Field(_NAME, "What steps call it.", required=True),
        "background": Field(
            Flag(), "Goes on beside the steps from the first users on.", default="false"
        ),
        "args": Field(
            MapOf(Text("a name", r"[-\w]+", 100), Text("a text", "(?s:.*)", 4000)),
            "For `{{args.NAME}}` in queries.",
        ),
        "metrics": Field(
            NamedList(_METRIC, "a list of metrics"), "With limits, as in Argo Rollouts."
        ),
        "kayenta": Field(_KAYENTA, "Compared, as in Kayenta."),
    },
    check=OneKey(("metrics", "kayenta"), "a run"),
)
RUNS = NamedList(RUN, "a list, as `- {name: smoke, metrics: [...]}`")

_LIMIT_NAMES = {
    "successCondition": "success",
    "failureCondition": "failure",
    "dryRun": "dry_run",
}
_NUMBER_NAMES = {
    "count": "count",
    "interval": "interval_seconds",
    "initialDelay": "initial_delay_seconds",
    "failureLimit": "failure_limit",
    "inconclusiveLimit": "inconclusive_limit",
    "consecutiveErrorLimit": "consecutive_error_limit",
    "consecutiveSuccessLimit": "consecutive_success_limit",
}


def runs(value: object) -> tuple[RunSpec, ...]:
    """Return the runs that were read with RUNS."""
    return tuple(_run(each) for each in cast("tuple[Read, ...]", value))


def _run(read: Read) -> RunSpec:
    compared = _comparison(part(read, "kayenta")) if "kayenta" in read else None
    return RunSpec(
        str(read["name"]),
        tuple(run_metric(each) for each in listed(read, "metrics")),
        compared,
        bool(read.get("background", False)),
        cast("dict[str, str]", read.get("args", {})),
    )


def run_metric(read: Read) -> RunMetric:
    """Return the metric that was read."""
    numbers = {
        name: number for name, number in given(read, _NUMBER_NAMES).items() if number is not None
    }
    return RunMetric(
        str(read["name"]),
        query(read["query"], "{{measurement}}"),
        source(read["source"]) if "source" in read else None,
        **given(read, _LIMIT_NAMES),  # type: ignore[arg-type]
        **numbers,  # type: ignore[arg-type]
    )


def _comparison(read: Read) -> Comparison:
    times = {
        "lifetime": "lifetime_seconds",
        "interval": "interval_seconds",
        "step": "step_seconds",
        "groupWeights": "group_weights",
    }
    limits = given(read, {"pass": "passing", "marginal": "marginal"})
    return Comparison(
        tuple(_compared(each) for each in listed(read, "metrics")),
        thresholds=kayenta.Thresholds(**limits),  # type: ignore[arg-type]
        **given(read, times),  # type: ignore[arg-type]
    )


def _compared(read: Read) -> ComparedMetric:
    more = given(read, {"group": "group", "critical": "critical"})
    more |= given(read, {"mustHaveData": "must_have_data"})
    if "direction" in read:
        more["direction"] = kayenta.Direction(str(read["direction"]))
    return ComparedMetric(
        str(read["name"]),
        query(read["canary"], ""),
        query(read["baseline"], ""),
        source(read["source"]) if "source" in read else None,
        **more,  # type: ignore[arg-type]
    )
