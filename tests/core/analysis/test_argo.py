"""Metrics end as they end in Argo Rollouts, and are measured when they are there."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.analysis.argo import (
    Counters,
    Measurement,
    Metric,
    Phase,
    Result,
    assess,
    assess_result,
    measure,
    next_measurement_at,
)
from crossfade.core.analysis.expressions import condition

S, F, I, E, R = Phase.SUCCESSFUL, Phase.FAILED, Phase.INCONCLUSIVE, Phase.ERROR, Phase.RUNNING  # noqa: E741
PENDING = Phase.PENDING


def metric(success="", failure="", **limits):
    conditions = [condition(text) if text else None for text in (success, failure)]
    return Metric("latency", *conditions, **limits)


@pytest.mark.parametrize(
    ("success", "failure", "phase"),
    [
        ("true", "false", S),
        ("true", "true", F),
        ("false", "false", I),
        ("false", "true", F),
        ("", "false", S),
        ("", "true", F),
        ("true", "", S),
        ("false", "", F),
        ("", "", S),
        ("unknown == true", "true", E),
        ("true", "unknown == true", E),
    ],
)
def test_one_measurement(success, failure, phase):
    if "unknown" in success + failure:  # known to fail when it is answered only
        success, failure = (
            success.replace("unknown", "result.x"),
            failure.replace("unknown", "result.x"),
        )
    assert measure(metric(success, failure), True).phase is phase


@pytest.mark.parametrize("value", [None, []])
@pytest.mark.parametrize(("name", "conditions"), [("success", ("result[0] > 1", "")), ("failure", ("true", "result[0] > 1"))])  # fmt: skip
def test_a_source_without_data_is_an_error_that_says_so(value, name, conditions):
    got = measure(metric(*conditions), value)

    assert got.phase is E
    assert got.message.startswith(f'could not evaluate {name}Condition "result[0] > 1"')
    assert "nil or empty" in got.message


def test_what_does_not_fit_is_an_error_with_the_place():
    got = measure(metric("result >= 95"), "99")

    assert got.message.endswith("`>=` compares a text with a number (column 8)")


@pytest.mark.parametrize(
    ("conditions", "phase"),
    [
        pytest.param(("isNaN(result) || result >= 0.95", ""), S, id="no-number-is-good"),
        pytest.param(("result >= 0.95", "result < 0.95"), I, id="no-number-is-unclear"),
        pytest.param(("result >= 0.95", ""), F, id="no-number-is-bad"),
    ],
)
def test_what_a_query_without_samples_means_is_up_to_the_conditions(conditions, phase):
    assert measure(metric(*conditions), math.nan).phase is phase


def counted(last, **counters):
    """Return a result with these counters, as they are in the status of a run."""
    return Result(R, Counters(**counters), (Measurement(last, finished_at=0.0),))


ENDLESS = {"interval_seconds": 60.0}
ROW_3 = {"failed": 3, "successful": 4, "consecutive_success": 3, "count": 7}


def both(failed, successful, in_a_row):
    return {"failed": failed, "successful": successful, "count": failed + successful, "consecutive_success": in_a_row}  # fmt: skip


# limits, counters, phase, phase when the run is terminating
ASSESSED = {
    "more-failures-than-allowed": ({"failure_limit": 2}, {"failed": 3, "count": 3}, F, F),
    "as-many-failures-as-allowed": ({"failure_limit": 3}, {"failed": 3, "count": 3}, R, S),
    "enough-in-a-row": ({"failure_limit": -1, "consecutive_success_limit": 3}, ROW_3, S, S),
    "not-enough-in-a-row": ({"failure_limit": -1, "consecutive_success_limit": 5}, ROW_3, R, S),
    "not-enough-in-a-row-at-the-end": ({"failure_limit": -1, "consecutive_success_limit": 5, "count": 7}, ROW_3, F, F),
    "enough-in-a-row-at-the-end": ({"failure_limit": -1, "consecutive_success_limit": 3, "count": 7}, ROW_3, S, S),
    "enough-in-a-row-before-the-end": ({"failure_limit": -1, "consecutive_success_limit": 3, "count": 9}, ROW_3, S, S),
    "not-enough-before-the-end": ({"failure_limit": -1, "consecutive_success_limit": 5, "count": 9}, ROW_3, R, S),
    "neither-limit": ({"failure_limit": 4, "consecutive_success_limit": 4}, both(3, 4, 3), R, S),
    "failures": ({"failure_limit": 4, "consecutive_success_limit": 4}, both(5, 9, 0), F, F),
    "in-a-row": ({"failure_limit": 4, "consecutive_success_limit": 4}, both(3, 5, 4), S, S),
    "failures-win-over-in-a-row": ({"failure_limit": 4, "consecutive_success_limit": 4}, both(5, 5, 4), F, F),
    "neither-limit-at-the-end": ({"failure_limit": 4, "consecutive_success_limit": 4, "count": 10}, both(4, 6, 3), I, I),
    "failures-at-the-end": ({"failure_limit": 4, "consecutive_success_limit": 4, "count": 10}, both(5, 5, 3), F, F),
    "in-a-row-at-the-end": ({"failure_limit": 4, "consecutive_success_limit": 4, "count": 10}, both(4, 6, 4), S, S),
    "both-at-the-end": ({"failure_limit": 4, "consecutive_success_limit": 4, "count": 10}, both(5, 5, 4), F, F),
    "neither-before-the-end": ({"failure_limit": 4, "consecutive_success_limit": 4, "count": 10}, both(3, 5, 3), R, S),
    "failures-before-the-end": ({"failure_limit": 4, "consecutive_success_limit": 4, "count": 10}, both(5, 3, 3), F, F),
    "in-a-row-before-the-end": ({"failure_limit": 4, "consecutive_success_limit": 4, "count": 10}, both(3, 5, 4), S, S),
    "too-much-unclear": ({"inconclusive_limit": 2}, {"inconclusive": 3, "count": 3}, I, I),
    "as-unclear-as-allowed": ({"inconclusive_limit": 3}, {"inconclusive": 3, "count": 3}, R, S),
    "too-many-errors-in-a-row": ({}, {"consecutive_error": 5, "count": 5}, E, E),
    "as-many-errors-as-allowed": ({}, {"consecutive_error": 4, "count": 5}, R, S),
    "all-taken": ({"count": 10}, {"successful": 10, "count": 10}, S, S),
    "all-taken-but-unclear": ({"count": 10}, {"successful": 5, "inconclusive": 5, "count": 10}, I, I),
    "unclear-overrides-failed": ({}, {"failed": 1, "inconclusive": 1, "count": 2}, I, I),
    "errors-override-both": ({}, {"failed": 1, "inconclusive": 1, "count": 2, "consecutive_error": 5}, E, E),
    "unclear-within-its-limit-leaves-failed": ({"inconclusive_limit": 1}, {"failed": 1, "inconclusive": 1, "count": 2}, F, F),
}  # fmt: skip


@pytest.mark.parametrize("name", ASSESSED)
def test_the_phase_of_a_metric(name):
    limits, counters, phase, terminating = ASSESSED[name]
    one, result = metric(**ENDLESS | limits), counted(S, **counters)

    assert assess_result(one, result).phase is phase
    assert assess_result(one, result, terminating=True).phase is terminating


def taken(phases):
    return [Measurement(phase, finished_at=0.0) for phase in phases]


@pytest.mark.parametrize(
    ("phases", "limits", "phase"),
    [
        pytest.param([], {}, PENDING, id="none-yet"),
        pytest.param([S], {}, S, id="one-without-interval"),
        pytest.param([F], {}, F, id="one-bad-without-interval"),
        pytest.param([S], ENDLESS, R, id="one-of-many"),
        pytest.param([S, S], {"count": 2}, S, id="count"),
        pytest.param([E], {}, R, id="errors-do-not-use-up-the-count"),
        pytest.param([E, E, S], {}, S, id="a-retry-ends-it"),
        pytest.param([E] * 5, {}, E, id="five-errors"),
        pytest.param([E, E, E, S, E, E, E, E], ENDLESS, R, id="errors-in-a-row-only"),
        pytest.param([E, E, E, F, E, E, E, E], {"failure_limit": 1, **ENDLESS}, R, id="a-failure-ends-errors"),
        pytest.param([F, S, F, S, F], {"failure_limit": 2, **ENDLESS}, F, id="failures-in-all"),
        pytest.param([S, S, F, S, S], {"failure_limit": 1, "consecutive_success_limit": 3, **ENDLESS}, R, id="a-failure-breaks-the-row"),
        pytest.param([S, S, E, S], {"consecutive_success_limit": 3, **ENDLESS}, R, id="an-error-breaks-the-row"),
        pytest.param([S, R], {}, R, id="in-flight"),
        pytest.param([F, R], {}, R, id="in-flight-after-a-failure"),
    ],
)  # fmt: skip
def test_the_phase_after_measurements(phases, limits, phase):
    assert assess(metric(**limits), taken(phases)).phase is phase


def test_a_metric_in_flight_is_waited_for_even_when_the_run_is_terminating():
    assert assess(metric(), taken([S, R]), terminating=True).phase is R


def test_a_metric_that_was_never_measured_has_succeeded_when_the_run_is_terminating():
    assert assess(metric(), [], terminating=True).phase is S


def test_an_ended_metric_stays_as_it_ended():
    result = Result(S, Counters(failed=9), (Measurement(F),))

    assert assess_result(metric(), result).phase is S


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        (F, "failed (1) > failureLimit (0)"),
        (I, "inconclusive (1) > inconclusiveLimit (0)"),
    ],
)
def test_the_broken_limit_is_told(phase, message):
    assert assess(metric(), taken([phase])).message == message


def test_errors_in_a_row_are_told():
    said = assess(metric(), taken([E] * 5)).message

    assert said == "consecutiveErrors (5) > consecutiveErrorLimit (4)"


@given(st.lists(st.sampled_from([S, F, I, E]), max_size=30), st.integers(1, 12))
def test_what_is_forgotten_does_not_change_the_phase(phases, keep):
    one = metric(failure_limit=2, inconclusive_limit=1, count=20, **ENDLESS)
    result = Result()
    for each in taken(phases):
        result = result.take(each, keep)

    assert len(result.measurements) <= keep
    assert assess_result(one, result).phase is assess(one, taken(phases)).phase


def test_a_measurement_in_flight_is_replaced_by_its_end():
    result = Result.of(taken([S, R, F]))

    assert [each.phase for each in result.measurements] == [S, F]
    assert result.counters == Counters(count=2, successful=1, failed=1)


NOW = 1000.0


def due(one, measurements, started_at=970.0, phase=R):
    result = Result.of(measurements)
    result = Result(phase, result.counters, result.measurements)
    return next_measurement_at(one, result, started_at, NOW)


def done(at, phase=S):
    return [Measurement(phase, finished_at=at)]


def test_the_first_measurement_waits_for_the_delay():
    late = metric(initial_delay_seconds=40, **ENDLESS)

    assert next_measurement_at(metric(), None, 970.0, NOW) == 970.0
    assert next_measurement_at(late, None, 970.0, NOW) == 1010.0
    assert next_measurement_at(late, Result(), None, NOW) == 1040.0


def test_the_next_measurement_comes_after_the_interval():
    assert due(metric(**ENDLESS), done(970.0)) == 1030.0
    assert due(metric(count=3, **ENDLESS), done(970.0) * 2) == 1030.0


def test_no_measurement_follows_the_last_one():
    assert due(metric(), done(970.0)) is None
    assert due(metric(count=2, **ENDLESS), done(970.0) * 2) is None
    assert due(metric(**ENDLESS), done(880.0), phase=S) is None
    assert due(metric(**ENDLESS), [], phase=S) is None


@pytest.mark.parametrize("limits", [{}, {"interval_seconds": 300.0}])
def test_an_error_is_tried_again_after_ten_seconds_whatever_the_interval(limits):
    assert due(metric(**limits), done(NOW, E)) == 1010.0


def test_a_measurement_in_flight_is_looked_at_when_it_says():
    assert due(metric(**ENDLESS), [Measurement(R)]) is None
    assert due(metric(**ENDLESS), [Measurement(R, resume_at=1010.0)]) == 1010.0


@pytest.mark.parametrize(
    ("limits", "objection"),
    [
        ({"consecutive_success_limit": -1}, "consecutiveSuccessLimit must be"),
        ({"failure_limit": -2}, "failureLimit must be"),
        ({"failure_limit": -1}, "needs a consecutiveSuccessLimit"),
        ({"inconclusive_limit": -1}, "inconclusiveLimit must be"),
        ({"consecutive_error_limit": -1}, "consecutiveErrorLimit must be"),
        ({"count": 3, "failure_limit": 2, "consecutive_success_limit": 2, **ENDLESS}, "count must be at least failureLimit"),
        ({"count": 3, "failure_limit": 4, **ENDLESS}, "count must be at least failureLimit"),
        ({"count": 3, "inconclusive_limit": 4, **ENDLESS}, "count must be at least inconclusiveLimit"),
        ({"count": 2}, "needs an interval"),
    ],
)  # fmt: skip
def test_metrics_that_argo_would_refuse_are_known(limits, objection):
    assert any(objection in each for each in metric(**limits).objections)


def test_a_plain_metric_is_not_objected_to():
    assert metric().objections == ()
    assert (
        metric(failure_limit=-1, consecutive_success_limit=3, count=3, **ENDLESS).objections == ()
    )
