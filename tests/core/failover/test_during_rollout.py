"""A cloud is lost in the middle of a rollout: nothing is promoted or aborted by its silence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.failover.during_rollout import (
    Bearer,
    Course,
    Interruption,
    RolloutView,
    Shift,
    Window,
    rule,
    usable,
)
from crossfade.core.failover.evidence import DOWN, Condition, Statement

HEALTHY, LOST, DARK, GREY = (
    Condition.HEALTHY,
    Condition.BOTH_DOWN,
    Condition.DATA_PLANE_DOWN,
    Condition.GREY,
)
SETTLE = 30.0
SILENT = {"statement": Statement.SILENT}
GONE = {"statement": Statement.LOST}
API_DOWN, UNKNOWN = Condition.API_DOWN, Condition.UNKNOWN


def both(name, condition=HEALTHY, **more):
    """A cluster that splits its own users."""
    return Bearer(name, condition, new=True, old=True, **more)


def old(name, condition=HEALTHY, **more):
    return Bearer(name, condition, new=False, old=True, **more)


def new(name, condition=HEALTHY, **more):
    return Bearer(name, condition, new=True, old=False, **more)


def view(*bearers, step=3, passed=2, **more):
    return RolloutView(bearers, step, passed, **more)


@pytest.mark.parametrize(
    ("bearers", "course"),
    [
        pytest.param((both("a"), both("b")), Course.GO_ON, id="all-well"),
        pytest.param((both("a", API_DOWN), both("b", UNKNOWN)), Course.GO_ON, id="only-silence"),
        pytest.param((both("a", LOST), both("b")), Course.FREEZE, id="one-is-lost"),
        pytest.param((both("a", GREY), both("b")), Course.FREEZE, id="one-is-grey"),
        pytest.param((both("a", LOST), both("b", LOST)), Course.FREEZE, id="all-are-lost"),
        pytest.param((both("a", LOST, out=True), both("b")), Course.GO_ON, id="the-lost-one-has-been-left"),
        pytest.param((old("a"), old("b", LOST), new("c")), Course.FREEZE, id="an-old-one-is-lost"),
        pytest.param((old("a"), old("b"), new("c", LOST)), Course.RESTART, id="the-only-canary-is-lost"),
        pytest.param((old("a"), new("b"), new("c", LOST)), Course.FREEZE, id="one-of-two-canaries-is-lost"),
        pytest.param((old("a"), new("c", LOST, out=True)), Course.RESTART, id="the-only-canary-was-left"),
        pytest.param((old("a"), old("b"), new("c", DARK)), Course.ROLL_BACK, id="only-the-new-one-fails"),
        pytest.param((old("a"), new("b", GREY), new("c", DARK)), Course.ROLL_BACK, id="wherever-the-new-one-is"),
        pytest.param((old("a"), new("c", DARK, **SILENT)), Course.FREEZE, id="nobody-knows-yet-what-failed"),
        pytest.param((old("a"), new("c", DARK, out=True, **SILENT)), Course.FREEZE, id="nor-once-it-was-left"),
        pytest.param((old("a"), new("b", DARK), new("c", DARK, **SILENT)), Course.FREEZE, id="nor-of-one-of-two"),
        pytest.param((old("a"), new("c", DARK, **GONE)), Course.RESTART, id="it-is-the-cloud-that-is-lost"),
        pytest.param((both("a", DARK, only_new_fails=True, **SILENT), both("b")), Course.ROLL_BACK, id="proof-waits-for-no-word"),
        pytest.param((old("a", DARK), new("c", DARK)), Course.FREEZE, id="old-ones-fail-too"),
        pytest.param((both("a", DARK, only_new_fails=True), both("b")), Course.ROLL_BACK, id="beside-an-old-one-that-serves"),
    ],
)  # fmt: skip
def test_course(bearers, course):
    assert rule(view(*bearers), 100.0, SETTLE).course is course


def test_the_clock_stops_and_the_step_stays():
    ruling = rule(view(both("a", LOST), both("b")), 100.0, SETTLE)

    assert (ruling.step, ruling.interruption) == (3, Interruption(100.0, 2))
    assert ruling.reason == "a lost; clock and analysis stand still"


def test_it_goes_on_from_the_last_proven_step_after_two_clean_windows():
    stopped = Interruption(100.0, 2)
    shift = Shift(101.0, 104.0)
    dirty, one, two = Window(104.0, 134.0), Window(134.0, 164.0), Window(164.0, 194.0)
    lost = both("a", LOST, out=True), both("b")

    def ruled(*windows):
        return rule(
            view(*lost, shifts=(shift,), windows=windows, interruption=stopped), 200.0, SETTLE
        )

    assert ruled(dirty).course is Course.FREEZE
    assert ruled(dirty, one).reason == "1 of 2 windows without a shift"
    assert ruled(dirty, one).interruption == stopped
    resumed = ruled(dirty, one, two)
    assert (resumed.course, resumed.step) == (Course.RESUME, 2)


def test_windows_of_before_the_loss_prove_nothing():
    stopped = Interruption(100.0, 2)
    early = (Window(10.0, 40.0), Window(40.0, 70.0), Window(70.0, 99.0))

    assert (
        rule(view(both("a"), windows=early, interruption=stopped), 200.0, SETTLE).course
        is Course.FREEZE
    )


def test_it_does_not_go_on_while_users_are_still_moving():
    ruling = rule(view(both("a"), both("b"), shifts=(Shift(90.0),)), 100.0, SETTLE)

    assert (ruling.course, ruling.reason) == (
        Course.FREEZE,
        "users are moving; clock and analysis stand still",
    )


def test_without_a_proven_step_it_goes_on_from_the_first():
    windows = (Window(200.0, 230.0), Window(230.0, 260.0))

    ruling = rule(
        view(both("a"), step=0, passed=-1, windows=windows, interruption=Interruption(100.0, -1)),
        300.0,
        SETTLE,
    )

    assert (ruling.course, ruling.step) == (Course.RESUME, 0)


@pytest.mark.parametrize(
    ("window", "kept"),
    [
        (Window(0.0, 70.0), True),
        (Window(0.0, 70.1), False),
        (Window(100.0, 110.0), False),
        (Window(149.9, 200.0), False),
        (Window(150.0, 200.0), True),
    ],
)
def test_windows_that_overlap_a_shift_or_its_settling_are_thrown_away(window, kept):
    assert (usable([window], [Shift(100.0, 120.0)], SETTLE) == (window,)) is kept


def test_while_a_shift_is_under_way_no_window_after_its_beginning_counts():
    assert usable([Window(500.0, 600.0)], [Shift(100.0)], SETTLE) == ()


CONDITIONS = st.sampled_from([HEALTHY] * 4 + list(Condition))
BEARERS = st.lists(
    st.builds(
        Bearer,
        st.sampled_from("abcde"),
        CONDITIONS,
        st.booleans(),
        st.booleans(),
        out=st.booleans(),
        statement=st.sampled_from(Statement),
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None)
@given(
    BEARERS,
    st.integers(0, 5),
    st.integers(-1, 5),
    st.lists(st.integers(100, 900), max_size=8),
    st.booleans(),
)
def test_a_loss_never_moves_a_rollout_forward(bearers, step, passed, starts, stopped):
    windows = tuple(Window(float(each), each + 30.0) for each in sorted(starts))
    interruption = Interruption(150.0, passed) if stopped else None
    ruling = rule(
        RolloutView(
            tuple(bearers), step, min(step, passed), windows=windows, interruption=interruption
        ),
        1000.0,
        SETTLE,
    )

    assert ruling.step <= step
    seen = [each for each in bearers if not each.out and each.condition in DOWN]
    if seen:
        assert ruling.course not in (Course.GO_ON, Course.RESUME), "went on over a loss"
    if not any(each.condition in DOWN | {GREY} or each.out for each in bearers):
        assert ruling.course not in (Course.ROLL_BACK, Course.RESTART), (
            "silence was taken for failure"
        )
