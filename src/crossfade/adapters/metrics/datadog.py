"""Datadog: one query over the v1 API, several with a formula over the v2 API."""

import json
from collections.abc import Mapping
from typing import Any

from crossfade.adapters.http.caller import Call, HttpCaller, no_json, refused
from crossfade.adapters.metrics.asking import in_steps, not_one, read_from, unable, wrong_query
from crossfade.base.errors import InputError
from crossfade.core.analysis.counters import Reading
from crossfade.core.analysis.queries import CounterQuery, DatadogQuery, Query
from crossfade.core.analysis.sources import DatadogSource
from crossfade.ports.measurements import Ability, Measured, Point, Span
from crossfade.ports.secrets import Secrets

_WHO = "Datadog"


class DatadogMeasurements:
    """The Measurements port for one organisation at Datadog."""

    abilities = frozenset({Ability.MEASURE, Ability.SERIES})

    def __init__(self, source: DatadogSource, secrets: Secrets) -> None:
        self._source, self._secrets = source, secrets
        self._http = HttpCaller(source.timeout_seconds)

    async def measure(self, query: Query, now: float) -> Measured:
        """Return the newest value, or what the aggregator makes of the interval; see the port."""
        asked = _own(query)
        start = now - asked.interval_seconds
        if asked.queries:
            attributes = await self._post("scalar", _scalar_request(asked, start, now))
            with read_from(_WHO):
                return _scalar(attributes)
        values = [value for _, value in await self._points(asked.text, start, now)]
        return Measured(values[-1]) if values else Measured(None, known=False)

    async def series(self, query: Query, span: Span) -> tuple[Point, ...]:
        """Return a point for each step; see the port for errors."""
        asked = _own(query)
        end = span.end + span.step_seconds
        if not asked.queries:
            return in_steps(await self._points(asked.text, span.start, end), span)
        request = _series_request(asked, span, end)
        attributes = await self._post("timeseries", request)
        with read_from(_WHO):
            columns = attributes.get("values") or []
            if len(columns) > 1:
                raise not_one(len(columns), _WHO)
            pairs = zip(attributes.get("times") or [], columns[0] if columns else [], strict=True)
            return in_steps(((at / 1000, value) for at, value in pairs if value is not None), span)

    async def counts(self, query: CounterQuery, span: Span) -> tuple[Reading, ...]:
        """Refuse: Datadog keeps rates, not the counters."""
        raise unable(Ability.COUNTS, _WHO)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _points(self, text: str, start: float, end: float) -> list[tuple[float, float]]:
        """Return time and value of each point of the query's one series."""
        params = {"query": text, "from": str(int(start)), "to": str(int(end))}
        body = await self._ask("GET", "/api/v1/query", params=params)
        if body.get("status") == "error" or body.get("error"):
            raise _refused_query(str(body.get("error")))
        with read_from(_WHO):
            series = body.get("series") or []
            if len(series) > 1:
                raise not_one(len(series), _WHO)
            points = series[0].get("pointlist") or [] if series else []
            return [(at / 1000, float(value)) for at, value in points if value is not None]

    async def _post(self, what: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the attributes of the answer of the v2 API."""
        body = await self._ask("POST", f"/api/v2/query/{what}", json.dumps(request).encode())
        if body.get("errors"):
            raise _refused_query(str(body["errors"]))
        with read_from(_WHO):
            return dict((body.get("data") or {}).get("attributes") or {})

    async def _ask(
        self, method: str, path: str, body: bytes = b"", params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        api_key = await self._secrets.resolve(self._source.api_key)
        application_key = await self._secrets.resolve(self._source.application_key)
        headers = {
            "DD-API-KEY": api_key.reveal(),
            "DD-APPLICATION-KEY": application_key.reveal(),
            "Content-Type": "application/json",
        }
        url = self._source.address.rstrip("/") + path
        call = Call(url, method, params or {}, headers, body, (api_key, application_key))
        answer = await self._http.send(call)
        found = answer.json()
        if answer.status != 200:
            errors = found.get("errors") if isinstance(found, dict) else None
            words = "; ".join(str(each) for each in errors) if isinstance(errors, list) else ""
            raise refused(call, answer, _WHO, words)
        if not isinstance(found, dict):
            raise no_json(call, answer, _WHO)
        return found


def _own(query: Query) -> DatadogQuery:
    if not isinstance(query, DatadogQuery):
        raise wrong_query(query, _WHO)
    return query


def _refused_query(words: str) -> InputError:
    return InputError(f"{_WHO} refuses the query: {words}", hint="mend what the message names")


def _formulas(query: DatadogQuery) -> list[dict[str, str]]:
    if not query.formula and len(query.queries) > 1:
        raise InputError(
            f"there are {len(query.queries)} queries for {_WHO}, and no formula over them",
            hint=f"give a `formula` such as `{' / '.join(query.queries)}`",
        )
    return [{"formula": query.formula or next(iter(query.queries))}]


def _scalar_request(query: DatadogQuery, start: float, end: float) -> dict[str, Any]:
    queries = [
        {"name": name, "query": text, "data_source": "metrics", "aggregator": query.aggregator}
        for name, text in query.queries.items()
    ]
    return _request("scalar_request", queries, query, start, end)


def _series_request(query: DatadogQuery, span: Span, end: float) -> dict[str, Any]:
    queries = [
        {"name": name, "query": text, "data_source": "metrics"}
        for name, text in query.queries.items()
    ]
    request = _request("timeseries_request", queries, query, span.start, end)
    request["data"]["attributes"]["interval"] = int(span.step_seconds * 1000)
    return request


def _request(
    kind: str, queries: list[dict[str, str]], query: DatadogQuery, start: float, end: float
) -> dict[str, Any]:
    attributes = {
        "from": int(start * 1000),
        "to": int(end * 1000),
        "queries": queries,
        "formulas": _formulas(query),
    }
    return {"data": {"type": kind, "attributes": attributes}}


def _scalar(attributes: Mapping[str, Any]) -> Measured:
    columns = [each for each in attributes.get("columns") or [] if each.get("type") == "number"]
    values = columns[0].get("values") or [] if columns else []
    if len(values) > 1:
        raise not_one(len(values), _WHO)
    if not values or values[0] is None:
        return Measured(None, known=False)
    return Measured(float(values[0]))
