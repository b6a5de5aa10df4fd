"""
Prometheus, or what speaks its HTTP API.

An instant query gives a value up to five minutes after its target has died: as a counter's total
that would read as "no requests", which is not known.  So counters are read as raw samples, each
with the time at which it was scraped.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from crossfade.adapters.http.caller import Answer, Call, HttpCaller, no_json, refused
from crossfade.adapters.metrics.asking import (
    authorization,
    in_steps,
    not_one,
    read_from,
    wrong_query,
)
from crossfade.adapters.metrics.samples import Sample, readings
from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.core.analysis.counters import Reading
from crossfade.core.analysis.placeholders import fill
from crossfade.core.analysis.queries import CounterQuery, CounterSeries, PrometheusQuery, Query
from crossfade.core.analysis.sources import PrometheusSource
from crossfade.ports.measurements import Ability, Measured, Point, Span
from crossfade.ports.secrets import Secrets

_WHO = "Prometheus"


class PrometheusMeasurements:
    """The Measurements port for one Prometheus."""

    abilities = frozenset({Ability.MEASURE, Ability.SERIES, Ability.COUNTS})

    def __init__(self, source: PrometheusSource, secrets: Secrets) -> None:
        self._source, self._secrets = source, secrets
        self._http = HttpCaller(source.timeout_seconds, source.ca_file)
        self._method = "POST"

    async def measure(self, query: Query, now: float) -> Measured:
        """Return a number for a scalar, a list of numbers for a vector; see the port for errors."""
        data, notes = await self._ask("query", _text(query), {"time": _time(now)})
        with read_from(_WHO):
            return _measured(data, notes)

    async def series(self, query: Query, span: Span) -> tuple[Point, ...]:
        """Return a point for each step; see the port for errors."""
        step = f"{span.step_seconds:g}"
        params = {"start": _time(span.start), "end": _time(span.end), "step": step}
        data, _ = await self._ask("query_range", _text(query), params)
        with read_from(_WHO):
            found = data.get("result") or []
            if len(found) > 1:
                raise not_one(len(found), _WHO)
            points = found[0].get("values") or [] if found else []
            return in_steps(((float(at), float(value)) for at, value in points), span)

    async def counts(self, query: CounterQuery, span: Span) -> tuple[Reading, ...]:
        """Return the totals that were scraped within the span; see the port for errors."""
        requests = [s for each in query.requests for s in await self._samples(each, query, span)]
        latency = [s for each in query.latency for s in await self._samples(each, query, span)]
        with read_from(_WHO):
            return readings(query, requests, latency)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _samples(
        self, series: CounterSeries, query: CounterQuery, span: Span
    ) -> tuple[Sample, ...]:
        arms = "|".join(re.escape(value) for value in query.arms)
        # Escaped twice: for the regular expression, and for the string that it stands in.
        selector = fill(series.selector, {"arms": arms.replace("\\", "\\\\")})
        milliseconds = max(math.ceil((span.end - span.start) * 1000), 1)
        text = f"{selector}[{milliseconds}ms]"
        data, _ = await self._ask("query", text, {"time": _time(span.end)})
        if data.get("resultType") != "matrix":
            raise InputError(
                "the selector of a counter gives no series of samples",
                hint='give one such as requests_total{service=~"{{arms}}"}, without functions',
            )
        with read_from(_WHO):
            return tuple(
                Sample(each["metric"], query.arms[arm], float(at), float(value))
                for each in data["result"]
                if (arm := each["metric"].get(series.arm_label)) in query.arms
                for at, value in each.get("values") or []
                if math.isfinite(float(value))
            )

    async def _ask(
        self, what: str, text: str, params: Mapping[str, str]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the data of an answer, and the warnings that came with it."""
        headers, secrets = await authorization(self._source.credentials, self._secrets)
        url = f"{self._source.address.rstrip('/')}/api/v1/{what}"
        form = {"query": text, "timeout": f"{self._source.timeout_seconds:g}s", **params}
        call = self._call(url, form, {**self._source.headers, **headers})
        call = replace(call, secrets=secrets)
        answer = await self._http.send(call)
        if answer.status == 405 and self._method == "POST":
            self._method = "GET"  # a proxy in between that lets only reads pass
            return await self._ask(what, text, params)
        body = answer.json()
        if answer.status != 200:
            raise _refusal(call, answer, body)
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict) or body.get("status") != "success":
            raise no_json(call, answer, _WHO)
        with read_from(_WHO):
            warnings = [*(body.get("warnings") or ()), *(body.get("infos") or ())]
        return data, tuple(str(each) for each in warnings)

    def _call(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Call:
        if self._method == "GET":
            return Call(url, "GET", form, headers)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return Call(url, "POST", {}, {**headers, **kind}, urlencode(form).encode())


def _measured(data: Mapping[str, Any], notes: tuple[str, ...]) -> Measured:
    match data["resultType"]:
        case "scalar":
            return Measured(float(data["result"][1]), notes=notes)
        case "string":
            return Measured(str(data["result"][1]), notes=notes)
        case "vector":
            values: list[Json] = [_number(each) for each in data["result"]]
            return Measured(values, known=bool(values), notes=notes)
        case kind:
            raise InputError(
                f"the query gives a {kind}, where numbers are needed",
                hint="take the range `[...]` away, or put a function such as rate() around it",
            )


def _refusal(call: Call, answer: Answer, body: object) -> Exception:
    words = str(body.get("error") or "") if isinstance(body, dict) else ""
    return refused(call, answer, _WHO, words)


def _text(query: Query) -> str:
    if not isinstance(query, PrometheusQuery):
        raise wrong_query(query, _WHO)
    return query.text


def _time(at: float) -> str:
    return f"{at:.3f}"


def _number(sample: Mapping[str, Any]) -> float:
    if "value" not in sample:
        raise InputError(
            "the query gives a native histogram, where numbers are needed",
            hint="put histogram_quantile() or histogram_count() around it",
        )
    return float(sample["value"][1])
