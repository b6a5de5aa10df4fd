"""What is kept in memory is never older than the hub may take it for, and never loses a write."""

import asyncio

import pytest

from crossfade.base.errors import Conflict, Unavailable
from crossfade.engine import cached_documents
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.ports.documents import Document, Event, Remove, Save
from crossfade.testing.fake_store import FakeStore


class CountingStore(FakeStore):
    """A store that counts what it is asked for, and may hold an answer back."""

    def __init__(self):
        super().__init__()
        self.reads = 0
        self.held = None

    async def get(self, kind, name):
        self.reads += 1
        found = await super().get(kind, name)
        await self._hold()
        return found

    async def list(self, kind, names=None):
        self.reads += 1
        found = await super().list(kind, names)
        await self._hold()
        return found

    async def _hold(self):
        if (held := self.held) is not None:
            await held.wait()


@pytest.fixture
def store():
    return CountingStore()


@pytest.fixture
def cached(store):
    return CachedDocuments(store)


def save(name, version=0, **body):
    return Save("thing", name, version, body)


async def test_what_nobody_has_changed_is_read_once(store, cached):
    await store.commit((save("a"), save("b")))
    await cached.refresh()
    first = await cached.list("thing")
    for _ in range(3):
        assert await cached.refresh() == ()
        assert await cached.list("thing") is first
        assert await cached.get("thing", "a") is first[0]
        assert await cached.get("other", "x") is None

    assert store.reads == 2


@pytest.mark.parametrize("listed", [True, False])
async def test_our_own_commits_are_seen_at_once_and_nothing_is_read_again(store, cached, listed):
    await cached.commit((save("a", step=1),))
    if listed:
        await cached.list("thing")
    reads = store.reads
    await cached.commit((save("a", 1, step=2), save("b")))
    await cached.commit((Remove("thing", "b", 1),))

    assert await cached.get("thing", "a") == Document("thing", "a", 2, {"step": 2})
    assert await cached.get("thing", "b") is None
    assert store.reads == reads
    assert await cached.list("thing") == (Document("thing", "a", 2, {"step": 2}),)
    assert await cached.list("thing") == await store.list("thing")


@pytest.mark.parametrize("listed", [True, False])
async def test_what_others_write_is_seen_after_the_next_refresh(store, cached, listed):
    await cached.commit((save("a", by="us"), save("gone")), fence=1)
    await cached.refresh()
    if listed:
        await cached.list("thing")
    await store.commit((save("a", 1, by="them"), save("b"), Remove("thing", "gone", 1)))

    assert set(await cached.refresh()) == {("thing", "a"), ("thing", "b"), ("thing", "gone")}
    assert (await cached.get("thing", "a")).body == {"by": "them"}
    assert [each.name for each in await cached.list("thing")] == ["a", "b"]
    assert await cached.list("thing") == await store.list("thing")


async def test_who_asks_for_a_list_sees_what_was_written_just_now_and_loops_hear_of_it_still(
    store, cached
):
    await cached.refresh()
    assert await cached.list("thing") == ()
    for name in ("a", "b"):
        await store.commit((save(name),))
        await cached.catch_up()
        assert name in [each.name for each in await cached.list("thing")]

    assert await cached.refresh() == (("thing", "a"), ("thing", "b"))
    assert await cached.refresh() == ()


async def test_looks_of_several_at_once_lose_no_change(store, cached):
    await cached.refresh()
    told = []
    for number in range(20):
        await store.commit((save(f"t{number}"),))
        looks = (cached.catch_up(), cached.refresh(), cached.catch_up())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in looks]
        told += tasks[1].result()
    told += await cached.refresh()

    assert {name for _, name in told} == {f"t{number}" for number in range(20)}


async def test_one_command_of_a_user_does_not_have_a_thousand_documents_read_again(store, cached):
    await store.commit(tuple(save(str(number)) for number in range(1000)))
    await cached.refresh()
    await cached.list("thing")
    reads = store.reads
    await store.commit((save("7", 1, by="them"),))
    await cached.refresh()

    assert len(await cached.list("thing")) == 1000
    assert (await cached.get("thing", "7")).body == {"by": "them"}
    assert store.reads == reads + 1


async def test_when_others_change_very_much_it_is_read_at_once_and_right(store, cached):
    await store.commit(tuple(save(str(number)) for number in range(1000)))
    await cached.refresh()
    await cached.list("thing")
    reads = store.reads
    await store.commit(tuple(save(str(number), 1, by="them") for number in range(500)))
    await cached.refresh()

    listed = await cached.list("thing")
    assert store.reads == reads + 1
    assert listed == await store.list("thing")


async def test_what_we_wrote_ourselves_is_not_read_again_after_a_refresh(store, cached):
    await cached.refresh()
    await cached.commit((save("a", by="us"),), fence=1)
    await cached.list("thing")
    reads = store.reads
    assert await cached.refresh() == ()

    assert (await cached.get("thing", "a")).body == {"by": "us"}
    assert store.reads == reads


