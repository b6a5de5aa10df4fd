"""Users leave at once and come back late: a flapping cloud moves them once."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.failover.evidence import DOWN, Condition
from crossfade.core.failover.standing import (
    TABLE,
    Patience,
    Presence,
    Standing,
    advance,
)

PAGE = Path(__file__).parents[3] / "docs/concepts/leaving-a-failing-cloud.md"
HEALTHY, API_DOWN, GREY, UNKNOWN = (
    Condition.HEALTHY,
    Condition.API_DOWN,
    Condition.GREY,
    Condition.UNKNOWN,
)
LOST, DARK = Condition.BOTH_DOWN, Condition.DATA_PLANE_DOWN


def after(*history, start=None):
    """Return the presence after conditions, each with the second at which it was seen."""
    presence = start or Presence("aws")
    for now, condition in history:
        presence = advance(presence, condition, float(now))
    return presence


def every_second(condition, begin, end):
    return [(now, condition) for now in range(begin, end)]


def test_the_page_for_users_has_the_table_that_is_followed():
    text = PAGE.read_text()
    rows = [
        [cell.strip() for cell in row.split("|")[1:-1]]
        for row in text.splitlines()
        if row.startswith("|")
    ]
    header = next(row for row in rows if row[0] == "stands")
    written = {row[0]: row[1:] for row in rows if row[0] in list(Standing)}

    assert header[1:] == [condition.value for condition in Condition]
    for standing in Standing:
        cells = [re.sub(r",.*", "", cell) for cell in written[standing]]
        assert cells == [TABLE[standing][condition].value for condition in Condition]
    patience, conditions = Patience(), list(Condition)
    grey = written[Standing.DOUBTED][conditions.index(GREY)]
    well = written[Standing.RECOVERING][conditions.index(HEALTHY)]
    assert grey == f"doubted, out after {patience.grey_seconds:g} s"
    assert well == f"recovering, serving after {patience.recover_seconds:g} s or more"


def test_every_standing_knows_every_condition():
    assert set(TABLE) == set(Standing)
    assert all(set(row) == set(Condition) for row in TABLE.values())


@pytest.mark.parametrize("condition", [API_DOWN, UNKNOWN, HEALTHY])
def test_users_stay_while_nobody_knows_that_they_are_not_served(condition):
    assert after(*every_second(condition, 0, 10_000)).serves


@pytest.mark.parametrize("condition", [LOST, DARK])
def test_users_leave_at_once_when_it_is_confirmed(condition):
    assert after((5, condition)) == Presence("aws", Standing.OUT, 5.0, wait_seconds=60.0)


def test_users_leave_grey_failure_once_it_has_lasted():
    assert after((5, GREY), (9, GREY)).standing is Standing.DOUBTED
    assert after((5, GREY), (9, GREY), (10, GREY)).standing is Standing.OUT
    assert after((5, GREY), (9, HEALTHY), (10, GREY)).standing is Standing.DOUBTED


def test_it_comes_back_after_a_minute_without_a_break():
    out = after((0, LOST))

    assert after(*every_second(HEALTHY, 10, 70), start=out).standing is Standing.RECOVERING
    assert after(*every_second(HEALTHY, 10, 71), start=out).serves


@pytest.mark.parametrize("doubt", [UNKNOWN, API_DOWN, GREY])
def test_doubt_starts_the_wait_again_and_is_no_flap(doubt):
    history = [(0, LOST), *every_second(HEALTHY, 10, 60), (60, doubt)]
    presence = after(*history)

    assert (presence.standing, presence.wait_seconds) == (Standing.OUT, 60.0)
    assert not after(*every_second(HEALTHY, 61, 121), start=presence).serves
    assert after(*every_second(HEALTHY, 61, 122), start=presence).serves


def test_each_flap_doubles_the_wait_up_to_an_hour():
    presence, waits = after((0, LOST)), []
    for number in range(1, 9):
        presence = after((number * 20 - 10, HEALTHY), (number * 20, LOST), start=presence)
        waits.append(presence.wait_seconds)

    assert waits == [120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_leaving_soon_after_coming_back_is_a_flap_too():
    back = after((0, LOST), (10, HEALTHY), (70, HEALTHY))

    assert after((100, LOST), start=back).wait_seconds == 120
    assert after((70 + 3599, LOST), start=back).wait_seconds == 120
    assert after((70 + 3600, LOST), start=back).wait_seconds == 60


@settings(deadline=None)
@given(st.integers(1, 29), st.integers(0, 60))
def test_twenty_flaps_in_ten_minutes_move_users_once(down_seconds, begin):
    presence, moves = Presence("aws"), 0
    for now in range(begin, begin + 600):
        condition = LOST if (now - begin) % 30 < down_seconds else HEALTHY
        after_it = advance(presence, condition, float(now))
        moves += after_it.serves != presence.serves
        presence = after_it

    assert moves == 1


def moments():
    likely = [HEALTHY] * 6 + [LOST, DARK, API_DOWN, GREY, UNKNOWN]
    return st.lists(st.tuples(st.sampled_from(likely), st.integers(1, 90)), max_size=60)


@settings(deadline=None)
@given(moments())
def test_no_history_brings_it_back_before_it_was_well_long_enough(history):
    presence, now, well_since = Presence("aws"), 0.0, None
    for condition, seconds in history:
        now += seconds
        well_since = (now if well_since is None else well_since) if condition is HEALTHY else None
        before, presence = presence, advance(presence, condition, now)
        assert presence.wait_seconds <= 3600
        if presence.serves and not before.serves:
            assert now - well_since >= 60.0
        if before.serves and not presence.serves:
            assert condition in DOWN or condition is GREY
