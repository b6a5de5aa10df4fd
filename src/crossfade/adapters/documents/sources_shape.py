"""Sources of metrics and queries in files: their keys, and what the core makes of them."""

from collections.abc import Mapping
from typing import cast

from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    ListOf,
    MapOf,
    OneKey,
    Places,
    Read,
    Record,
    Text,
    Tree,
    given,
)
from crossfade.adapters.documents.webhook_shape import (
    HEADER_NAME,
    HEADERS,
    HTTP_ADDRESS,
    SECRET,
    headers,
    secret,
)
from crossfade.base.errors import InputError
from crossfade.base.ids import ClusterName
from crossfade.base.json_value import Json
from crossfade.core.analysis.json_path import parse_path
from crossfade.core.analysis.placeholders import names
from crossfade.core.analysis.queries import (
    CloudWatchQuery,
    DatadogQuery,
    JobQuery,
    PrometheusQuery,
    Query,
    WebQuery,
)
from crossfade.core.analysis.sources import (
    Basic,
    Bearer,
    CloudWatchSource,
    Credentials,
    DatadogSource,
    Header,
    MetricSource,
    PrometheusSource,
)

_TIMEOUT = Field(Duration(0.1, 300), "For each question.", default="10s")
_SERVER = Field(HTTP_ADDRESS, "Where it is.", required=True)
_TEXT = Text("text", longest=20_000)


_PROMETHEUS = Record(
    {
        "address": _SERVER,
        "bearer": Field(SECRET, "Token for `Authorization: Bearer`."),
        "basic": Field(
            Record(
                {
                    "user": Field(Text("text"), "Name.", required=True),
                    "password": Field(SECRET, "Password.", required=True),
                }
            ),
            "User and password.",
        ),
        "header": Field(
            Record(
                {
                    "name": Field(HEADER_NAME, "Of the header.", required=True),
                    "value": Field(SECRET, "Of the header.", required=True),
                }
            ),
            "A header that has the secret.",
        ),
        "headers": Field(
            MapOf(HEADER_NAME, Text("text")), "Sent along, as X-Scope-OrgID.", default="none"
        ),
        "caFile": Field(
            Text("an absolute path", r"/.+"),
            "PEM file with the authorities to trust.",
            default="the system's",
        ),
        "timeout": _TIMEOUT,
    },
    check=OneKey(("bearer", "basic", "header"), "Prometheus", needed=False),
)
_DATADOG = Record(
    {
        "apiKey": Field(SECRET, "API key.", required=True),
        "applicationKey": Field(SECRET, "Application key.", required=True),
        "address": Field(HTTP_ADDRESS, "That of your site.", default="https://api.datadoghq.com"),
        "timeout": _TIMEOUT,
    }
)
_CLOUDWATCH = Record(
    {
        "region": Field(Text("a region, as eu-west-1", r"[a-z0-9-]+", 40), "AWS.", required=True),
        "accessKeyId": Field(SECRET, "Access key.", required=True),
        "secretAccessKey": Field(SECRET, "Secret key.", required=True),
        "sessionToken": Field(SECRET, "Of temporary credentials.", default="none"),
        "address": Field(HTTP_ADDRESS, "Instead of the region's own.", default="the region's"),
        "timeout": _TIMEOUT,
    }
)
SOURCE = Record(
    {
        "prometheus": Field(_PROMETHEUS, "Prometheus, or what speaks its HTTP API."),
        "datadog": Field(_DATADOG, "Datadog."),
        "cloudwatch": Field(_CLOUDWATCH, "Amazon CloudWatch."),
    },
    check=OneKey(("prometheus", "datadog", "cloudwatch"), "a source"),
)


def _check_datadog(query: Read, places: Places) -> None:
    OneKey(("query", "queries"), "a query of Datadog")(query, places)
    several = cast(Read, query.get("queries", {}))
    if len(several) > 1 and "formula" not in query:
        places.wrong("formula", f"is missing, as `{' / '.join(several)}`")


def _check_web(query: Read, places: Places) -> None:
    try:
        parse_path(str(query.get("jsonPath", "")))
    except InputError as error:
        places.wrong("jsonPath", f"{error.what}; {error.hint}")


