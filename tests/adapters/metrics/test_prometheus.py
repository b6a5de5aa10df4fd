"""Prometheus; the forms are those that Prometheus 2.42 gave."""

import base64
import math

import pytest

from crossfade.adapters.metrics.prometheus import PrometheusMeasurements
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.counters import Reading, Tally
from crossfade.core.analysis.presets import Arm, Place, Preset, counters
from crossfade.core.analysis.queries import PrometheusQuery
from crossfade.core.analysis.sources import Basic, Bearer, Header, PrometheusSource
from crossfade.ports.measurements import Measured, Span
from crossfade.testing.http_service import Reply

NOW = 1795417241.861
UP = PrometheusQuery("up")
ARMS = (Arm("r1", "colors-r1"), Arm("r2", "colors-r2", 1))
COUNTERS = counters(Preset.ISTIO, Place("aws", "shop"), ARMS)


def success(kind, result, **more):
    return Reply(200, {"status": "success", "data": {"resultType": kind, "result": result}, **more})


def failure(status, kind, words):
    return Reply(status, {"status": "error", "errorType": kind, "error": words})


@pytest.fixture
async def opened(service, secrets):
    """Make the adapter, for a source that may have more than an address."""
    made = []

    def make(**source):
        made.append(PrometheusMeasurements(PrometheusSource(service.address, **source), secrets))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.mark.parametrize(
    ("answer", "measured"),
    [
        (success("scalar", [NOW, "2"]), Measured(2.0)),
        (success("string", [NOW, "text"]), Measured("text")),
        (success("vector", [{"metric": {}, "value": [NOW, "0.25"]}]), Measured([0.25])),
        (
            success("vector", [{"metric": {}, "value": [NOW, v]} for v in ("+Inf", "-Inf")]),
            Measured([math.inf, -math.inf]),
        ),
        (success("vector", []), Measured([], known=False)),
        (
            success("vector", [], warnings=["store a is away"]),
            Measured([], False, None, ("store a is away",)),
        ),
    ],
)
async def test_what_prometheus_answers_is_what_conditions_get(service, opened, answer, measured):
    service.say(answer)
    assert await opened().measure(UP, NOW) == measured
    assert service.asked[0].path == "/api/v1/query"
    assert service.asked[0].query == {"query": "up", "time": "1795417241.861", "timeout": "10s"}


async def test_a_division_by_zero_is_nan_not_zero(service, opened):
    service.say(success("vector", [{"metric": {}, "value": [NOW, "NaN"]}]))
    measured = await opened().measure(UP, NOW)
    assert measured.known
    assert math.isnan(measured.value[0])


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            failure(400, "bad_data", "1:5: parse error: unclosed left parenthesis"),
            InputError,
            "unclosed left parenthesis",
        ),
        (
            failure(422, "execution", "query processing would load too many samples"),
            InputError,
            "too many samples",
        ),
        (
            failure(503, "timeout", "query timed out in expression evaluation"),
            Unavailable,
            "query timed out",
        ),
        (Reply(401, "Unauthorized"), Denied, "Unauthorized"),
        (Reply(502, "<html>Bad Gateway</html>"), Unavailable, "Bad Gateway"),
        (Reply(200, "<html>Log in</html>"), Unavailable, "not Prometheus"),
        (Reply(200, "[]"), Unavailable, "not Prometheus"),
        (
            Reply(200, {"status": "success", "data": {"resultType": "vector", "result": [{}]}}),
            InputError,
            "native histogram",
        ),
        (
            success("vector", [{"metric": {}, "value": [NOW, "many"]}]),
            Unavailable,
            "cannot be read",
        ),
        (success("vector", 7), Unavailable, "cannot be read"),
        (success("matrix", []), InputError, "gives a matrix"),
    ],
)
async def test_what_is_no_measurement_is_an_error_with_the_words_of_the_server(
    service, opened, answer, error, words
):
    service.say(answer)
    with pytest.raises(error, match=words) as raised:
        await opened().measure(UP, NOW)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("credentials", "header", "value"),
    [
        (Bearer(SecretRef("token")), "authorization", "Bearer t0k3n"),
        (
            Basic("me", SecretRef("token")),
            "authorization",
            "Basic " + base64.b64encode(b"me:t0k3n").decode(),
        ),
        (Header("X-Key", SecretRef("token")), "x-key", "t0k3n"),
    ],
)
async def test_credentials_come_from_the_secret_store_and_are_in_no_error(
    service, opened, credentials, header, value
):
    prometheus = opened(credentials=credentials, headers={"X-Scope-OrgID": "team"})
    service.answer = lambda asked: Reply(403, f"no: {asked.headers.get(header)}")
    with pytest.raises(Denied) as raised:
        await prometheus.measure(UP, NOW)
    assert service.asked[0].headers[header] == value
    assert service.asked[0].headers["x-scope-orgid"] == "team"
    for secret in ("t0k3n", value.split()[-1]):
        assert secret not in str(raised.value)
    assert "***" in str(raised.value)


