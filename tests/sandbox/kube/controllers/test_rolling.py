"""The arithmetic of rolling updates: nobody loses capacity that was promised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.sandbox.kube.controllers.rolling import (
    Replicas,
    Room,
    grow,
    proportional,
    room,
    shrink,
)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "most", "least"),
    [
        (10, "25%", "25%", 13, 8),
        (1, "25%", "25%", 2, 1),
        (3, 1, 0, 4, 3),
        (4, 0, 0, 4, 3),
        (0, "25%", "25%", 0, 0),
        (2, 0, 5, 2, 0),
    ],
)
def test_percentages_round_in_favour_of_capacity(replicas, surge, unavailable, most, least):
    limits = room(replicas, surge, unavailable)
    assert (limits.most, limits.least) == (most, least)


moments = st.tuples(st.integers(0, 2), st.booleans())


@given(
    replicas=st.integers(1, 8),
    surge=st.integers(0, 4),
    unavailable=st.integers(0, 4),
    history=st.lists(moments, min_size=10, max_size=80),
)
def test_a_rolling_update_stays_within_its_room_and_gets_there(
    replicas, surge, unavailable, history
):
    """New Pods become available by chance, and the report of the old ones may be out of date."""
    limits = room(replicas, surge, unavailable)
    old, new, reported = replicas, Replicas("new", 0, 0), replicas
    for ready, fresh in [*history, *([(8, True)] * 60)]:
        reported = old if fresh else reported
        seen = Replicas("old", old, reported)
        new = Replicas("new", grow(new, [seen], limits), new.available)
        assert new.wanted + old <= limits.most
        old = shrink(new, [seen], limits)["old"]
        assert old + new.available >= min(limits.least, replicas), "lost capacity"
        new = Replicas("new", new.wanted, min(new.wanted, new.available + ready))
    assert (old, new.wanted) == (0, replicas)


def test_replicas_that_do_not_serve_go_first():
    new, broken, good = Replicas("new", 1, 1), Replicas("broken", 2, 0), Replicas("good", 3, 3)
    assert shrink(new, [good, broken], Room(4, 2, 1)) == {"good": 2, "broken": 0}


def test_old_replicas_that_may_yet_start_are_kept_until_the_new_ones_serve():
    assert shrink(Replicas("new", 1, 0), [Replicas("old", 3, 0)], Room(3, 1, 1)) == {"old": 2}


def test_a_stale_report_does_not_take_out_serving_replicas():
    new = Replicas("new", 3, 0)
    assert shrink(new, [Replicas("old", 3, 3)], Room(3, 3, 0)) == {"old": 3}


@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4), after=st.integers(0, 20))
def test_scaling_in_the_middle_keeps_the_sum_and_no_set_is_negative(sizes, after):
    sets = [Replicas(f"set-{index}", size, size) for index, size in enumerate(sizes)]
    limits = Room(after, 0, 1)
    result = proportional(sets, sum(sizes), limits)
    assert sum(result.values()) == after
    assert min(result.values()) >= 0
