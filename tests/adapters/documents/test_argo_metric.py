"""Argo metrics are read as Kubernetes reads them, and wrong ones are refused with the key."""

import json
import math

import pytest

from crossfade.adapters.documents.argo_metric import parse
from crossfade.base.errors import InputError
from crossfade.core.analysis.argo import Measurement, Metric, Phase
from crossfade.core.analysis.expressions import condition


def read(metric, *measurements):
    return parse(json.dumps({"metric": metric, "measurements": measurements}), "metric.json")


def test_every_key_of_a_metric_is_read():
    got = read(
        {
            "name": "success-rate",
            "interval": "5m",
            "initialDelay": "60s",
            "count": "10",
            "successCondition": "result[0] >= 0.95",
            "failureCondition": "result[0] < 0.5",
            "failureLimit": 3,
            "inconclusiveLimit": "2",
            "consecutiveErrorLimit": 5,
            "consecutiveSuccessLimit": 4,
            "provider": {"prometheus": {"query": "up"}},
        }
    )
    expected = Metric(
        "success-rate",
        condition("result[0] >= 0.95"),
        condition("result[0] < 0.5"),
        count=10,
        interval_seconds=300.0,
        initial_delay_seconds=60.0,
        failure_limit=3,
        inconclusive_limit=2,
        consecutive_error_limit=5,
        consecutive_success_limit=4,
    )

    assert (got.metric, got.measurements) == (expected, ())


def test_what_is_left_out_is_as_with_argo():
    assert read({}).metric == Metric("metric")
    assert read({"failureLimit": None, "count": None, "interval": None}).metric == Metric("metric")


def test_the_metric_may_stand_at_the_top():
    text = "name: errors\nfailureLimit: 1\nmeasurements:\n- phase: Failed\n"
    got = parse(text, "metric.yaml")

    assert got.metric == Metric("errors", failure_limit=1)
    assert got.measurements == (Measurement(Phase.FAILED),)


@pytest.mark.parametrize(
    "text",
    [
        "metric: {failureLimit: 1, measurements: [{phase: Failed}], terminating: true}\n",
        "metric: {failureLimit: 1}\nmeasurements: [{phase: Failed}]\nterminating: true\n",
        "failureLimit: 1\nmeasurements: [{phase: Failed}]\nterminating: true\n",
    ],
)
def test_it_does_not_matter_whether_measurements_stand_in_the_metric_or_beside_it(text):
    got = parse(text, "metric.yaml")

    assert got.metric == Metric("metric", failure_limit=1)
    assert got.measurements == (Measurement(Phase.FAILED),)
    assert got.terminating


@pytest.mark.parametrize(
    ("value", "phase"),
    [
        ([0.99], Phase.SUCCESSFUL),
        ([0.90], Phase.FAILED),
        ([], Phase.ERROR),
        (None, Phase.ERROR),
        (["NaN"], Phase.FAILED),
    ],
)
def test_values_are_put_through_the_conditions(value, phase):
    got = read({"successCondition": "result[0] >= 0.95"}, {"value": value})

    assert got.measurements[0].phase is phase


def test_a_phase_wins_over_the_value_beside_it():
    """So that measurements may be copied from the status of a run, where values are texts."""
    status = {
        "phase": "Successful",
        "value": "[0.97]",
        "startedAt": "2026-08-01T10:00:00Z",
        "finishedAt": "2026-08-01T10:00:00Z",
    }
    got = read({"successCondition": "result[0] >= 0.99"}, status)

    assert got.measurements == (Measurement(Phase.SUCCESSFUL, "[0.97]"),)


@pytest.mark.parametrize("word", ["NaN", "+Inf", "-Inf"])
def test_numbers_that_json_cannot_hold_are_numbers(word):
    got = read({"successCondition": "isNaN(result) || isInf(result)"}, {"value": word})

    assert got.measurements[0].phase is Phase.SUCCESSFUL
    assert not math.isfinite(got.measurements[0].value)


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ({"successCondition": "result >"}, "metric.successCondition: ends where a value is wanted (column 9)"),
        ({"failureCondition": "rslt > 1"}, "metric.failureCondition: unknown name rslt (column 1); the measured value is called `result`"),
        ({"failureLimit": -2}, "metric.failureLimit: -2 is not allowed; allowed: a whole number from -1"),
        ({"failureLimit": "some"}, 'metric.failureLimit: "some" is not allowed'),
        ({"count": 1.5}, "metric.count: 1.5 is not allowed"),
        ({"count": True}, "metric.count: true is not allowed"),
        ({"interval": "soon"}, 'metric.interval: "soon" is not allowed'),
        ({"failureLimt": 1}, 'did you mean "failureLimit"?'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_metric_is_told(metric, said):
    with pytest.raises(InputError) as raised:
        read(metric)

    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("measurement", "said"),
    [
        ({}, "measurements[0].phase: is missing; a measurement has a phase or a value"),
        ({"phase": "Broken"}, 'measurements[0].phase: "Broken" is not allowed'),
        ({"phase": "failed"}, 'did you mean "Failed"?'),
        (5, "measurements[0]: 5 is not allowed"),
    ],
)
def test_what_is_wrong_with_a_measurement_is_told(measurement, said):
    with pytest.raises(InputError) as raised:
        read({}, measurement)

    assert said in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "metric: {}\n", "measurements: {}\n", "a: 1\n---\nb: 1\n"]
)
def test_a_file_without_a_metric_and_measurements_is_refused(text):
    with pytest.raises(InputError, match=r"^metric\.yaml"):
        parse(text, "metric.yaml")
