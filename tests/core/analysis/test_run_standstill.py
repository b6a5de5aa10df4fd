"""While users move between clusters, other systems' figures count for nobody, and no time runs."""

from crossfade.core.analysis.argo import Phase
from crossfade.core.analysis.kayenta import Metric
from crossfade.core.analysis.queries import PrometheusQuery
from crossfade.core.analysis.run_standstill import gone_on, stood_still
from crossfade.core.analysis.runs import (
    Comparison,
    Gap,
    RunMetric,
    RunSpec,
    RunState,
    assessed,
    due,
    measured,
    next_look,
    scored,
    unanswered,
)

ANSWERS = RunMetric(
    "answers", PrometheusQuery("up"), success="result > 0.9", interval_seconds=10.0, count=3
)
RUN = RunSpec("smoke", (ANSWERS,))
COMPARISON = Comparison((), lifetime_seconds=90.0, interval_seconds=30.0)


def after(*values, began=100.0):
    """A run that was measured every ten seconds."""
    state = RunState(began)
    for index, value in enumerate(values):
        at = began + 10.0 * index
        if value is None:
            state = unanswered(state, ANSWERS, "silent", at)
        else:
            state = measured(state, ANSWERS, value, None, at)
    return assessed(RUN, state)


def compared(looks):
    state = RunState(100.0)
    for _ in range(looks):
        same = Metric("latency", (1.0, 1.0), (1.0, 1.0))
        state = scored(COMPARISON, state, (same,))
    return state


def test_what_was_measured_after_a_loss_began_is_as_if_it_never_was():
    failed = after(1.0, 0.0)
    assert failed.phase is Phase.FAILED

    still = stood_still(failed, None, 105.0)

    assert (still.results["answers"], still.phase) == (after(1.0).results["answers"], Phase.RUNNING)
    assert still.still_since == 105.0
    assert stood_still(still, None, 50.0) is still
    assert assessed(RUN, still).phase is Phase.RUNNING


def test_errors_that_a_loss_brought_about_are_forgotten_too():
    counters = stood_still(after(1.0, None, None), None, 105.0).results["answers"].counters

    assert counters == after(1.0).results["answers"].counters


def test_a_run_of_which_nothing_was_measured_meanwhile_is_only_stopped():
    done = after(1.0, 1.0, 1.0)
    assert done.phase is Phase.SUCCESSFUL

    assert stood_still(done, None, 130.0).phase is Phase.SUCCESSFUL


def test_the_wait_until_the_next_measurement_goes_on_where_it_stood_still():
    """Six of ten seconds were over when it stopped; so four are left when it goes on."""
    going = gone_on(stood_still(after(1.0), None, 106.0), 500.0)

    assert due(RUN, going, 503.9) == ()
    assert due(RUN, going, 504.0) == (ANSWERS,)


def test_a_delay_at_the_beginning_stands_still_as_well():
    late = RunMetric("late", PrometheusQuery("up"), initial_delay_seconds=60.0)
    spec = RunSpec("smoke", (late,))
    going = gone_on(stood_still(RunState(100.0), None, 110.0), 500.0)

    assert due(spec, going, 549.0) == ()
    assert due(spec, going, 550.0) == (late,)


def test_looks_of_a_comparison_come_as_much_later_and_those_in_doubt_come_again():
    still = stood_still(compared(2), COMPARISON, 159.0)
    assert (len(still.scores), still.phase) == (1, Phase.RUNNING)

    going = gone_on(still, 1159.0)
    assert next_look(COMPARISON, going) == 160.0 + 1000.0
    assert not any(going.counts(each) for each in (159.1, 700.0, 1159.0))
    assert all(going.counts(each) for each in (100.0, 159.0, 1159.1))


def test_a_second_standstill_is_added_to_the_first_and_does_not_reach_into_it():
    once = gone_on(stood_still(RunState(100.0), None, 110.0), 210.0)
    twice = gone_on(stood_still(once, None, 205.0), 300.0)

    assert twice.gaps == (Gap(110.0, 210.0), Gap(210.0, 300.0))
    assert next_look(COMPARISON, twice) == 130.0 + 190.0
    assert gone_on(twice, 400.0) is twice
