"""What a metric asks its source, with placeholders that are filled in when it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from crossfade.base.ids import ClusterName, RevisionId
from crossfade.base.json_value import Json
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.placeholders import Fields, fill, fill_json


@dataclass(frozen=True, slots=True)
class PrometheusQuery:
    """A PromQL expression."""

    text: str


@dataclass(frozen=True, slots=True)
class DatadogQuery:
    """One Datadog query, or several by name with a formula over them."""

    text: str = ""
    """A metrics query, asked of the v1 API unless `queries` are given."""
    queries: Mapping[str, str] = field(default_factory=dict)
    """Asked of the v2 API, with `formula` over their names."""
    formula: str = ""
    aggregator: str = "last"
    """How the v2 API makes one value of a series: avg, min, max, sum, last, percentile, ..."""
    interval_seconds: float = 300.0
    """How far back it looks."""


@dataclass(frozen=True, slots=True)
class CloudWatchQuery:
    """MetricDataQueries as the GetMetricData API takes them."""

    queries: tuple[Mapping[str, Json], ...]
    interval_seconds: float = 300.0
    """How far back it looks."""


@dataclass(frozen=True, slots=True)
class WebQuery:
    """Any JSON over HTTP."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)
    body: Json = None
    """Text as it is, anything else as JSON; None for no body."""
    path: str = ""
    """The JSON path of the value, as in `{$.data.ok}`; "" for the whole answer."""
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class JobQuery:
    """A Kubernetes Job: it passes when the Job succeeds."""

    name: str
    """Unique for each measurement, so that one is never run twice: Jobs are named by it."""
    spec: Mapping[str, Json]
    """The `spec` of the Job."""
    cluster: ClusterName
    namespace: str = "default"
    timeout_seconds: float = 600.0
    """How long the Job may take; afterwards it has failed."""


Query: TypeAlias = PrometheusQuery | DatadogQuery | CloudWatchQuery | WebQuery | JobQuery


@dataclass(frozen=True, slots=True)
class CounterSeries:
    """The series of one counter, by a PromQL selector without range."""

    selector: str
    """`{{arms}}` in it stands for the label's values of all revisions, as a regular expression."""
    arm_label: str
    """The label whose value tells the revision."""


@dataclass(frozen=True, slots=True)
class CounterQuery:
    """
    Raw counters of requests per revision in one cluster: no rates, which overlap and extrapolate.

    Series of several kinds may be given for places that label them differently.
    """

    cluster: ClusterName
    arms: Mapping[str, RevisionId]
    """The revision behind each value of the series' `arm_label`."""
    requests: tuple[CounterSeries, ...]
    failed_label: str
    """The label of `requests` that tells failures."""
    failed_pattern: str
    """Regular expression for the whole value of `failed_label`."""
    latency: tuple[CounterSeries, ...] = ()
    """Cumulative histogram buckets (with `le`)."""
    edge_unit_seconds: float = 1.0
    """What 1 of `le` is: 0.001 for histograms in milliseconds."""
    edges_seconds: tuple[float, ...] = ()
    """The latencies to count above; each must be an edge of the histogram's buckets."""
    source_labels: tuple[str, ...] = ("instance", "pod")
    """Labels that tell who counts: what starts again from zero by itself."""


def fields_of(values: Fields, arguments: Mapping[str, str]) -> dict[str, str]:
    """Return values by the names that queries use; arguments are `args.NAME`, as in Argo."""
    return {**values, **{f"args.{name}": value for name, value in arguments.items()}}


def filled(query: Query, fields: Fields) -> Query:
    """
    Return the query with its placeholders replaced.

    Raises InputError for a placeholder without a value, or one that is none.
    """
    match query:
        case PrometheusQuery(text):
            return PrometheusQuery(fill(text, fields))
        case DatadogQuery():
            queries = {name: fill(text, fields) for name, text in query.queries.items()}
            formula = fill(query.formula, fields)
            return replace(query, text=fill(query.text, fields), queries=queries, formula=formula)
        case CloudWatchQuery():
            return replace(query, queries=tuple(_object(each, fields) for each in query.queries))
        case WebQuery():
            return replace(
                query,
                url=fill(query.url, fields),
                headers={
                    name: value if isinstance(value, SecretRef) else fill(value, fields)
                    for name, value in query.headers.items()
                },
                body=fill_json(query.body, fields),
            )
        case JobQuery():
            return replace(
                query,
                name=fill(query.name, fields),
                spec=_object(query.spec, fields),
                cluster=ClusterName(fill(query.cluster, fields)),
                namespace=fill(query.namespace, fields),
            )
        case _:
            assert_never(query)


def _object(value: Mapping[str, Json], fields: Fields) -> dict[str, Json]:
    return {key: fill_json(each, fields) for key, each in value.items()}
