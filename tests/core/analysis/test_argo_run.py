"""Runs end with the worst of their metrics, as in Argo Rollouts."""

import pytest

from crossfade.core.analysis.argo import Counters, Measurement, Metric, Phase, Result
from crossfade.core.analysis.argo_run import (
    Summary,
    assess_run,
    is_terminating,
)

S, F, I, E, R = Phase.SUCCESSFUL, Phase.FAILED, Phase.INCONCLUSIVE, Phase.ERROR, Phase.RUNNING  # noqa: E741


def metrics(dry_run=(), **limits):
    return [Metric(name, dry_run=name in dry_run, **limits) for name in ("first", "second")]


def ended(phase, message="", **counters):
    return Result(phase, Counters(**counters), (), message)


def measured(phase, message="", **counters):
    return Result(R, Counters(**counters), (Measurement(phase, message=message, finished_at=0.0),))


def run(first, second, terminate=False, dry_run=()):
    results = {"first": first, "second": second}
    given = {name: result for name, result in results.items() if result is not None}
    return assess_run(metrics(dry_run), given, terminate)


def test_a_run_goes_on_while_a_metric_does():
    got = run(ended(S), ended(R))

    assert (got.phase, got.message) == (R, "")


def test_a_run_goes_on_while_a_metric_has_not_begun():
    assert run(ended(S), None).phase is R


def test_a_run_ends_as_its_worst_metric():
    assert run(ended(S), ended(F)).phase is F


@pytest.mark.parametrize(
    ("first", "second", "worst"),
    [(S, I, I), (I, E, E), (E, F, F), (F, E, F), (F, S, F), (S, S, S)],
)
def test_the_order_from_good_to_bad(first, second, worst):
    assert run(ended(first), ended(second)).phase is worst


def test_a_failure_waits_for_a_measurement_that_is_in_flight():
    flying = Result(R, Counters(), (Measurement(R),))
    got = run(flying, measured(F, count=1, failed=1))

    assert (got.phase, got.message) == (R, "")
    assert got.results["second"].phase is F


def test_a_metric_that_failed_ends_the_others_with_the_next_look():
    endless = [Metric("first", interval_seconds=60), Metric("second")]
    results = {
        "first": measured(S, count=1, successful=1),
        "second": measured(F, count=1, failed=1),
    }
    first = assess_run(endless, results)
    second = assess_run(endless, first.results)

    assert first.phase is R
    assert is_terminating(endless, first.results)
    assert second.phase is F
    assert second.results["first"].phase is S


def test_a_metric_that_breaks_its_own_limit_at_the_end_is_not_a_success():
    got = run(ended(F, failed=1), measured(F, count=1, failed=1))

    assert got.results["second"].phase is F


def test_the_broken_limit_is_told():
    got = run(ended(S), ended(F, failed=1))

    assert got.message == 'Metric "second" assessed Failed due to failed (1) > failureLimit (0)'
    assert got.summary == Summary(count=2, successful=1, failed=1)


def test_what_the_source_said_is_told():
    got = run(ended(S), measured(F, "no route to it", count=1, failed=1))

    assert got.message.endswith('failureLimit (0): "Error Message: no route to it"')


def test_of_two_failures_the_first_is_told():
    got = run(ended(F, failed=1), ended(F, failed=1))

    assert got.message == 'Metric "first" assessed Failed due to failed (1) > failureLimit (0)'


BOTH = ("first", "second")


def test_metrics_in_a_dry_run_have_no_say():
    got = run(ended(F, failed=1), measured(F, count=1, failed=1), dry_run=BOTH)

    assert (got.phase, got.message) == (S, "")
    assert got.dry_run_summary == Summary(count=2, failed=2)
    assert got.summary == Summary()
    said = {each.message for each in got.results.values()}
    assert said == {"Metric assessed Failed due to failed (1) > failureLimit (0)"}


def test_metrics_in_a_dry_run_do_not_end_the_others():
    assert not is_terminating(metrics(BOTH), {"first": ended(F), "second": ended(E)})


def test_one_metric_in_a_dry_run_leaves_the_say_to_the_other():
    got = run(measured(I, count=1, inconclusive=1), ended(S, failed=1), dry_run=("second",))

    assert got.phase is I
    assert "first" in got.message


def test_a_run_that_is_told_to_end_before_it_began_has_succeeded():
    got = run(None, None, terminate=True)

    assert (got.phase, got.message) == (S, "Run Terminated")


def test_a_run_that_is_told_to_end_keeps_what_was_bad():
    assert run(ended(F, failed=1), None, terminate=True).phase is F
