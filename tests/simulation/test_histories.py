"""Whatever goes wrong on the way: every promise holds after each event, and the end is as wanted."""

import pytest

from crossfade.testing.histories import moments, story, tell
from crossfade.testing.interleavings import interleave

STORIES = 8
"""`make sim` tells many more."""


def test_a_seed_tells_the_same_story_each_time():
    assert story(5) == story(5)
    assert len({str(story(seed)) for seed in range(30)}) == 30


def test_a_story_that_is_told_again_ends_with_the_very_same_world():
    ends = []
    for _ in range(2):
        world = [each.world for each in moments(story(3))][-1]
        acts = [each.acts for each in world.clusters.values()]
        ends.append((world.clock.now(), world.store.history(0), acts, world.edges.plans))

    assert ends[0] == ends[1]


@pytest.mark.timeout(120)
def test_no_story_breaks_a_promise():
    for seed in range(STORIES):
        tell(story(seed))


@pytest.mark.timeout(120)
def test_no_order_of_operations_breaks_a_promise():
    """Two from each moment of a story; `make sim` tells a hundred thousand."""
    for seed in (20, 21, 22):
        for turn, telling in enumerate(moments(story(seed))):
            for number in range(2):
                interleave(telling, f"{seed}.{turn}.{number}")


def test_what_comes_of_a_moment_changes_nothing_for_the_story():
    undisturbed = [each.world.store.history(0) for each in moments(story(4))][-1]
    for telling in moments(story(4)):
        interleave(telling, "4.0.0")

    assert telling.world.store.history(0) == undisturbed
