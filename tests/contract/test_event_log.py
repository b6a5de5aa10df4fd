"""How the history of a store is counted, and parts of it forgotten."""

import pytest

from crossfade.base.errors import Conflict
from crossfade.ports.documents import Event, Save


async def tell(store, *subjects, fence=0):
    await store.commit((), tuple(Event(each, 1.0, each, {}) for each in subjects), fence)


async def test_events_are_counted_by_subject(store):
    assert await store.event_counts() == {}
    await tell(store, "rollout/a", "rollout/b", "rollout/a")

    assert await store.event_counts() == {"rollout/a": 2, "rollout/b": 1}


async def test_what_was_forgotten_is_gone_and_all_else_is_there_in_its_order(store):
    await tell(store, "a", "b", "a", "c")
    numbers = [each.number for each in await store.events()]
    await store.forget_events((numbers[0], numbers[3]), 0)

    assert [each.subject for each in await store.events()] == ["b", "a"]
    assert await store.event_counts() == {"a": 1, "b": 1}


async def test_a_number_is_not_given_again_after_its_event_was_forgotten(store):
    """Whoever has read up to it would never see the new one."""
    await tell(store, "a", "b")
    last = (await store.events())[-1].number
    await store.forget_events((last,), 0)
    await tell(store, "c")

    (found,) = await store.events(after=last)
    assert found.subject == "c"


async def test_events_that_are_not_there_are_forgotten_without_a_word(store):
    await store.forget_events((), 0)
    await store.forget_events((1, 2, 3), 0)
    await tell(store, "a")

    assert len(await store.events()) == 1


async def test_a_hub_that_was_replaced_forgets_nothing(store):
    old = await store.acquire("hub", "first", 0.0, 10.0)
    await tell(store, "a")
    await store.acquire("hub", "second", 11.0, 10.0)

    with pytest.raises(Conflict):
        await store.forget_events((1,), old.epoch)
    assert len(await store.events()) == 1


async def test_changes_that_were_not_made_by_the_hub_outlive_events(store):
    await store.commit((Save("a", "x", 0, {}),), (Event("a", 1.0, "", {}),))
    await store.forget_events((1,), 0)

    assert await store.changed_outside(0) == (("a", "x"),)