async def test_a_proxy_that_lets_only_reads_pass_is_asked_with_get(service, opened):
    answers = {"POST": Reply(405), "GET": success("scalar", [NOW, "1"])}
    service.answer = lambda asked: answers[asked.method]
    prometheus = opened()
    assert (await prometheus.measure(UP, NOW)).value == 1.0
    assert (await prometheus.measure(UP, NOW)).value == 1.0
    assert [each.method for each in service.asked] == ["POST", "GET", "GET"]


async def test_a_series_has_a_point_for_each_step_and_nan_where_there_is_nothing(service, opened):
    service.say(
        success("matrix", [{"metric": {}, "values": [[100, "1"], [160.001, "NaN"], [220, "3"]]}])
    )
    points = await opened().series(UP, Span(100, 280, 60))
    assert [each.at for each in points] == [100, 160, 220, 280]
    assert [str(each.value) for each in points] == ["1.0", "nan", "3.0", "nan"]
    assert service.asked[0].query["step"] == "60"


async def test_several_series_are_refused_and_not_mixed(service, opened):
    service.say(
        success(
            "matrix", [{"metric": {"a": "1"}, "values": []}, {"metric": {"a": "2"}, "values": []}]
        )
    )
    with pytest.raises(InputError, match="2 series"):
        await opened().series(UP, Span(100, 280, 60))


def series(service, code, *values, instance="gw-1", **more):
    labels = {
        "destination_service_name": service,
        "response_code": code,
        "instance": instance,
        **more,
    }
    return {"metric": labels, "values": [[at, str(value)] for at, value in values]}


async def test_counters_are_read_as_they_were_scraped_so_that_a_dead_target_is_silent(
    service, opened
):
    service.say(success("matrix", []))
    assert await opened().counts(COUNTERS, Span(100, 130)) == ()
    asked = service.asked[0].query
    assert asked["query"].endswith(
        'destination_service_name=~"colors\\\\-r1|colors\\\\-r2"}[30000ms]'
    )
    assert asked["time"] == "130.000"


async def test_totals_of_a_process_add_up_over_codes_at_each_scrape(service, opened):
    service.say(
        success(
            "matrix",
            [
                series("colors-r2", "200", (100, 90), (115, 180)),
                series("colors-r2", "503", (115, 4)),
                series("colors-r2", "0", (115, 1)),
                series("colors-r2", "404", (100, 10), (115, 20)),
                series("colors-r2", "200", (101, 7), instance="gw-2"),
                series("colors-r1", "200", (100, 5)),
                series("another", "200", (100, 5)),
            ],
        )
    )
    assert await opened().counts(COUNTERS, Span(100, 130)) == (
        Reading("r1", "gw-1/", 100.0, Tally(5, {"errors": 0})),
        Reading("r2", "gw-1/", 100.0, Tally(100, {"errors": 0})),
        Reading("r2", "gw-2/", 101.0, Tally(7, {"errors": 0})),
        Reading("r2", "gw-1/", 115.0, Tally(205, {"errors": 5})),
    )


def latency_answer(asked):
    if "_bucket" not in asked.query["query"]:
        return success("matrix", [series("colors-r2", "200", (100, 10))])
    buckets = [
        series("colors-r2", "200", (100, n), le=le)
        for le, n in (("100", 6), ("250", 9), ("+Inf", 10))
    ]
    return success("matrix", buckets)


async def test_slow_requests_are_those_above_an_edge_of_the_histogram(service, opened):
    service.answer = latency_answer
    query = counters(Preset.ISTIO, Place("aws", "shop"), ARMS, (0.1, 0.25))
    (reading,) = await opened().counts(query, Span(100, 130))
    assert reading.totals.events == {"errors": 0, "slower-100ms": 4, "slower-250ms": 1}


async def test_an_edge_that_the_histogram_does_not_have_is_refused_with_those_it_has(
    service, opened
):
    service.answer = latency_answer
    query = counters(Preset.ISTIO, Place("aws", "shop"), ARMS, (0.3,))
    with pytest.raises(InputError, match=r"no edge at 0\.3 s") as raised:
        await opened().counts(query, Span(100, 130))
    assert raised.value.hint.endswith("0.1, 0.25")


async def test_a_selector_that_gives_no_samples_is_refused(service, opened):
    service.say(success("vector", []))
    with pytest.raises(InputError, match="no series of samples"):
        await opened().counts(COUNTERS, Span(100, 130))
