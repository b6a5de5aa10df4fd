"""A network that is cut moves nobody; a cloud that dies moves its users soon."""

import pytest

from crossfade.testing.partitions import Cut, false_moves, real_loss, story

STORIES = 60
"""Of each kind; bench/false_failovers.py tells 10,000."""


@pytest.mark.parametrize("cut", Cut)
def test_no_partition_moves_users(cut):
    moved = {
        str(told): moves for n in range(STORIES) if (moves := false_moves(told := story(n, cut)))
    }

    assert moved == {}


def test_a_story_is_the_same_each_time_it_is_told():
    assert story(7, Cut.HUB) == story(7, Cut.HUB)
    assert len({str(story(n, Cut.VANTAGE)) for n in range(20)}) == 20


def test_users_leave_a_cloud_that_really_dies():
    for seed in range(STORIES):
        told, move = real_loss(seed)
        assert move is not None, told
        # One edge alone waits for a second opinion: six API probes, one in 5 s.
        limit = 31 if len(told.edges) == 1 else 4
        assert move.at - told.begin <= limit, told
