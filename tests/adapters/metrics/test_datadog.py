"""Datadog's v1 and v2 query APIs."""

import pytest

from crossfade.adapters.metrics.datadog import DatadogMeasurements
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.queries import DatadogQuery
from crossfade.core.analysis.sources import DatadogSource
from crossfade.ports.measurements import Measured, Span
from crossfade.testing.http_service import Reply

NOW = 10_000.0
ONE = DatadogQuery("avg:requests.error.rate{service:colors}")
TWO = DatadogQuery(
    queries={"a": "sum:errors{*}", "b": "sum:requests{*}"}, formula="a / b", aggregator="sum"
)


@pytest.fixture
async def datadog(service, secrets):
    source = DatadogSource(SecretRef("api-key"), SecretRef("application-key"), service.address)
    made = DatadogMeasurements(source, secrets)
    yield made
    await made.close()


def v1(*series):
    return Reply(200, {"status": "ok", "series": [{"pointlist": points} for points in series]})


def v2(**attributes):
    return Reply(200, {"data": {"type": "scalar_response", "attributes": attributes}})


async def test_the_newest_value_of_a_query_is_measured(service, datadog):
    service.say(v1([[9_900_000, 0.5], [9_960_000, 0.25], [10_000_000, None]]))
    assert await datadog.measure(ONE, NOW) == Measured(0.25)
    asked = service.asked[0]
    assert asked.path == "/api/v1/query"
    assert asked.query == {"query": ONE.text, "from": "9700", "to": "10000"}
    assert asked.headers["dd-api-key"] == "ap1k3y"
    assert asked.headers["dd-application-key"] == "4ppk3y"


@pytest.mark.parametrize("answer", [v1(), v1([]), v1([[1, None]])])
async def test_a_query_without_values_is_not_known_rather_than_zero(service, datadog, answer):
    service.say(answer)
    assert await datadog.measure(ONE, NOW) == Measured(None, known=False)


async def test_a_formula_over_several_queries_goes_to_the_v2_api(service, datadog):
    service.say(v2(columns=[{"type": "number", "values": [0.125]}]))
    assert await datadog.measure(TWO, NOW) == Measured(0.125)
    asked = service.asked[0]
    assert (asked.method, asked.path) == ("POST", "/api/v2/query/scalar")
    attributes = asked.json()["data"]["attributes"]
    assert attributes["formulas"] == [{"formula": "a / b"}]
    assert (attributes["from"], attributes["to"]) == (9_700_000, 10_000_000)
    assert attributes["queries"][0] == {
        "name": "a",
        "query": "sum:errors{*}",
        "data_source": "metrics",
        "aggregator": "sum",
    }


@pytest.mark.parametrize(
    "columns", [[], [{"type": "number", "values": []}], [{"type": "number", "values": [None]}]]
)
async def test_a_formula_without_a_value_is_not_known(service, datadog, columns):
    service.say(v2(columns=columns))
    assert await datadog.measure(TWO, NOW) == Measured(None, known=False)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (ONE, v1([[1, 1.0]], [[1, 2.0]])),
        (TWO, v2(columns=[{"type": "group"}, {"type": "number", "values": [1, 2]}])),
    ],
)
async def test_several_series_are_refused_and_the_first_is_not_guessed(
    service, datadog, query, answer
):
    service.say(answer)
    with pytest.raises(InputError, match="2 series"):
        await datadog.measure(query, NOW)


async def test_several_queries_without_a_formula_are_refused_before_anything_is_asked(
    service, datadog
):
    with pytest.raises(InputError, match="no formula"):
        await datadog.measure(DatadogQuery(queries={"a": "x", "b": "y"}), NOW)
    assert service.asked == []


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Reply(403, {"errors": ["Forbidden", "key ap1k3y"]}), Denied, r"Forbidden; key \*\*\*"),
        (Reply(400, {"errors": ["Rule 'scope_expr' didn't match"]}), InputError, "scope_expr"),
        (
            Reply(429, {"errors": ["Rate limit of 300 requests in 3600 seconds reached."]}),
            Unavailable,
            "Rate limit",
        ),
        (
            Reply(200, {"status": "error", "error": "Error parsing query"}),
            InputError,
            "parsing query",
        ),
        (Reply(200, "<html>"), Unavailable, "not Datadog"),
        (
            Reply(200, {"status": "ok", "series": [{"pointlist": [["x"]]}]}),
            Unavailable,
            "cannot be read",
        ),
    ],
)
async def test_refusals_are_told_in_the_words_of_datadog(service, datadog, answer, error, words):
    service.say(answer)
    with pytest.raises(error, match=words):
        await datadog.measure(ONE, NOW)


async def test_a_series_is_put_into_the_steps_that_were_asked_for(service, datadog):
    service.say(v1([[100_000, 1.0], [120_000, 3.0], [220_000, 5.0]]))
    points = await datadog.series(ONE, Span(100, 220, 60))
    assert [str(each.value) for each in points] == ["2.0", "nan", "5.0"]


async def test_a_series_of_a_formula_comes_from_the_v2_api(service, datadog):
    service.say(v2(times=[100_000, 160_000], values=[[1.0, None]]))
    points = await datadog.series(TWO, Span(100, 160, 60))
    assert [str(each.value) for each in points] == ["1.0", "nan"]
    assert service.asked[0].json()["data"]["attributes"]["interval"] == 60_000
