"""A drill ends in time, whatever is seen meanwhile, and never goes on when users are hurt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.failover.drill import (
    BASELINE_SECONDS,
    EXCUSED_SECONDS,
    RETURN_SECONDS,
    Count,
    Course,
    Drill,
    Objective,
    Outcome,
    Phase,
    Sight,
    advance,
    cut,
    given_back,
    meets,
    noticed,
)
from crossfade.core.failover.standing import Presence

STOOD = Presence("gcp", since=5.0, wait_seconds=120.0)
ASKED = Drill(1, "gcp", 60.0, 100.0, (Course("colors", Objective(10.0, 1.0)),))
NOTHING = Sight((), presence=STOOD)


def count(at, requests=100, failed=0, tried=0, application="colors"):
    return Count(application, at, requests, failed, tried)


def seen(*counts, **more):
    return replace(NOTHING, counts=counts, **more)


def begun(course=None):
    """Return a drill that took the cluster out at 103 s."""
    drill = ASKED if course is None else replace(ASKED, courses=(course,))
    drill = advance(drill, seen(count(101.0, 300)), 101.0)
    drill = advance(drill, NOTHING, 103.0)
    assert drill.phase is Phase.OUT
    return drill


def test_users_are_counted_before_anything_is_done_to_them():
    drill = advance(ASKED, seen(count(101.0, 150)), 101.0)
    assert drill.phase is Phase.ASKED
    drill = advance(drill, seen(count(103.0, 150)), 100.0 + BASELINE_SECONDS)

    assert drill.phase is Phase.OUT
    assert drill.courses[0].requests_per_second() == 100.0
    assert drill.presence == STOOD


@pytest.mark.parametrize(
    ("sight", "told"),
    [
        pytest.param(seen(), "nobody asks", id="nobody-asks"),
        pytest.param(seen(count(1, 100, 2)), "fail already", id="requests-fail-anyway"),
        pytest.param(seen(count(1), silent="edge-1 is silent"), "silent", id="nobody-counts"),
        pytest.param(seen(count(1), others_away=("aws",)), "aws cannot serve", id="other-is-away"),
        pytest.param(seen(count(1), objections=("no room",)), "no room", id="does-not-fit"),
    ],
)
def test_a_drill_is_refused(sight, told):
    drill = advance(ASKED, sight, 103.0)

    assert (drill.phase, drill.outcome) == (Phase.ENDED, Outcome.REFUSED)
    assert told in drill.reason
    assert drill.began_at is None


def test_a_dry_run_begins_nothing():
    drill = advance(replace(ASKED, dry_run=True), seen(count(1)), 103.0)

    assert (drill.phase, drill.outcome, drill.began_at) == (Phase.ENDED, Outcome.POSSIBLE, None)


def test_nobody_gets_through_only_while_it_is_out_and_probes_notice_a_little_later():
    drill = begun()

    assert not cut(ASKED, "gcp")
    assert cut(drill, "gcp")
    assert not cut(drill, "aws")
    assert not cut(advance(drill, NOTHING, 163.0), "gcp")
    assert not noticed(drill, 103.4)
    assert noticed(drill, 103.5)


def test_the_budget_counts_what_may_fail_in_all_of_the_drill():
    """100 requests per second for 60 s, of which 1 % may fail: 60."""
    drill = advance(begun(), seen(count(104.0, 100, 60)), 104.0)
    assert drill.phase is Phase.OUT
    drill = advance(drill, seen(count(105.0, 100, 1)), 105.0)

    assert (drill.phase, drill.outcome) == (Phase.RETURNING, Outcome.ABORTED)
    assert "61 of 200 requests of colors failed" in drill.reason


@pytest.mark.parametrize(
    ("sight", "told"),
    [
        pytest.param(seen(silent="edge-1 is silent"), "silent", id="nobody-counts"),
        pytest.param(seen(others_away=("aws",)), "aws cannot serve", id="a-real-loss-elsewhere"),
        pytest.param(seen(ours=False), "started anew", id="another-hub"),
    ],
)
def test_a_drill_is_aborted_at_once(sight, told):
    drill = advance(begun(), sight, 104.0)

    assert (drill.phase, drill.outcome) == (Phase.RETURNING, Outcome.ABORTED)
    assert told in drill.reason


def test_a_person_ends_it_at_once():
    drill = advance(replace(begun(), stopped="ended by a person"), NOTHING, 104.0)
    assert (drill.phase, drill.outcome) == (Phase.RETURNING, Outcome.ABORTED)

    asked = advance(replace(ASKED, stopped="ended by a person"), NOTHING, 100.5)
    assert (asked.phase, asked.outcome) == (Phase.ENDED, Outcome.REFUSED)


@pytest.mark.parametrize(
    ("counts", "seconds"),
    [
        pytest.param([count(104.0)], 1.0, id="nobody-noticed"),
        pytest.param([count(104.0, tried=9), count(105.0)], 2.0, id="still-sent-there"),
        pytest.param([count(104.0), count(105.0, failed=9), count(106.0)], 3.0, id="bad-once-more"),
        pytest.param([count(104.0), count(105.0, failed=1)], 1.0, id="within-the-budget"),
        pytest.param([count(104.0, tried=9)], None, id="never"),
        pytest.param([], None, id="nobody-counted"),
        pytest.param([count(104.0, tried=9, application="other")], None, id="somebody-else"),
    ],
)
def test_recovery_is_told_by_the_first_good_report_after_the_last_bad_one(counts, seconds):
    drill = begun()
    for each in counts:
        drill = advance(drill, seen(each), each.at)

    assert drill.recovery_seconds(drill.courses[0]) == seconds


@pytest.mark.parametrize(
    ("recovery", "late", "outcome"),
    [
        (10.0, 104.0, Outcome.MET),
        (10.0, 113.0, Outcome.MET),
        (10.0, 113.1, Outcome.MISSED),
        (10.0, None, Outcome.MISSED),
        (None, 104.0, Outcome.MEASURED),
        (None, None, Outcome.MISSED),
    ],
)
def test_the_end_says_whether_the_objective_was_met(recovery, late, outcome):
    drill = begun(Course("colors", Objective(recovery, 1.0)))
    if late is not None:
        drill = advance(drill, seen(count(late)), late)
    drill = advance(drill, NOTHING, 163.0)

    assert (drill.phase, drill.outcome) == (Phase.RETURNING, outcome)
    assert (meets(drill, drill.courses[0]) is False) is (outcome is Outcome.MISSED)


def test_the_cluster_stands_afterwards_where_it_stood():
    drill = advance(begun(), seen(count(104.0)), 163.0)

    assert given_back(drill, 163.0 + EXCUSED_SECONDS - 0.1) == STOOD
    assert given_back(drill, 163.0 + EXCUSED_SECONDS) is None
    assert given_back(begun(), 104.0) is None
    assert given_back(None, 104.0) is None


def test_a_drill_is_over_once_its_users_were_seen_and_the_past_is_old():
    drill = advance(begun(), NOTHING, 163.0)
    drill = advance(drill, seen(serving=True), 164.0)
    assert (drill.phase, drill.returned_at) == (Phase.RETURNING, 164.0)
    drill = advance(drill, NOTHING, 163.0 + EXCUSED_SECONDS)

    assert drill.phase is Phase.ENDED
    assert advance(drill, seen(ours=False), 999.0) is drill


def test_users_who_do_not_come_back_are_told():
    drill = advance(begun(), NOTHING, 163.0)
    drill = advance(drill, NOTHING, 163.0 + RETURN_SECONDS)

    assert (drill.phase, drill.returned_at) == (Phase.ENDED, None)
    assert "were not back" in drill.reason


rarely = st.sampled_from([False] * 9 + [True])
looks = st.tuples(
    st.floats(0.05, 5.0), st.integers(0, 500), st.integers(0, 3), rarely, rarely, rarely
)


@given(st.lists(looks, min_size=5, max_size=120), st.floats(5.0, 120.0))
def test_in_no_history_is_a_cluster_out_past_the_deadline_or_the_budget(history, seconds):
    drill, now = replace(ASKED, seconds=seconds), ASKED.asked_at
    for passed, requests, failed, silent, away, ours in history:
        now += passed
        sight = seen(
            count(now, requests, min(requests, failed)),
            silent="silent" if silent else "",
            others_away=("aws",) if away else (),
            ours=not ours,
        )
        before, drill = drill, advance(drill, sight, now)
        if drill.phase is Phase.OUT:
            assert before.phase is Phase.ASKED or now - drill.began_at < seconds
            assert before.phase is Phase.ASKED or not (silent or away or ours)
            for course in drill.courses:
                assert course.failed <= course.budget(seconds)
        if before.phase is Phase.RETURNING:
            assert drill.phase is not Phase.OUT, "taken out again"
            assert drill.phase is Phase.ENDED or now - drill.opened_at < RETURN_SECONDS
