"""No request is lost or made up by restarts, gaps and repeated reads."""

from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.analysis.windows import Reading, Series

KEEP = 60.0


def series(*readings):
    made = Series()
    for at, requests, errors in readings:
        made = made.add(Reading(float(at), requests, errors), KEEP)
    return made


def test_what_was_before_the_first_reading_does_not_count():
    assert series((1, 1000, 10)).sum(0.0) == (0, 0)


def test_increments_are_summed_since_a_time():
    made = series((1, 0, 0), (2, 10, 1), (3, 30, 2))

    assert made.sum(0.0) == (30, 2)
    assert made.sum(2.0) == (20, 1)


def test_a_restarted_gateway_counts_from_zero():
    assert series((1, 100, 5), (2, 110, 6), (3, 7, 1)).sum(0.0) == (17, 2)


def test_a_late_or_repeated_reading_changes_nothing():
    made = series((1, 0, 0), (3, 10, 0))

    assert made.add(Reading(3.0, 12, 0), KEEP) is made
    assert made.add(Reading(2.0, 5, 0), KEEP) is made


def test_old_increments_go():
    assert series((1, 0, 0), (2, 10, 0), (100, 15, 0)).sum(0.0) == (5, 0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3), st.booleans()), max_size=40))
def test_the_sum_is_what_came_since_the_first_reading_whatever_restarts(steps):
    """A restart loses what came between the last reading and the restart: here nothing does."""
    made, requests, errors, total, bad = series((0, 0, 0)), 0, 0, 0, 0
    for number, (more, wrong, restart) in enumerate(steps, 1):
        wrong = min(wrong, more)
        if restart and requests > more and errors >= wrong:
            requests = errors = 0
        requests, errors = requests + more, errors + wrong
        total, bad = total + more, bad + wrong
        made = made.add(Reading(number * 0.001, requests, errors), KEEP)

    assert made.sum(-1.0) == (total, bad)
