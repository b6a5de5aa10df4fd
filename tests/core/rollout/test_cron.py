"""Calendars as cron writes them."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.errors import InputError
from crossfade.core.rollout.cron import parse_cron

WEEK = [date(2026, 11, 22) + timedelta(days=i) for i in range(7)]  # Sunday to Saturday


def weekdays(text):
    return [each.isoweekday() % 7 for each in WEEK if parse_cron(f"0 0 * * {text}").matches(each)]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("*", [0, 1, 2, 3, 4, 5, 6]),
        ("?", [0, 1, 2, 3, 4, 5, 6]),
        ("0", [0]),
        ("7", [0]),
        ("sun", [0]),
        ("FRI", [5]),
        ("mon-fri", [1, 2, 3, 4, 5]),
        ("5-7", [0, 5, 6]),
        ("fri-sun", [0, 5, 6]),
        ("sun-tue", [0, 1, 2]),
        ("1,3,sat", [1, 3, 6]),
        ("*/2", [0, 2, 4, 6]),
        ("1-5/2", [1, 3, 5]),
        ("2/2", [2, 4, 6]),
    ],
)
def test_days_of_the_week_are_those_that_cron_means(text, days):
    assert weekdays(text) == days


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("30 18 * * *", [time(18, 30)]),
        ("*/20 9 * * *", [time(9, 0), time(9, 20), time(9, 40)]),
        ("5,0 1-2 * * *", [time(1, 0), time(1, 5), time(2, 0), time(2, 5)]),
        ("10/25 0 * * *", [time(0, 10), time(0, 35)]),
        ("@daily", [time(0, 0)]),
    ],
)
def test_times_of_the_day_are_in_order(text, times):
    assert list(parse_cron(text).times) == times


def test_months_have_numbers_and_names():
    cron = parse_cron("0 0 1 jan,3,NOV-dec *")
    assert [m for m in range(1, 13) if cron.matches(date(2026, m, 1))] == [1, 3, 11, 12]


def test_with_both_kinds_of_day_restricted_either_is_enough_as_in_cron():
    cron = parse_cron("0 0 13 * fri")
    assert cron.matches(date(2026, 11, 13))  # both
    assert cron.matches(date(2026, 11, 20))  # a Friday
    assert cron.matches(date(2026, 12, 13))  # a Sunday, the 13th
    assert not cron.matches(date(2026, 11, 21))


def test_with_one_kind_of_day_restricted_it_alone_decides():
    assert not parse_cron("0 0 13 * *").matches(date(2026, 11, 20))
    assert not parse_cron("0 0 * * fri").matches(date(2026, 12, 13))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "5"),
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("60 * * * *", "`60` is not allowed as the minute"),
        ("* 24 * * *", "the hour"),
        ("* * 0 * *", "the day of the month"),
        ("* * 32 * *", "the day of the month"),
        ("* * * 13 *", "the month"),
        ("* * * * 8", "the day of the week"),
        ("* * * * frida", "`frida` is not allowed"),
        ("* * L * *", "`l` is not allowed"),
        ("* * * * 5#2", "5#2"),
        ("* * 15W * *", "15w"),
        ("5-1 * * * *", "`5-1`"),
        ("*/0 * * * *", r"`\*/0`"),
        ("-1 * * * *", "`-1`"),
        ("1,,2 * * * *", "`` is not allowed"),
        ("*-5 * * * *", r"`\*-5`"),
        ("1.5 * * * *", r"`1\.5`"),
        ("٣ * * * *", "minute"),
        ("@reboot", "1 fields"),
        ("0 0 30 feb *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_at_its_field(text, named):
    with pytest.raises(InputError, match=named) as raised:
        parse_cron(text)
    assert raised.value.hint


def test_the_29th_of_february_comes():
    assert parse_cron("0 0 29 2 *").matches(date(2028, 2, 29))


@given(st.text(alphabet="0123456789*/-,?@ abcdefjmnorstuwy#L", max_size=40))
def test_no_text_makes_it_crash(text):
    try:
        cron = parse_cron(text)
    except InputError:
        return
    assert cron.times
