"""No command without its entry, and no entry that stands in the way of a command."""

import asyncio

import pytest

from crossfade.base.errors import Conflict
from crossfade.engine.access_records import AUDIT_LOG
from crossfade.engine.audit import AuditedDocuments, AuditLog, Verified
from crossfade.ports.documents import Event, Save
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_store import FakeStore


class SlowStore(FakeStore):
    """A store during whose reads others get their turn."""

    async def get(self, kind, name):
        found = await super().get(kind, name)
        await asyncio.sleep(0)
        return found


def by(store, who="ann"):
    return AuditedDocuments(store, who, "cli", FakeClock())


async def entries(store):
    return [each async for each in AuditLog(store).entries()]


async def test_each_change_leaves_who_did_what_and_how():
    store = FakeStore()
    await by(store).commit((Save("a", "1", 0, {}),), (Event("a/1", 1.0, "made", {}),))
    await by(store, "bob").commit((Save("a", "2", 0, {}),))

    found = [(each.deed.who, each.deed.via, each.deed.what) for each in await entries(store)]
    assert found == [("ann", "cli", ("a/1: made",)), ("bob", "cli", ("a/2: saved",))]


async def test_a_change_that_is_not_made_leaves_no_entry():
    store = FakeStore()
    with pytest.raises(Conflict):
        await by(store).commit((Save("a", "1", 7, {}),))

    assert await entries(store) == []


async def test_people_who_change_different_things_at_once_do_not_disturb_each_other():
    store = SlowStore()
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            save = Save("a", str(number), 0, {})
            group.create_task(by(store, str(number)).commit((save,)))

    assert len(await store.list("a")) == 20
    assert sorted(int(each.deed.who) for each in await entries(store)) == list(range(20))
    assert await AuditLog(store).verify() == Verified(20, "")


async def test_a_log_of_several_pages_is_read_whole(monkeypatch):
    monkeypatch.setattr("crossfade.engine.audit._PAGE", 2)
    store = FakeStore()
    for number in range(5):
        await by(store).commit((Save("a", str(number), 0, {}),))

    assert [each.number for each in await entries(store)] == [1, 2, 3, 4, 5]
    assert (await AuditLog(store).verify()).entries == 5


async def test_an_entry_that_is_taken_out_of_the_store_is_missed():
    store = FakeStore()
    for number in range(3):
        await by(store).commit((Save("a", str(number), 0, {}),))
    events = await store.events(AUDIT_LOG)
    await store.forget_events((events[-1].number,), 0)

    assert (await AuditLog(store).verify()).wrong == "entries after 2 are missing, there were 3"


async def test_what_was_refused_is_written_down():
    store = FakeStore()
    await by(store).refused("release on `colors`")

    assert [each.deed.outcome for each in await entries(store)] == ["refused"]


async def test_the_newest_entries_are_found_however_much_else_has_happened():
    store = FakeStore()
    for number in range(5):
        await by(store).commit((Save("a", str(number), 0, {}),))
        await store.commit((), tuple(Event("b/1", 1.0, "said", {}) for _ in range(40)))
    newest_event = (await store.events(None, 0, 1000))[-1].number

    two = await AuditLog(store).newest(2, newest_event)
    many = await AuditLog(store).newest(50, newest_event)

    older = await AuditLog(store).newest(2, newest_event, before=two[-1][0])

    assert [each.number for _, each in two] == [5, 4]
    assert [each.number for _, each in older] == [3, 2]
    assert [each.number for _, each in many] == [5, 4, 3, 2, 1]
    assert [each.number for each in await AuditLog(store).latest(2)] == [4, 5]
    assert await AuditLog(FakeStore()).newest(2, 0) == ()
