"""What every implementation of the TrafficCounts port does."""

import pytest

from crossfade.base.errors import Unavailable
from crossfade.core.release.revision import Revision
from crossfade.ports.traffic_counts import Counts

GOOD = Revision("r1111111", "colors", "default", "", "", {"colour": "blue", "replicaCount": 1})
BAD = Revision("r2222222", "colors", "default", "", "", {"errorRate": 1, "replicaCount": 1})


@pytest.fixture
async def counts(world):
    for revision in (GOOD, BAD):
        await world.access.releases.install(revision, world.chart)
    return world.counts(GOOD, BAD)


async def test_a_revision_that_was_never_asked_is_missing_not_zero(counts):
    assert await counts.read("colors") == ()


async def test_requests_and_failures_are_counted_for_the_revision_that_got_them(world, counts):
    await world.ask(GOOD, 7)
    await world.ask(BAD, 5)
    assert await counts.read("colors") == (Counts("r1111111", 7, 0), Counts("r2222222", 5, 5))


async def test_counts_are_totals_so_that_they_only_rise(world, counts):
    await world.ask(GOOD, 2)
    await world.ask(GOOD, 3)
    assert await counts.read("colors") == (Counts("r1111111", 5, 0),)


async def test_counters_that_cannot_be_read_are_no_zeros(world):
    await world.lose_counters()
    with pytest.raises(Unavailable) as raised:
        await world.counts(GOOD).read("colors")
    assert raised.value.hint
