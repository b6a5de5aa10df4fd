"""What every implementation of the Measurements port does."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from crossfade.adapters.http.caller import Answer, HttpCaller
from crossfade.adapters.metrics.cloudwatch import CloudWatchMeasurements
from crossfade.adapters.metrics.datadog import DatadogMeasurements
from crossfade.adapters.metrics.job import JobMeasurements
from crossfade.adapters.metrics.prometheus import PrometheusMeasurements
from crossfade.adapters.metrics.web import WebMeasurements
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.queries import (
    CloudWatchQuery,
    CounterQuery,
    CounterSeries,
    DatadogQuery,
    JobQuery,
    PrometheusQuery,
    WebQuery,
)
from crossfade.core.analysis.sources import (
    Bearer,
    CloudWatchSource,
    DatadogSource,
    PrometheusSource,
    WebSource,
)
from crossfade.ports.measurements import Ability, Measurements, Span
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_measurements import FakeMeasurements
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.http_service import HttpService, Reply, http_service

TOKEN = SecretRef("token")
SPAN = Span(100, 160, 60)
COUNTERS = CounterQuery(
    "aws", {"colors-r1": "r1"}, (CounterSeries('requests{v=~"{{arms}}"}', "v"),), "code", "5.."
)


@dataclass
class Source:
    """A source of metrics, and what a test arranges behind it."""

    measurements: Measurements
    query: Any
    value: object
    """What it is to answer."""
    set: Callable[[str], None]
    """Have it answer with `value`, with `nothing`, with `silence` or with `refusal`."""


ANSWERS = {
    "prometheus": (
        {
            "status": "success",
            "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "0.5"]}]},
        },
        {"status": "success", "data": {"resultType": "vector", "result": []}},
    ),
    "datadog": (
        {"status": "ok", "series": [{"pointlist": [[1000, 0.5]]}]},
        {"status": "ok", "series": []},
    ),
    "cloudwatch": (
        {
            "MetricDataResults": [
                {"Id": "a", "Values": [0.5], "Timestamps": [1.0], "StatusCode": "Complete"}
            ]
        },
        {"MetricDataResults": []},
    ),
    "web": ({"a": 0.5}, {}),
}


def over_http(kind: str, service: HttpService, secrets: FakeSecrets) -> Source:
    """Return an adapter that asks the service."""
    there, nothing = ANSWERS[kind]

    def arrange(what):
        match what:
            case "value":
                service.say(Reply(200, there))
            case "nothing":
                service.say(Reply(200, nothing))
            case "refusal":
                service.say(Reply(403, "not with t0k3n"))
            case "silence":
                service.say(Reply(503, "down"))

    match kind:
        case "prometheus":
            made = PrometheusMeasurements(PrometheusSource(service.address, Bearer(TOKEN)), secrets)
            return Source(made, PrometheusQuery("a"), [0.5], arrange)
        case "datadog":
            made = DatadogMeasurements(DatadogSource(TOKEN, TOKEN, service.address), secrets)
            return Source(made, DatadogQuery("a"), 0.5, arrange)
        case "cloudwatch":
            source = CloudWatchSource("eu-west-1", TOKEN, TOKEN, None, service.address)
            made = CloudWatchMeasurements(source, secrets, FakeClock())
            value = [{"Id": "a", "Values": [0.5], "Timestamps": [1.0], "StatusCode": "Complete"}]
            return Source(made, CloudWatchQuery(({"Id": "a"},)), value, arrange)
        case _:
            made = WebMeasurements(WebSource(), secrets)
            query = WebQuery(service.address, headers={"Authorization": TOKEN}, path="$.a")
            return Source(made, query, 0.5, arrange)


class JobsThatEnd:
    """A cluster whose Jobs have ended by the time that they are looked at."""

    state = "value"

    async def find(self, path: str) -> None:
        """Return nothing: there is no such Job yet."""
        if self.state == "silence":
            raise Unavailable("away", hint="wait")
        if self.state == "refusal":
            raise Denied("no", hint="log in")

    async def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Accept the Job."""
        return body

    async def get(self, path: str) -> dict[str, Any]:
        """Return the Job as it ended."""
        return {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}

    async def delete(self, path: str) -> None:
        """Accept it."""


def fake() -> Source:
    made = FakeMeasurements()

    def arrange(what):
        made.silent, made.denied = what == "silence", what == "refusal"
        made.values = {"a": 0.5} if what == "value" else {}

    return Source(made, PrometheusQuery("a"), 0.5, arrange)


def job() -> Source:
    cluster = JobsThatEnd()
    made = JobMeasurements(lambda _: cluster)
    query = JobQuery("a", {}, "aws")
    value = {"phase": "Successful", "message": ""}
    return Source(made, query, value, lambda what: setattr(cluster, "state", what))