_INTERVAL = Field(Duration(1, 86400), "How far back it looks.", default="5m")
_DATADOG_QUERY = Record(
    {
        "query": Field(_TEXT, "One query."),
        "queries": Field(MapOf(Text("a name", r"[a-z_]\w*", 60), _TEXT), "Several, by name."),
        "formula": Field(_TEXT, "Over the names of `queries`."),
        "aggregator": Field(
            Choice(("avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area")),
            "How one value is made of each of `queries`.",
            default="last",
        ),
        "interval": _INTERVAL,
    },
    check=_check_datadog,
)
_CLOUDWATCH_QUERY = Record(
    {
        "queries": Field(
            ListOf(Tree(), "a list of MetricDataQueries"),
            "As the GetMetricData API takes them.",
            required=True,
        ),
        "interval": _INTERVAL,
    }
)
_WEB_QUERY = Record(
    {
        "url": Field(HTTP_ADDRESS, "What is asked; placeholders are filled in.", required=True),
        "method": Field(Choice(("GET", "POST", "PUT")), "HTTP method.", default="GET"),
        "headers": Field(HEADERS, "Sent along.", default="none"),
        "body": Field(Tree(), "Sent as JSON.", default="none"),
        "jsonPath": Field(_TEXT, "Where the value is.", default="the whole answer"),
        "timeout": _TIMEOUT,
    },
    check=_check_web,
)
_JOB_QUERY = Record(
    {
        "cluster": Field(_TEXT, "Cluster of the fleet that it runs on.", required=True),
        "namespace": Field(_TEXT, "Where it runs.", default="default"),
        "spec": Field(Tree(), "The `spec` of the Job.", required=True),
        "timeout": Field(Duration(1, 86400), "How long it may take.", default="10m"),
    }
)
_QUERIES = ("prometheus", "datadog", "cloudwatch", "web", "job")


def _check_query(query: Read, places: Places) -> None:
    OneKey(_QUERIES, "a query")(query, places)
    for key in _QUERIES:
        for text in _texts(query.get(key)):
            try:
                names(text)
            except InputError as error:
                places.wrong(key, f"{error.what}; {error.hint}")


QUERY = Record(
    {
        "prometheus": Field(_TEXT, "A PromQL expression."),
        "datadog": Field(_DATADOG_QUERY, "A query of Datadog."),
        "cloudwatch": Field(_CLOUDWATCH_QUERY, "A query of CloudWatch."),
        "web": Field(_WEB_QUERY, "Any JSON over HTTP."),
        "job": Field(_JOB_QUERY, "A Kubernetes Job: it passes when it succeeds."),
    },
    check=_check_query,
)


def source(value: object) -> MetricSource:
    """Return the source that was read with SOURCE."""
    read = cast(Read, value)
    timeout = {"timeout": "timeout_seconds", "address": "address"}
    if "prometheus" in read:
        found = cast(Read, read["prometheus"])
        more = given(found, {**timeout, "headers": "headers", "caFile": "ca_file"})
        return PrometheusSource(credentials=_credentials(found), **more)  # type: ignore[arg-type]
    if "datadog" in read:
        found = cast(Read, read["datadog"])
        keys = secret(found["apiKey"]), secret(found["applicationKey"])
        return DatadogSource(*keys, **given(found, timeout))  # type: ignore[arg-type]
    found = cast(Read, read["cloudwatch"])
    token = secret(found["sessionToken"]) if "sessionToken" in found else None
    return CloudWatchSource(
        str(found["region"]),
        secret(found["accessKeyId"]),
        secret(found["secretAccessKey"]),
        token,
        **given(found, timeout),  # type: ignore[arg-type]
    )


def query(value: object, name: str) -> Query:
    """Return the query that was read with QUERY; `name` names the Jobs of one that runs Jobs."""
    read = cast(Read, value)
    kind = next(key for key in _QUERIES if key in read)
    if kind == "prometheus":
        return PrometheusQuery(str(read[kind]))
    found = cast(Read, read[kind])
    interval = given(found, {"interval": "interval_seconds"})
    if kind == "datadog":
        more = given(found, {"query": "text", "queries": "queries", "formula": "formula"})
        more |= given(found, {"aggregator": "aggregator"})
        return DatadogQuery(**more, **interval)  # type: ignore[arg-type]
    if kind == "cloudwatch":
        queries = cast("tuple[Mapping[str, Json], ...]", found["queries"])
        return CloudWatchQuery(queries, **interval)  # type: ignore[arg-type]
    timeout = given(found, {"timeout": "timeout_seconds"})
    if kind == "web":
        more = given(found, {"method": "method", "body": "body", "jsonPath": "path"})
        sent = headers(found.get("headers"))
        return WebQuery(str(found["url"]), headers=sent, **more, **timeout)  # type: ignore[arg-type]
    spec, cluster = cast("Mapping[str, Json]", found["spec"]), ClusterName(str(found["cluster"]))
    more = given(found, {"namespace": "namespace"})
    return JobQuery(name, spec, cluster, **more, **timeout)  # type: ignore[arg-type]


def _credentials(read: Read) -> Credentials | None:
    if "bearer" in read:
        return Bearer(secret(read["bearer"]))
    if "basic" in read:
        basic = cast(Read, read["basic"])
        return Basic(str(basic["user"]), secret(basic["password"]))
    if "header" in read:
        header = cast(Read, read["header"])
        return Header(str(header["name"]), secret(header["value"]))
    return None


def _texts(value: object) -> list[str]:
    """Return every text below a value."""
    match value:
        case str():
            return [value]
        case Mapping():
            return [text for each in value.values() for text in _texts(each)]
        case tuple() | list():
            return [text for each in value for text in _texts(each)]
        case _:
            return []