async def test_what_an_event_tells_of_is_read_as_new_as_the_event(store, cached):
    """A message about the first rollout of an application found no such application."""
    await cached.refresh()
    assert await cached.get("thing", "a") is None
    await store.commit((save("a"),), (Event("thing/a", 1.0, "made", {}),))

    assert [each.reason for each in await cached.events()] == ["made"]
    assert (await cached.get("thing", "a")).version == 1
    assert await cached.refresh() == (("thing", "a"),), "the hub is still told"


async def test_after_too_long_everything_may_have_changed(store, cached, monkeypatch):
    await store.commit((save("a"),))
    await cached.refresh()
    await cached.list("thing")
    monkeypatch.setattr(cached_documents, "REMEMBERED", 1)
    await store.commit((save("a", 1),), fence=1)
    await store.commit((save("b"),), fence=1)

    assert await cached.refresh() is None
    assert await cached.list("thing") == await store.list("thing")


async def test_a_refused_commit_is_followed_by_a_fresh_look(store, cached):
    await cached.commit((save("a", by="us"),))
    await store.commit((save("a", 1, by="them"),))
    with pytest.raises(Conflict):
        await cached.commit((save("a", 1, by="us again"),))

    assert (await cached.get("thing", "a")).version == 2


async def test_after_a_commit_of_which_nobody_knows_whether_it_was_made_all_is_read_anew(
    store, cached
):
    class Dying(FakeStore):
        async def commit(self, *arguments):
            await FakeStore.commit(self, *arguments)
            raise Unavailable("the line is cut", hint="wait")

    dying = Dying()
    cached = CachedDocuments(dying)
    assert await cached.get("thing", "a") is None
    with pytest.raises(Unavailable):
        await cached.commit((save("a"),))

    assert (await cached.get("thing", "a")).version == 1


@pytest.mark.parametrize("listed", [True, False])
async def test_a_read_that_was_on_its_way_does_not_undo_what_was_written_meanwhile(
    store, cached, listed
):
    await cached.commit((save("a", step=1), save("gone")))
    await cached.refresh()  # the first: all is read again
    store.held = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        read = group.create_task(cached.list("thing") if listed else cached.get("thing", "a"))
        await asyncio.sleep(0)
        changes = (save("a", 1, step=2), save("new"), Remove("thing", "gone", 1))
        await cached.commit(changes)
        store.held.set()
    seen = read.result()

    assert (seen if not listed else seen[0]).body == {"step": 2}
    assert (await cached.get("thing", "a")).version == 2
    assert [each.name for each in await cached.list("thing")] == ["a", "new"]


async def test_a_read_that_was_on_its_way_when_others_wrote_is_not_kept(store, cached):
    await store.commit((save("a", step=1),))
    await cached.refresh()
    store.held = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        read = group.create_task(cached.get("thing", "a"))
        await asyncio.sleep(0)
        await store.commit((save("a", 1, step=2),))
        await cached.refresh()
        store.held.set()

    assert read.result().version == 1
    assert (await cached.get("thing", "a")).version == 2


async def test_of_two_reads_at_once_the_later_to_end_still_learns_what_was_written(store, cached):
    await store.commit((save("a", step=1), save("b")))
    await cached.refresh()
    store.held = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        read = group.create_task(cached.get("thing", "a"))
        await asyncio.sleep(0)
        held, store.held = store.held, None
        await cached.get("thing", "b")
        await cached.commit((save("a", 1, step=2),))
        held.set()

    assert read.result().body == {"step": 2}
    assert (await cached.get("thing", "a")).version == 2


async def test_a_name_that_was_removed_and_made_anew_is_not_taken_for_the_old_one(store, cached):
    await cached.commit((save("a", life=1),))
    await cached.commit((Remove("thing", "a", 1),))
    await cached.commit((save("a", life=2),))

    assert (await cached.get("thing", "a")).body == {"life": 2}


async def test_documents_of_several_names_are_read_at_once_and_kept(store, cached):
    await store.commit((save("a"), save("b"), save("c")))
    await cached.refresh()
    await cached.get("thing", "a")

    for _ in range(2):
        found = await cached.list("thing", ["a", "b", "missing"])
        assert [each.name for each in found] == ["a", "b"]
    assert store.reads == 2
    await cached.get("thing", "missing")
    assert store.reads == 2


async def test_a_list_of_names_has_what_was_written_while_it_was_read(store, cached):
    await store.commit((save("a"),))
    await cached.refresh()
    store.held = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        read = group.create_task(cached.list("thing", ["a"]))
        while not store.reads:
            await asyncio.sleep(0)
        await cached.commit((save("a", 1, newer=True),), (), 7)
        store.held.set()

    assert [each.body for each in read.result()] == [{"newer": True}]
    assert (await cached.list("thing", ["a"]))[0].version == 2
