"""What every implementation of the TrafficCounts port does."""

import pytest

from crossfade.base.errors import Unavailable
from crossfade.core.release.revision import Revision
from crossfade.ports.traffic_counts import SLOWER_EDGES

GOOD = Revision("r1111111", "colors", "default", "", "", {"colour": "blue", "replicaCount": 1})
BAD = Revision("r2222222", "colors", "default", "", "", {"errorRate": 1, "replicaCount": 1})
SLOW = Revision("r3333333", "colors", "default", "", "", {"latencyMs": 120, "replicaCount": 1})


def in_short(counts):
    return {each.revision: (each.requests, each.errors) for each in counts}


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
    assert in_short(await counts.read("colors")) == {"r1111111": (7, 0), "r2222222": (5, 5)}


async def test_counts_are_totals_so_that_they_only_rise(world, counts):
    await world.ask(GOOD, 2)
    await world.ask(GOOD, 3)
    assert in_short(await counts.read("colors")) == {"r1111111": (5, 0)}


async def test_it_is_told_how_many_answers_were_slower_than_each_edge(world, until):
    await world.access.releases.install(SLOW, world.chart)
    counts = world.counts(SLOW)
    await world.ask(SLOW, 10)

    async def timed():
        (found,) = await counts.read("colors")
        return found.slower.get(100) == 10

    await until(timed)
    (found,) = await counts.read("colors")
    assert tuple(found.slower) == SLOWER_EDGES
    assert (found.slower[50], found.slower[1000]) == (10, 0)


async def test_counters_that_cannot_be_read_are_no_zeros(world):
    await world.lose_counters()
    with pytest.raises(Unavailable) as raised:
        await world.counts(GOOD).read("colors")
    assert raised.value.hint
