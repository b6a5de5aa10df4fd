"""Durations in files and on the command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.units import LONGEST_SECONDS, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("2m", 120),
        ("1h30m", 5400),
        ("1h", 3600),
        ("500ms", 0.5),
        ("0.25s", 0.25),
        ("1m1s1ms", 61.001),
        (" 5s ", 5),
    ],
)
def test_a_duration_is_read_as_people_write_it(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "1 m", "30m1h", "1d", "ten", "1e3", "٣s", "nan", "1.5m"]
)
def test_anything_else_says_what_is_allowed(text):
    with pytest.raises(ValueError, match="90s, 2m, 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9" * 400, "9999h", "9" * 400 + "h"])
def test_a_duration_without_end_is_refused(text):
    with pytest.raises(ValueError, match="longer than a year"):
        parse_duration(text)


@given(st.integers(0, int(LONGEST_SECONDS * 1000)))
def test_what_is_written_is_read_back(milliseconds):
    seconds = milliseconds / 1000

    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)
