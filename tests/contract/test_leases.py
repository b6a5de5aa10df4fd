"""What every store of leases does, so that one hub at a time writes."""

import pytest

from crossfade.base.errors import Conflict
from crossfade.ports.leases import Lease


async def test_there_is_no_lease_before_the_first_one(store):
    assert await store.current("hub") is None


async def test_the_first_holder_gets_it(store):
    lease = await store.acquire("hub", "first", 100.0, 10.0)

    assert lease == Lease("first", 1, 110.0)
    assert await store.current("hub") == lease


async def test_a_second_hub_is_refused_and_told_who_holds_the_store(store):
    held = await store.acquire("hub", "first", 100.0, 10.0)

    with pytest.raises(Conflict, match="first"):
        await store.acquire("hub", "second", 109.9, 10.0)
    assert await store.current("hub") == held


async def test_renewal_moves_the_end_and_keeps_the_epoch(store):
    await store.acquire("hub", "first", 100.0, 10.0)

    assert await store.acquire("hub", "first", 105.0, 10.0) == Lease("first", 1, 115.0)


async def test_a_late_holder_that_nobody_replaced_goes_on(store):
    await store.acquire("hub", "first", 100.0, 10.0)

    assert await store.acquire("hub", "first", 300.0, 10.0) == Lease("first", 1, 310.0)


async def test_a_new_holder_gets_a_higher_epoch_once_the_lease_has_expired(store):
    await store.acquire("hub", "first", 100.0, 10.0)

    assert await store.acquire("hub", "second", 110.0, 10.0) == Lease("second", 2, 120.0)
    with pytest.raises(Conflict, match="second"):
        await store.acquire("hub", "first", 111.0, 10.0)


async def test_a_released_lease_is_free_at_once_and_its_epoch_is_not_given_again(store):
    await store.acquire("hub", "first", 100.0, 10.0)
    await store.release("hub", "first")

    assert (await store.current("hub")).expires_at <= 100.0
    assert await store.acquire("hub", "first", 101.0, 10.0) == Lease("first", 2, 111.0)


async def test_only_the_holder_can_release(store):
    await store.release("hub", "nobody")
    held = await store.acquire("hub", "first", 100.0, 10.0)
    await store.release("hub", "second")

    assert await store.current("hub") == held


async def test_leases_of_different_names_do_not_touch_each_other(store):
    await store.acquire("hub", "first", 100.0, 10.0)

    assert await store.acquire("other", "second", 100.0, 10.0) == Lease("second", 1, 110.0)