@pytest.fixture(params=["memory", "job", *ANSWERS])
async def source(request):
    """Every source of metrics."""
    if request.param in ANSWERS:
        async with http_service() as service:
            made = over_http(request.param, service, FakeSecrets(token="t0k3n"))
            yield made
            await made.measurements.close()
    else:
        yield fake() if request.param == "memory" else job()


async def test_what_the_source_has_is_measured(source):
    source.set("value")
    measured = await source.measurements.measure(source.query, 200.0)
    assert measured.value == source.value
    assert measured.known


async def test_a_source_that_has_nothing_gives_no_zero(source):
    if isinstance(source.query, JobQuery):
        pytest.skip("a Job that runs to its end always has an outcome")
    source.set("nothing")
    assert (await source.measurements.measure(source.query, 200.0)).known is False


async def test_a_source_that_is_silent_is_unavailable_with_a_hint(source):
    source.set("silence")
    with pytest.raises(Unavailable) as raised:
        await source.measurements.measure(source.query, 200.0)
    assert not isinstance(raised.value, Denied)
    assert raised.value.hint


async def test_a_source_that_refuses_our_credentials_says_so_without_showing_them(source):
    source.set("refusal")
    with pytest.raises(Denied) as raised:
        await source.measurements.measure(source.query, 200.0)
    assert "t0k3n" not in str(raised.value)


async def test_a_query_for_another_kind_of_source_is_refused(source):
    if isinstance(source.measurements, FakeMeasurements):
        pytest.skip("the fake takes every query")
    other = (
        WebQuery("http://x") if isinstance(source.query, PrometheusQuery) else PrometheusQuery("a")
    )
    with pytest.raises(InputError, match=type(other).__name__):
        await source.measurements.measure(other, 200.0)


def anything(random, depth=0):
    """Return JSON of any form, often with the keys that sources use."""
    scalars = [
        None,
        True,
        0,
        -1.5,
        "",
        "x",
        "NaN",
        "success",
        "vector",
        "matrix",
        1e308,
        "2026-11-23T08:00:00Z",
    ]
    if depth > 5 or random.random() < 0.25:
        return random.choice(scalars)
    if random.random() < 0.4:
        return [anything(random, depth + 1) for _ in range(random.randrange(4))]
    keys = random.sample(KEYS, random.randrange(6))
    return {key: anything(random, depth + 1) for key in keys}


KEYS = [
    *("status", "data", "resultType", "result", "metric", "value", "values", "warnings", "error"),
    *(
        "series",
        "pointlist",
        "attributes",
        "columns",
        "times",
        "type",
        "errors",
        "MetricDataResults",
    ),
    *(
        "Id",
        "Timestamps",
        "Values",
        "StatusCode",
        "Messages",
        "NextToken",
        "__type",
        "message",
        "a",
    ),
]


def answer(random, kind):
    """Return an answer of any form, often one that looks right at first."""
    body = anything(random)
    if isinstance(body, dict) and random.random() < 0.8:
        body |= {"status": "success", "errors": None, "error": None}
    if isinstance(body, dict) and kind == "prometheus" and random.random() < 0.8:
        series = {key: anything(random) for key in ("metric", "value", "values")}
        labels = {"v": "colors-r1", "code": anything(random)}
        result = random.choice([anything(random), [series], [{**series, "metric": labels}]])
        kinds = ["vector", "matrix", "scalar"]
        body["data"] = {"resultType": random.choice(kinds), "result": result}
    return Answer(random.choice([200] * 9 + [400]), json.dumps(body), {})


@pytest.mark.parametrize("kind", ANSWERS)
async def test_no_answer_of_whatever_form_is_a_crash(kind, monkeypatch):
    random = Random(7)  # noqa: S311 - the same answers each time

    async def send(*_):
        return answer(random, kind)

    monkeypatch.setattr(HttpCaller, "send", send)
    source = over_http(kind, HttpService("http://x"), FakeSecrets(token="t0k3n"))
    for _ in range(700):
        with suppress(InputError, Unavailable):
            await source.measurements.measure(source.query, 200.0)
        with suppress(InputError, Unavailable):
            await source.measurements.series(source.query, SPAN)
        with suppress(InputError, Unavailable):
            await source.measurements.counts(COUNTERS, SPAN)


async def test_a_series_has_a_point_for_every_step_or_is_refused(source):
    source.set("nothing")
    if Ability.SERIES in source.measurements.abilities:
        points = await source.measurements.series(source.query, SPAN)
        assert [each.at for each in points] == [100, 160]
        assert all(each.value != each.value for each in points)
    else:
        with pytest.raises(InputError, match="series"):
            await source.measurements.series(source.query, SPAN)


async def test_counters_without_samples_are_no_readings_or_are_refused(source):
    if Ability.COUNTS not in source.measurements.abilities:
        with pytest.raises(InputError, match="counts"):
            await source.measurements.counts(COUNTERS, SPAN)
        return
    source.set("silence")
    with pytest.raises(Unavailable):
        await source.measurements.counts(COUNTERS, SPAN)
