"""Which rollouts can no longer be explained decision by decision."""

import pytest

from crossfade.core.rollout.retention import (
    FRESH_SECONDS,
    KEEP_SECONDS,
    MOST_EVENTS,
    Ended,
    to_forget,
)

NOW = 100 * KEEP_SECONDS
OLD, YOUNG, FRESH = NOW - KEEP_SECONDS - 1, NOW - 2 * FRESH_SECONDS, NOW - FRESH_SECONDS / 2


@pytest.mark.parametrize(
    ("ended_at", "newest", "total", "gone"),
    [
        pytest.param(OLD, False, 1000, True, id="old"),
        pytest.param(OLD, True, 1000, False, id="old-but-the-newest-of-its-application"),
        pytest.param(YOUNG, False, 1000, False, id="young"),
        pytest.param(YOUNG, False, MOST_EVENTS + 1, True, id="young-but-there-are-too-many"),
        pytest.param(OLD, True, MOST_EVENTS + 1, True, id="newest-but-there-are-too-many"),
        pytest.param(FRESH, False, MOST_EVENTS * 9, False, id="fresh-however-many-there-are"),
    ],
)
def test_of_what_the_details_go(ended_at, newest, total, gone):
    one = Ended("a.000001", ended_at, 10, newest)

    assert to_forget([one], total, NOW) == (("a.000001",) if gone else ())


def test_of_too_many_the_oldest_go_and_no_more_than_needed():
    ended = [Ended(f"a.{number:06}", YOUNG - number, 10, False) for number in range(100)]

    assert to_forget(ended, MOST_EVENTS + 25, NOW) == ("a.000099", "a.000098", "a.000097")
