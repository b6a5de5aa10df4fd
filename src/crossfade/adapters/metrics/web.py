"""Any JSON over HTTP."""

import json

from crossfade.adapters.http.caller import Call, HttpCaller, no_json, refused
from crossfade.adapters.metrics.asking import unable, wrong_query
from crossfade.base.secrets import Secret, SecretRef
from crossfade.core.analysis.counters import Reading
from crossfade.core.analysis.json_path import parse_path
from crossfade.core.analysis.queries import CounterQuery, Query, WebQuery
from crossfade.core.analysis.sources import WebSource
from crossfade.ports.measurements import Ability, Measured, Point, Span
from crossfade.ports.secrets import Secrets

_WHO = "the web service"


class WebMeasurements:
    """The Measurements port for services that answer with JSON."""

    abilities = frozenset({Ability.MEASURE})

    def __init__(self, source: WebSource, secrets: Secrets) -> None:
        self._secrets = secrets
        self._http = HttpCaller(ca_file=source.ca_file)

    async def measure(self, query: Query, now: float) -> Measured:
        """Return what is at the query's path of the answer; see the port for errors."""
        if not isinstance(query, WebQuery):
            raise wrong_query(query, _WHO)
        path = parse_path(query.path)
        call = await self._call(query)
        answer = await self._http.send(call, query.timeout_seconds)
        if not 200 <= answer.status < 300:
            raise refused(call, answer, _WHO)
        try:
            document = json.loads(answer.text)
        except ValueError:
            raise no_json(call, answer, "a service that gives JSON") from None
        there, value = path.find(document)
        return Measured(value, known=there and value is not None)

    async def series(self, query: Query, span: Span) -> tuple[Point, ...]:
        """Refuse: a service tells what is, not what was."""
        raise unable(Ability.SERIES, _WHO)

    async def counts(self, query: CounterQuery, span: Span) -> tuple[Reading, ...]:
        """Refuse: there is no one form for counters in JSON."""
        raise unable(Ability.COUNTS, _WHO)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _call(self, query: WebQuery) -> Call:
        headers: dict[str, str] = {"Accept": "application/json"}
        secrets: list[Secret] = []
        for name, value in query.headers.items():
            if isinstance(value, SecretRef):
                secrets.append(await self._secrets.resolve(value))
                headers[name] = secrets[-1].reveal()
            else:
                headers[name] = value
        body = b""
        if query.body is not None:
            text = query.body if isinstance(query.body, str) else json.dumps(query.body)
            body = text.encode()
            if not isinstance(query.body, str):
                headers.setdefault("Content-Type", "application/json")
        return Call(query.url, query.method, {}, headers, body, tuple(secrets))
