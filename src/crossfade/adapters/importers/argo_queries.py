"""What metrics of Argo ask whom, as queries and sources of ours."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from crossfade.adapters.importers.fates import Note, changed, kept, unsupported
from crossfade.adapters.importers.objects import Content, at, items, mapping, text
from crossfade.base.json_value import Json

_ADDRESS = re.compile(r"https?://[^\s/@]+(/[^\s]*)?")
_DURATION = re.compile(r"\d+(ms|s|m|h)", re.ASCII)
_REFUSED = {
    "authentication": "credentials are references here: see `source`",
    "insecure": "certificates are always checked; `caFile` of a source names others to trust",
    "requestTimeout": "the source has a timeout of 10 s",
    "timeout": "the source has a timeout of 10 s",
    "secretRef": "give the hub secrets datadog-api-key and datadog-app-key",
    "apiVersion": "the version follows from `query` or `queries`",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, with what is known of its source; no query and a reason where there is none."""

    query: Content = field(default_factory=dict)
    source: Content | None = None
    reason: str = ""
    notes: dict[str, Note] = field(default_factory=dict)
    """What became of fields, by their path below `provider`."""


Fill = Callable[[str], str]
"""Puts what is known of arguments into a text."""


def asked(provider: Content, fill: Fill) -> Asked:
    """Return what a metric asks."""
    kinds = [key for key in provider if provider[key] is not None]
    if len(kinds) != 1:
        return Asked(reason="has no provider, or several")
    kind, given = kinds[0], mapping(provider[kinds[0]])
    match kind:
        case "prometheus":
            return _prometheus(given, fill)
        case "web":
            return _web(given, fill)
        case "datadog":
            return _datadog(given, fill)
        case "cloudWatch":
            return _cloudwatch(given, fill)
        case "job":
            return Asked(reason="a Job needs a cluster: write `query: {job: {cluster: ...}}`")
        case _:
            return Asked(reason=f"there is no source of the kind {kind}")


def _notes(kind: str, given: Content) -> dict[str, Note]:
    """Return notes on all that is given: kept, but for what never is."""
    return {
        f"{kind}.{key}": unsupported(_REFUSED[key]) if key in _REFUSED else kept()
        for key in given
        if given[key] is not None
    }


def _headers(given: Content, fill: Fill) -> Content:
    return {
        text(at(each, "key")): fill(text(at(each, "value")))
        for each in items(given.get("headers"))
        if text(at(each, "key")) and text(at(each, "value"))
    }


def _prometheus(given: Content, fill: Fill) -> Asked:
    query = fill(text(given.get("query")))
    if not query:
        return Asked(reason="has no query")
    if given.get("rangeQuery"):
        return Asked(reason="a range of values is not asked for; ask for one value in the query")
    notes, address = _notes("prometheus", given), fill(text(given.get("address")))
    source: Content | None = None
    if _ADDRESS.fullmatch(address):
        inner: Content = {"address": address}
        if headers := _headers(given, fill):
            inner["headers"] = headers
        source = {"prometheus": inner}
    else:
        notes["prometheus.address"] = changed("name the address in `analysis.source`")
    return Asked({"prometheus": query}, source, "", notes)


def _web(given: Content, fill: Fill) -> Asked:
    url, method = fill(text(given.get("url"))), text(given.get("method")) or "GET"
    if not _ADDRESS.fullmatch(url):
        return Asked(reason="has no address that may be asked")
    if given.get("body"):
        return Asked(reason="bodies are JSON: write it as `body`")
    web: Content = {"url": url}
    if method != "GET":
        web["method"] = method
    if headers := _headers(given, fill):
        web["headers"] = headers
    if path := text(given.get("jsonPath")):
        web["jsonPath"] = path
    if isinstance(given.get("jsonBody"), dict):
        web["body"] = given["jsonBody"]
    seconds = given.get("timeoutSeconds")
    if isinstance(seconds, int) and 0 < seconds <= 300:
        web["timeout"] = f"{seconds}s"
    return Asked({"web": web}, None, "", _notes("web", given))


def _datadog(given: Content, fill: Fill) -> Asked:
    datadog: Content = {}
    if query := fill(text(given.get("query"))):
        datadog["query"] = query
    elif isinstance(given.get("queries"), dict):
        several = mapping(given["queries"])
        datadog["queries"] = {key: fill(text(value)) for key, value in several.items()}
    else:
        return Asked(reason="has no query")
    for key in ("formula", "aggregator"):
        if text(given.get(key)):
            datadog[key] = text(given[key])
    _interval(datadog, given)
    keys: Content = {
        "apiKey": {"secret": "datadog-api-key"},
        "applicationKey": {"secret": "datadog-app-key"},
    }
    notes = _notes("datadog", given)
    notes["datadog.secretRef"] = changed(_REFUSED["secretRef"])
    return Asked({"datadog": datadog}, {"datadog": keys}, "", notes)


def _cloudwatch(given: Content, fill: Fill) -> Asked:
    queries = _filled(given.get("metricDataQueries"), fill)
    if not isinstance(queries, list) or not all(isinstance(each, dict) for each in queries):
        return Asked(reason="has no metricDataQueries that are objects")
    if not queries:
        return Asked(reason="has no metricDataQueries")
    cloudwatch: Content = {"queries": [_capital(each) for each in queries]}
    _interval(cloudwatch, given)
    notes = _notes("cloudWatch", given)
    reason = "name the region and the keys in `analysis.source`"
    notes["cloudWatch.metricDataQueries"] = changed(reason)
    return Asked({"cloudwatch": cloudwatch}, None, "", notes)


def _interval(into: Content, given: Content) -> None:
    interval = text(given.get("interval"))
    if _DURATION.fullmatch(interval):
        into["interval"] = interval


def _filled(value: Json, fill: Fill) -> Json:
    """Return a value with all of its texts filled."""
    match value:
        case str():
            return fill(value)
        case list():
            return [_filled(each, fill) for each in value]
        case dict():
            return {key: _filled(each, fill) for key, each in value.items()}
        case _:
            return value


def _capital(value: Json) -> Json:
    """Return an object with keys as the API of AWS has them: `metricStat` is `MetricStat`."""
    match value:
        case list():
            return [_capital(each) for each in value]
        case dict():
            return {key[:1].upper() + key[1:]: _capital(each) for key, each in value.items()}
        case _:
            return value
