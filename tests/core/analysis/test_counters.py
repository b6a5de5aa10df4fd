"""Readings of counters as windows that do not overlap."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.codec import from_json, to_json
from crossfade.core.analysis.counters import (
    Counters,
    Reading,
    Rules,
    Tally,
    add,
    close,
    compared,
    slower_than,
)

RULES = Rules()
T0 = 1_500_000.0  # a multiple of the window


def reading(at, requests, errors=0, source="pod-a", revision="r2", **more):
    return Reading(revision, source, T0 + at, Tally(requests, {"errors": errors}), **more)


def windows(*readings, now=1000.0, rules=RULES):
    counters = add(Counters("aws"), readings, rules)
    _, closed = close(counters, T0 + now, rules)
    return {
        each.id - int(T0 // rules.window_seconds): {
            revision: (tally.requests, tally.events.get("errors"))
            for revision, tally in each.revisions.items()
        }
        for each in closed
    }


def test_what_was_added_between_two_readings_is_in_the_window_of_the_later_one():
    read = (reading(1, 100, 1), reading(16, 150, 3), reading(31, 175, 3))
    assert windows(*read) == {1: {"r2": (50, 2)}, 2: {"r2": (25, 0)}}


def test_the_history_before_the_first_reading_is_not_charged_to_the_rollout():
    assert windows(reading(1, 10**9, 10**8)) == {}


def test_several_processes_of_one_revision_add_up():
    read = [reading(t, n, source=s) for s in "ab" for t, n in ((1, 0), (16, 10))]
    assert windows(*read) == {1: {"r2": (20, 0)}}


def test_a_restart_counts_what_came_after_it_and_nothing_negative():
    assert windows(reading(1, 100, 9), reading(16, 7, 1)) == {1: {"r2": (7, 1)}}


def test_a_restart_that_only_the_errors_show_is_noticed():
    assert windows(reading(1, 100, 9), reading(16, 120, 1)) == {1: {"r2": (120, 1)}}


def test_a_restart_of_one_process_does_not_touch_the_counts_of_another():
    read = [reading(1, 100, source="a"), reading(1, 1000, source="b")]
    read += [reading(16, 5, source="a"), reading(16, 1010, source="b")]
    assert windows(*read) == {1: {"r2": (15, 0)}}


def test_after_a_gap_nothing_is_said_of_the_time_between():
    read = (reading(1, 100), reading(16, 150), reading(200, 900), reading(215, 910))
    assert windows(*read) == {1: {"r2": (50, 0)}, 14: {"r2": (10, 0)}}


def test_a_slow_scrape_leaves_windows_missing_and_loses_no_request():
    read = (reading(1, 0), reading(61, 40), reading(121, 100))
    assert windows(*read) == {4: {"r2": (40, 0)}, 8: {"r2": (60, 0)}}


def test_a_window_without_requests_is_there_and_one_without_readings_is_not():
    assert windows(reading(1, 5), reading(16, 5)) == {1: {"r2": (0, 0)}}


def test_a_reading_given_twice_or_out_of_order_counts_once():
    read = [reading(1, 0), reading(16, 10), reading(31, 30)]
    assert windows(*read, *read, read[1]) == windows(*read)
    for order in itertools.permutations(read):
        assert windows(*order) == windows(*read)


def test_an_older_reading_that_comes_after_a_newer_one_changes_nothing():
    counters = add(Counters("aws"), [reading(1, 0), reading(31, 30)], RULES)
    assert add(counters, [reading(16, 10)], RULES) == counters


def test_a_window_is_closed_only_once_late_readings_have_had_their_time():
    counters = add(Counters("aws"), [reading(1, 0), reading(16, 10)], RULES)
    counters, closed = close(counters, T0 + 44.9, RULES)
    assert closed == ()
    counters, closed = close(counters, T0 + 45, RULES)
    assert [each.revisions["r2"].requests for each in closed] == [10]
    assert close(counters, T0 + 60, RULES)[1] == ()


@pytest.mark.parametrize("late", [16, 31, 44.9])
def test_what_arrives_after_its_window_was_closed_is_left_out_and_counted(late):
    counters = add(Counters("aws"), [reading(1, 0)], RULES)
    counters, _ = close(counters, T0 + 60, RULES)
    counters = add(counters, [reading(late, 10), reading(46, 15)], RULES)
    counters, closed = close(counters, T0 + 100, RULES)
    assert counters.late == 1
    assert [each.revisions["r2"].requests for each in closed] == [5]


def test_the_first_minute_of_a_new_pod_is_left_out():
    started = {"started_at": T0}
    read = [reading(t, t * 10, **started) for t in (15, 30, 45, 60, 75, 90)]
    assert windows(*read) == {5: {"r2": (150, 0)}, 6: {"r2": (150, 0)}}


def test_an_event_read_for_the_first_time_does_not_bring_its_history():
    before = Reading("r2", "a", T0 + 1, Tally(100, {"errors": 1}))
    after = Reading("r2", "a", T0 + 16, Tally(110, {"errors": 1, "slower-250ms": 5000}))
    counters = add(Counters("aws"), [before, after], RULES)
    _, (window,) = close(counters, T0 + 100, RULES)
    assert window.revisions["r2"] == Tally(10, {"errors": 0})


def test_counters_read_in_turn_never_give_more_events_than_requests():
    read = (reading(1, 10, 0), reading(16, 12, 5))
    assert windows(*read) == {1: {"r2": (2, 2)}}


def test_processes_that_are_gone_are_forgotten():
    counters = add(Counters("aws"), [reading(1, 5, source=f"pod-{i}") for i in range(50)], RULES)
    counters = add(counters, [reading(200, 5, source="new")], RULES)
    counters, _ = close(counters, T0 + 200, RULES)
    assert list(counters.last) == ["r2/new"]


def test_the_state_survives_the_store_at_any_point():
    counters = add(Counters("aws"), [reading(1, 0, started_at=T0 - 100), reading(16, 10)], RULES)
    assert from_json(Counters, to_json(counters)) == counters


def test_both_arms_of_a_window_are_what_the_judge_takes():
    read = [
        reading(t, n, e, revision=r)
        for r, t, n, e in (("r1", 1, 0, 0), ("r1", 16, 90, 1), ("r2", 1, 0, 0), ("r2", 16, 10, 2))
    ]
    _, (window,) = close(add(Counters("aws"), read, RULES), T0 + 100, RULES)
    judged = compared(window, "r2", "r1", RULES)
    assert judged is not None
    assert (judged.n_c, judged.n_s, judged.events) == (10, 90, {"errors": (2, 1)})
    assert judged.at_s == T0 + 30
    assert compared(window, "r2", "r3", RULES) is None


@pytest.mark.parametrize(
    ("edge", "name"), [(0.25, "slower-250ms"), (1, "slower-1000ms"), (0.0005, "slower-0.5ms")]
)
def test_slow_requests_are_an_event_with_a_readable_name(edge, name):
    assert slower_than(edge) == name


steps = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.floats(0.5, 40),
        st.integers(0, 100),
        st.sampled_from([False] * 9 + [True]),
        st.sampled_from([False] * 9 + [True]),
    ),
    min_size=1,
    max_size=40,
)


@given(steps, st.randoms(use_true_random=False))
def test_no_request_is_counted_twice_or_made_up_whatever_the_order(history, random):
    """Requests that were counted never exceed those that were made; restarts lose some."""
    now, totals, made, read = 1.0, {"a": 0, "b": 0}, 0, []
    for source, pause, requests, restarts, lost in history:
        now += pause
        made += requests
        totals[source] = requests if restarts else totals[source] + requests
        if not lost:
            read.append(reading(now, totals[source], source=source))
    doubled = [*read, *random.sample(read, len(read) // 2)]
    random.shuffle(doubled)
    once = windows(*read, now=10_000)
    assert windows(*doubled, now=10_000) == once
    assert sum(each["r2"][0] for each in once.values()) <= made


@given(steps)
def test_closing_often_gives_the_same_windows_as_closing_once(history):
    rules = replace(RULES, gap_seconds=1000)
    often, now, total, seen, read = Counters("aws"), 1.0, 0, [], []
    for _, pause, requests, _, _ in history:
        now, total = now + pause, total + requests
        read.append(reading(now, total))
        often = add(often, read[-1:], rules)
        often, closed = close(often, T0 + now, rules)
        seen += closed
    _, rest = close(often, T0 + 10_000, rules)
    _, once = close(add(Counters("aws"), read, rules), T0 + 10_000, rules)
    assert (*seen, *rest) == once
