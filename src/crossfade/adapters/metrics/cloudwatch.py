"""Amazon CloudWatch: GetMetricData over its JSON protocol."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crossfade.adapters.aws.signing import Keys, Scope, signed
from crossfade.adapters.http.caller import Answer, Call, HttpCaller, no_json, refused
from crossfade.adapters.metrics.asking import in_steps, not_one, read_from, unable, wrong_query
from crossfade.base.clock import Clock
from crossfade.base.errors import CrossfadeError, Denied, Unavailable
from crossfade.core.analysis.counters import Reading
from crossfade.core.analysis.queries import CloudWatchQuery, CounterQuery, Query
from crossfade.core.analysis.sources import CloudWatchSource
from crossfade.ports.measurements import Ability, Measured, Point, Span
from crossfade.ports.secrets import Secrets

_WHO = "CloudWatch"
_TARGET = "GraniteServiceVersion20100801.GetMetricData"
_MOST_PAGES = 20
_DENIED = ("AccessDenied", "UnrecognizedClient", "Token", "Signature")
_BUSY = ("Throttling", "LimitExceeded", "InternalService", "ServiceUnavailable", "RequestTimeout")


class CloudWatchMeasurements:
    """The Measurements port for one account and region."""

    abilities = frozenset({Ability.MEASURE, Ability.SERIES})

    def __init__(self, source: CloudWatchSource, secrets: Secrets, clock: Clock) -> None:
        self._source, self._secrets, self._clock = source, secrets, clock
        self._http = HttpCaller(source.timeout_seconds)

    async def measure(self, query: Query, now: float) -> Measured:
        """
        Return the results as CloudWatch names them, newest value first.

        One is `{"Id", "Label", "StatusCode", "Timestamps", "Values"}`, as Argo's conditions expect:
        `result[0].Values[0] <= 0.01`.  See the port for errors.
        """
        asked = _own(query)
        results, notes = await self._get(asked, now - asked.interval_seconds, now)
        known = any(each.get("Values") for each in results)
        return Measured(results, known=known, notes=notes)

    async def series(self, query: Query, span: Span) -> tuple[Point, ...]:
        """Return a point for each step; see the port for errors."""
        results, _ = await self._get(_own(query), span.start, span.end + span.step_seconds)
        if len(results) > 1:
            raise not_one(len(results), _WHO)
        with read_from(_WHO):
            times = [_time(at) for each in results for at in each["Timestamps"]]
            values = [float(value) for each in results for value in each["Values"]]
            return in_steps(zip(times, values, strict=True), span)

    async def counts(self, query: CounterQuery, span: Span) -> tuple[Reading, ...]:
        """Refuse: CloudWatch keeps sums per period, not the counters."""
        raise unable(Ability.COUNTS, _WHO)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _get(
        self, query: CloudWatchQuery, start: float, end: float
    ) -> tuple[list[Any], tuple[str, ...]]:
        """Return the results of all pages, and what CloudWatch says about them."""
        found: dict[str, dict[str, Any]] = {}
        notes: list[str] = []
        request: dict[str, Any] = {
            "StartTime": int(start),
            "EndTime": int(end),
            "ScanBy": "TimestampDescending",
            "MetricDataQueries": list(query.queries),
        }
        for _ in range(_MOST_PAGES):
            page = await self._ask(request)
            with read_from(_WHO):
                notes += [str(each["Value"]) for each in page.get("Messages") or []]
                for result in page.get("MetricDataResults") or []:
                    _join(found, result)
            if not page.get("NextToken"):
                return list(found.values()), tuple(notes)
            request["NextToken"] = page["NextToken"]
        raise Unavailable(f"{_WHO} answers in too many pages", hint="ask for a shorter interval")

    async def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        source = self._source
        key_id = await self._secrets.resolve(source.access_key_id)
        secret = await self._secrets.resolve(source.secret_access_key)
        token = None
        if source.session_token is not None:
            token = await self._secrets.resolve(source.session_token)
        address = source.address or f"https://monitoring.{source.region}.amazonaws.com"
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": _TARGET}
        body = json.dumps(request).encode()
        call = Call(f"{address.rstrip('/')}/", "POST", {}, headers, body, (key_id,))
        keys = Keys(key_id.reveal(), secret, token)
        call = signed(call, keys, Scope(source.region, "monitoring"), self._clock.now())
        answer = await self._http.send(call)
        found = answer.json()
        if answer.status != 200:
            raise _refusal(call, answer, found)
        if not isinstance(found, dict):
            raise no_json(call, answer, _WHO)
        return found


def _own(query: Query) -> CloudWatchQuery:
    if not isinstance(query, CloudWatchQuery):
        raise wrong_query(query, _WHO)
    return query


def _join(found: dict[str, dict[str, Any]], result: Mapping[str, Any]) -> None:
    """Add one page of a result to what the pages before had of it."""
    if result.get("StatusCode") in {"InternalError", "Forbidden"}:
        raise Unavailable(
            f"{_WHO} could not measure `{result.get('Id')}`: {result.get('StatusCode')}",
            hint="it is asked again by itself; look at the metric in the console if it goes on",
        )
    known = found.setdefault(str(result.get("Id")), {**result, "Timestamps": [], "Values": []})
    known["Timestamps"] += result.get("Timestamps") or []
    known["Values"] += result.get("Values") or []
    known["StatusCode"] = result.get("StatusCode")


def _refusal(call: Call, answer: Answer, found: object) -> CrossfadeError:
    """Return the error for an answer: AWS says 400 for nearly everything, and why in `__type`."""
    body = found if isinstance(found, dict) else {}
    kind = str(body.get("__type") or "").rpartition("#")[2]
    message = body.get("message") or body.get("Message") or ""
    words = call.shown(f"{kind}: {message}".strip(": "))
    if any(word in kind for word in _DENIED):
        return Denied(
            f"{_WHO} refuses the credentials: {words}",
            hint="check the keys in the secret store, and that they allow cloudwatch:GetMetricData",
            address=call.place,
        )
    if any(word in kind for word in _BUSY):
        return Unavailable(
            f"{_WHO} is busy: {words}", hint="it is asked again by itself", address=call.place
        )
    return refused(call, answer, _WHO, words)


def _time(at: float | str) -> float:
    """Return seconds; CloudWatch gives numbers, and what imitates it may give ISO times."""
    return float(at) if isinstance(at, (int, float)) else datetime.fromisoformat(at).timestamp()
