"""What a hub is told of changes that it has not made itself."""

from crossfade.ports.documents import Remove, Save


async def test_only_what_was_changed_without_a_fence_is_told(store):
    hub = await store.acquire("hub", "me", 0.0, 10.0)
    await store.commit((Save("a", "ours", 0, {}),), fence=hub.epoch)
    at = await store.commit((Save("a", "theirs", 0, {}), Save("b", "theirs", 0, {})))
    await store.commit((Save("a", "ours", 1, {}),), fence=hub.epoch)

    assert sorted(await store.changed_outside(0)) == [("a", "theirs"), ("b", "theirs")]
    assert sorted(await store.changed_outside(at - 1)) == [("a", "theirs"), ("b", "theirs")]
    assert await store.changed_outside(at) == ()


async def test_what_was_changed_often_is_told_once_and_what_was_removed_as_well(store):
    await store.commit((Save("a", "x", 0, {}), Save("a", "x", 1, {})))
    at = await store.commit((Save("a", "x", 2, {}),))
    await store.commit((Remove("a", "x", 3),))

    assert await store.changed_outside(0) == (("a", "x"),)
    assert await store.changed_outside(at) == (("a", "x"),)


async def test_a_refused_change_is_not_told(store):
    try:
        await store.commit((Save("a", "x", 7, {}),))
    except Exception:
        assert await store.changed_outside(0) == ()
