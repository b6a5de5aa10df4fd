"""Amazon CloudWatch."""

import pytest

from crossfade.adapters.metrics.cloudwatch import CloudWatchMeasurements
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.queries import CloudWatchQuery
from crossfade.core.analysis.sources import CloudWatchSource
from crossfade.ports.measurements import Span
from crossfade.testing.clock import FakeClock
from crossfade.testing.http_service import Reply

NOW = 1_440_938_160.0
QUERY = CloudWatchQuery(({"Id": "errors", "Expression": "m1 / m2"},))


@pytest.fixture
async def cloudwatch(service, secrets):
    source = CloudWatchSource(
        "eu-west-1",
        SecretRef("key-id"),
        SecretRef("secret-key"),
        SecretRef("session"),
        service.address,
    )
    made = CloudWatchMeasurements(source, secrets, FakeClock(NOW))
    yield made
    await made.close()


def results(*found, **more):
    return Reply(200, {"MetricDataResults": list(found), "Messages": [], **more})


def result(values, times=(), status="Complete", name="errors"):
    return {
        "Id": name,
        "Label": name,
        "StatusCode": status,
        "Values": values,
        "Timestamps": list(times),
    }


async def test_the_results_are_as_conditions_for_cloudwatch_expect_them(service, cloudwatch):
    service.say(results(result([0.01, 0.02], [160.0, 100.0])))
    measured = await cloudwatch.measure(QUERY, NOW)
    assert measured.value[0]["Values"][0] == 0.01
    assert measured.value[0]["Id"] == "errors"
    asked = service.asked[0]
    assert asked.headers["x-amz-target"] == "GraniteServiceVersion20100801.GetMetricData"
    assert asked.headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu-west-1/monitoring/"
    )
    assert asked.headers["x-amz-security-token"] == "s3ss10n"
    assert asked.json() == {
        "StartTime": int(NOW) - 300,
        "EndTime": int(NOW),
        "ScanBy": "TimestampDescending",
        "MetricDataQueries": [{"Id": "errors", "Expression": "m1 / m2"}],
    }


@pytest.mark.parametrize("answer", [results(), results(result([]))])
async def test_a_metric_without_data_is_not_known(service, cloudwatch, answer):
    service.say(answer)
    assert (await cloudwatch.measure(QUERY, NOW)).known is False


async def test_pages_are_put_together(service, cloudwatch):
    service.say(
        results(result([3.0], [220.0], "PartialData"), NextToken="more"),
        results(result([1.0], [100.0])),
    )
    points = await cloudwatch.series(QUERY, Span(100, 220, 60))
    assert [str(each.value) for each in points] == ["1.0", "nan", "3.0"]
    assert service.asked[1].json()["NextToken"] == "more"


async def test_pages_without_end_are_given_up(service, cloudwatch):
    service.say(results(NextToken="more"))
    with pytest.raises(Unavailable, match="too many pages"):
        await cloudwatch.measure(QUERY, NOW)


async def test_what_cloudwatch_says_of_a_result_is_kept(service, cloudwatch):
    service.say(
        results(result([1.0], [1.0]), Messages=[{"Code": "a", "Value": "too many metrics"}])
    )
    assert (await cloudwatch.measure(QUERY, NOW)).notes == ("too many metrics",)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (
            Reply(
                400,
                {
                    "__type": "com.amazonaws.cloudwatch#InvalidParameterValueException",
                    "message": "The value m1 is bad",
                },
            ),
            InputError,
            "The value m1 is bad",
        ),
        (
            Reply(
                400,
                {
                    "__type": "com.amazon.coral.service#AccessDeniedException",
                    "Message": "not authorized",
                },
            ),
            Denied,
            "not authorized",
        ),
        (
            Reply(
                400,
                {"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "s3ss10n"},
            ),
            Denied,
            r"\*\*\*",
        ),
        (
            Reply(403, {"__type": "InvalidSignatureException", "message": "The request signature"}),
            Denied,
            "signature",
        ),
        (
            Reply(400, {"__type": "ThrottlingException", "message": "Rate exceeded"}),
            Unavailable,
            "Rate exceeded",
        ),
        (Reply(500, {"__type": "InternalServiceFault"}), Unavailable, "InternalServiceFault"),
        (Reply(200, "<xml/>"), Unavailable, "not CloudWatch"),
        (results(result([], status="InternalError")), Unavailable, "InternalError"),
        (Reply(200, {"MetricDataResults": [3]}), Unavailable, "cannot be read"),
    ],
)
async def test_refusals_are_told_apart_though_aws_says_400_to_all(
    service, cloudwatch, answer, error, words
):
    service.say(answer)
    with pytest.raises(error, match=words) as raised:
        await cloudwatch.measure(QUERY, NOW)
    for secret in ("s3cr3t", "s3ss10n", "AKID"):
        assert secret not in str(raised.value)


async def test_several_results_are_no_series(service, cloudwatch):
    service.say(results(result([1.0], [100.0]), result([1.0], [100.0], name="other")))
    with pytest.raises(InputError, match="2 series"):
        await cloudwatch.series(QUERY, Span(100, 220, 60))
