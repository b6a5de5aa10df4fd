"""Whatever goes wrong on the way: every promise holds after each turn, and the end is as wanted."""

import pytest

from crossfade.testing.histories import begin, story, tell

STORIES = 8
"""`make sim` tells many more."""


def test_a_seed_tells_the_same_story_each_time():
    assert story(5) == story(5)
    assert len({str(story(seed)) for seed in range(30)}) == 30


@pytest.mark.timeout(120)
async def test_no_story_breaks_a_promise():
    begun = await begin()
    for seed in range(STORIES):
        await tell(story(seed), begun)
