"""Times in which nothing is rolled out."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import InputError
from crossfade.core.rollout.cron import parse_cron
from crossfade.core.rollout.freeze import FreezeWindow, freeze_window, look

HOUR = 3600.0


def at(text, zone="UTC"):
    return (
        datetime.fromisoformat(text)
        .replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))
        .timestamp()
    )


WEEKEND = freeze_window("weekend", "0 18 * * fri", 62 * HOUR, "Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "frozen", "changes"),
    [
        ("2026-11-20T17:59:59", False, "2026-11-20T18:00"),
        ("2026-11-20T18:00:00", True, "2026-11-23T08:00"),
        ("2026-11-22T12:00:00", True, "2026-11-23T08:00"),
        ("2026-11-23T07:59:59", True, "2026-11-23T08:00"),
        ("2026-11-23T08:00:00", False, "2026-11-27T18:00"),
    ],
)
def test_a_weekend_is_frozen_by_the_clock_of_its_zone(now, frozen, changes):
    freeze = look((WEEKEND,), at(now, "Europe/Berlin"))
    assert freeze.frozen is frozen
    assert freeze.changes_at == at(changes, "Europe/Berlin")


def test_the_reason_says_which_window_and_until_when():
    freeze = look((WEEKEND,), at("2026-11-21T12:00", "Europe/Berlin"))
    assert freeze.reason == "frozen by `weekend` until 2026-11-23 08:00 Europe/Berlin"
    assert look((), 0.0).reason == ""


def test_without_windows_nothing_is_ever_frozen():
    assert look((), 1e9) == look((), 2e9)
    assert look((), 1e9).changes_at is None


def test_a_duration_is_real_time_over_the_change_to_winter_time():
    night = freeze_window("night", "0 22 * * sat", 10 * HOUR, "Europe/Berlin")
    # 2026-10-25 has 25 hours: the night from 22:00 for ten hours ends at 07:00 on the wall.
    freeze = look((night,), at("2026-10-24T23:00", "Europe/Berlin"))
    assert freeze.changes_at == at("2026-10-25T07:00", "Europe/Berlin")


def test_a_beginning_that_summer_time_skips_is_at_the_end_of_what_is_skipped():
    early = freeze_window("early", "30 2 * * *", HOUR, "Europe/Berlin")
    # On 2026-03-29 the clock goes from 02:00 to 03:00 at 01:00 UTC.
    assert not look((early,), at("2026-03-29T00:59:59")).frozen
    freeze = look((early,), at("2026-03-29T01:00:00"))
    assert (freeze.frozen, freeze.changes_at) == (True, at("2026-03-29T02:00"))


def test_a_beginning_that_comes_twice_begins_once_and_at_the_first():
    early = freeze_window("early", "30 2 * * *", 1800, "Europe/Berlin")
    # On 2026-10-25 it is 02:30 at 00:30 UTC and again at 01:30 UTC.
    assert look((early,), at("2026-10-25T00:30")).frozen
    assert not look((early,), at("2026-10-25T01:00")).frozen
    assert not look((early,), at("2026-10-25T01:45")).frozen


def test_a_zone_with_half_an_hour_of_summer_time_is_right_too():
    early = freeze_window("early", "15 2 * * *", HOUR, "Australia/Lord_Howe")
    # On 2026-10-04 the clock there goes from 02:00 to 02:30, at 15:30 UTC of the day before.
    assert not look((early,), at("2026-10-03T15:29:59")).frozen
    assert look((early,), at("2026-10-03T15:30")).frozen


def test_windows_that_overlap_or_touch_are_one():
    first = freeze_window("first", "0 8 * * *", 2 * HOUR)
    second = freeze_window("second", "0 10 * * *", 2 * HOUR)
    third = freeze_window("third", "30 11 * * *", HOUR)
    freeze = look((third, second, first), at("2026-11-23T08:30"))
    assert (freeze.window, freeze.changes_at) == (first, at("2026-11-23T12:30"))


def test_a_short_window_within_a_long_one_does_not_end_it():
    long = freeze_window("long", "0 8 * * *", 10 * HOUR)
    short = freeze_window("short", "0 9 * * *", 600)
    freeze = look((short, long), at("2026-11-23T09:05"))
    assert (freeze.window, freeze.changes_at) == (long, at("2026-11-23T18:00"))


def test_a_window_that_never_ends_says_so_and_takes_no_time():
    always = freeze_window("always", "* * * * *", 60)
    start = time.perf_counter()
    freeze = look((always,), at("2026-11-23T09:05"))
    assert time.perf_counter() - start < 3
    assert (freeze.frozen, freeze.changes_at) == (True, None)
    assert freeze.reason == "frozen by `always`, without end"


def test_a_leap_day_is_waited_for():
    leap = freeze_window("leap", "0 0 29 2 *", 24 * HOUR)
    assert look((leap,), at("2026-11-23T00:00")).changes_at == at("2028-02-29T00:00")
    assert look((leap,), at("2097-01-01T00:00")).changes_at == at("2104-02-29T00:00")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("a", "0 18 * * fry", HOUR), "fry"),
        (("a", "0 18 * * fri", HOUR, "Europe/Berlim"), "Europe/Berlim"),
        (("a", "0 18 * * fri", HOUR, "../etc/passwd"), "no time zone"),
        (("a", "0 18 * * fri", HOUR, ""), "no time zone"),
        (("a", "0 18 * * fri", 1), "lasts 1s"),
        (("a", "0 18 * * fri", 400 * 24 * HOUR), "lasts"),
        (("a", "0 18 * * fri", -5), "lasts"),
    ],
)
def test_what_cannot_be_a_window_is_refused_with_what_is_allowed(arguments, named):
    with pytest.raises(InputError, match=named) as raised:
        freeze_window(*arguments)
    assert raised.value.hint


def test_a_window_survives_the_store():
    assert from_json(FreezeWindow, to_json(WEEKEND)) == WEEKEND


def naive(window, now):
    """Say whether it is frozen, by walking every minute before `now`."""
    minute = now - now % 60
    cron = parse_cron(window.begins)
    zone = ZoneInfo(window.zone)
    while minute > now - window.duration_seconds:
        local = datetime.fromtimestamp(minute, zone)
        if (
            not local.fold
            and cron.matches(local.date())
            and local.time().replace(second=0) in cron.times
        ):
            return True
        minute -= 60
    return False


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["0 18 * * fri", "30 4 1-7 * *", "15 */6 * * mon-fri", "0 0 * 11 *"]),
    st.sampled_from([1800.0, 3 * HOUR, 26 * HOUR]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
    st.integers(1_760_000_000, 1_830_000_000),
)
def test_it_is_frozen_exactly_when_a_walk_over_all_minutes_says_so(begins, duration, zone, now):
    window = freeze_window("w", begins, duration, zone)
    freeze = look((window,), float(now))
    assert freeze.frozen is naive(window, float(now))
    assert freeze.changes_at is not None
    assert freeze.changes_at > now
    assert look((window,), freeze.changes_at).frozen is not freeze.frozen
    assert (
        look((window,), freeze.changes_at - 1).frozen is freeze.frozen
        or freeze.changes_at - 1 < now
    )
