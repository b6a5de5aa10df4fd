"""What a strategy would have done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.analysis.backtest import Level, backtest
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan
from crossfade.core.analysis.replay import ticks
from crossfade.core.analysis.verdict import Action

PLAN = Plan((Metric("errors"),), ("aws", "gcp"))
LADDER = (Level(0.05, 120), Level(0.2, 120), Level(0.5, 300))


def record(count, x_c=1, n=(150, 1350), x_s=9):
    return ticks(
        Window(number, name, *n, {"errors": (x_c, x_s)})
        for number in range(1, count + 1)
        for name in PLAN.clusters
    )


@pytest.mark.parametrize("levels", [(), LADDER])
def test_a_good_canary_would_have_been_promoted_and_a_bad_one_rolled_back(levels):
    good, bad = backtest(PLAN, record(60), levels), backtest(PLAN, record(60, x_c=8), levels)

    assert (good.action, bad.action) == (Action.PROMOTE, Action.ROLLBACK)
    assert bad.after_s < good.after_s
    assert bad.harm < 30


def test_a_bolder_ramp_would_have_harmed_more():
    bold = backtest(PLAN, record(60, x_c=8), (Level(0.5, 600),))

    assert bold.harm > 1.5 * backtest(PLAN, record(60, x_c=8), LADDER).harm


def test_a_ladder_is_climbed_step_by_step():
    found = backtest(PLAN, record(60), LADDER)

    assert [(each.at_s, each.weight) for each in found.changes] == [
        (0, 0.05),
        (120, 0.2),
        (240, 0.5),
    ]


def test_a_pause_without_an_end_is_where_the_replay_stays():
    found = backtest(PLAN, record(60), (Level(0.05, None), Level(0.5, 0)))

    assert found.action not in (Action.PROMOTE, Action.ROLLBACK)
    assert len(found.changes) == 1


def test_how_far_counts_were_scaled_up_is_told():
    assert backtest(PLAN, record(60), (Level(0.05, 60),)).stretch < 1
    assert backtest(PLAN, record(60), (Level(0.5, 60),)).stretch == pytest.approx(5, rel=0.01)


def test_rounding_loses_no_event():
    """A canary with one error in 150 requests keeps that rate at a tenth of its share."""
    patient = Plan((Metric("errors", phi=100.0),), ("aws", "gcp"))
    found = backtest(patient, record(40, x_c=1, x_s=0), (Level(0.01, 6000),))

    assert found.canary_requests == pytest.approx(40 * 2 * 15, abs=4)
    assert found.harm == pytest.approx(40 * 2 * 15 / 150, abs=2)


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 500)).flatmap(
            lambda n: st.tuples(st.just(n), st.tuples(st.integers(0, n[0]), st.integers(0, n[1])))
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([(), LADDER, (Level(1.0, 10),), (Level(0.0, 10), Level(0.3, 10))]),
)
def test_no_record_makes_counts_that_cannot_be(windows, levels):
    made = (Window(n, "gcp", *size, {"errors": x}) for n, (size, x) in enumerate(windows, 1))

    found = backtest(Plan((Metric("errors"),), ("gcp",)), ticks(made), levels)

    assert 0 <= found.canary_requests <= sum(sum(size) for size, _ in windows)
