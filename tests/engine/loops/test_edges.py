"""What is written down of edges."""

import pytest

from crossfade.engine.loops.edges import EdgeWatch
from crossfade.engine.records import Records
from crossfade.ports.edge import EdgePlan
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_edges import FakeEdges
from crossfade.testing.fake_store import FakeStore


class Watched:
    def __init__(self):
        self.store, self.clock = FakeStore(), FakeClock()
        self.edges = FakeEdges(self.clock)
        self.start_hub()

    def start_hub(self):
        self.watch = EdgeWatch(Records(self.store), self.edges, self.clock)

    async def look(self, seconds: float = 1.0):
        self.clock.advance(seconds)
        await self.watch.reconcile("edges")
        stored = await Records(self.store).edges()
        return {each.edge: each for each in stored.value.edges}

    async def heard(self):
        return [(each.subject, each.reason) for each in await self.store.events()]


@pytest.fixture
def watched():
    return Watched()


async def test_every_edge_is_known_with_the_plan_it_has_in_force(watched):
    watched.edges.connect("edge-1")
    watched.edges.connect("edge-2", slow=True)
    await watched.edges.publish(EdgePlan(3, ()))
    known = await watched.look()

    assert {name: each.plan for name, each in known.items()} == {"edge-1": 3, "edge-2": 0}


async def test_a_refusal_is_kept_in_the_edge_s_words_and_in_the_history(watched):
    watched.edges.connect("edge-1", refuse="no such path")
    known = await watched.look()

    assert known["edge-1"].refused == "no such path"
    assert ("edges/edge-1", "the edge keeps plan 0: no such path") in await watched.heard()


async def test_nothing_is_written_while_nothing_changes(watched):
    watched.edges.connect("edge-1")
    await watched.look()
    written = await watched.store.sequence()
    for _ in range(5):
        await watched.look()

    assert await watched.store.sequence() == written


async def test_a_hub_that_starts_gives_edges_time_to_come_back(watched):
    watched.edges.connect("edge-1")
    await watched.look()
    watched.edges.disconnect("edge-1")
    watched.start_hub()
    assert (await watched.look(seconds=3600))["edge-1"].gone_since is None
    watched.edges.connect("edge-1")
    await watched.look()

    assert [reason for _, reason in await watched.heard()] == ["the edge is connected"]


async def test_an_edge_that_goes_is_said_to_be_gone_and_forgotten_in_the_end(watched):
    watched.edges.connect("edge-1")
    await watched.look()
    watched.edges.disconnect("edge-1")
    for _ in range(4):
        known = await watched.look()
    assert known["edge-1"].gone_since == 1001.0

    assert await watched.look(seconds=300) == {}
    assert watched.watch._seen_at == {}, "forgotten edges would pile up"
