"""Epochs count changes of shares, and nothing else."""

import pytest

from crossfade.core.release.wanted import Wanted, change
from crossfade.testing.builders import BLUE, YELLOW

BEFORE = Wanted(3, 10.0, {BLUE.id: 100}, (BLUE,))


def test_new_shares_make_a_new_epoch():
    after = change(BEFORE, {BLUE.id: 90, YELLOW.id: 10}, (BLUE, YELLOW), 20.0)

    assert (after.epoch, after.since) == (4, 20.0)


def test_a_revision_more_makes_none_so_that_users_are_not_disturbed_by_an_installation():
    after = change(BEFORE, {BLUE.id: 100, YELLOW.id: 0}, (BLUE, YELLOW), 20.0)

    assert (after.epoch, after.since, after.revisions) == (3, 10.0, (BLUE, YELLOW))


@pytest.mark.parametrize("shares", [{BLUE.id: 90}, {YELLOW.id: 100}, {BLUE.id: 60, YELLOW.id: 60}])
def test_shares_that_lose_or_double_users_are_refused(shares):
    with pytest.raises(ValueError, match="must sum to 100"):
        change(BEFORE, shares, (BLUE,), 20.0)
