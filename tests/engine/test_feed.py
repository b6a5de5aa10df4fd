"""Who watches loses nothing, however far behind, and nobody's history is read twice for many."""

import pytest

from crossfade.engine import feed as feed_module
from crossfade.engine.feed import Feed, newest_number
from crossfade.ports.documents import Event
from crossfade.testing.fake_store import FakeStore


async def happen(store, count):
    for _ in range(count):
        await store.commit((), (Event("a/1", 1.0, "x", {"large": True}),))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 17])
async def test_the_end_of_the_history_is_found(count):
    store = FakeStore()
    await happen(store, count)

    assert await newest_number(store) == count


@pytest.mark.parametrize("ring", [1, 3, 100])
@pytest.mark.parametrize("cursor", range(12))
async def test_every_event_after_the_cursor_comes_once_and_in_order(ring, cursor, monkeypatch):
    monkeypatch.setattr(feed_module, "_RING", ring)
    store = FakeStore()
    await happen(store, 4)
    feed = Feed(store)
    await feed.begin()
    await happen(store, 8)
    await feed.look()
    found = []
    while page := await feed.after(cursor + len(found), 2):
        found += [each.number for each in page]

    assert found == list(range(cursor + 1, 13))


async def test_facts_are_left_out_from_the_ring_and_from_the_store():
    store = FakeStore()
    await happen(store, 2)
    feed = Feed(store)
    await feed.begin()
    await happen(store, 1)
    await feed.look()

    assert [each.facts for each in await feed.after(0)] == [{}, {}, {}]
    assert [each.facts for each in await feed.after(2)] == [{}]
