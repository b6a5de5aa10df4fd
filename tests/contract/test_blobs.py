"""What every store of bytes does."""

import hashlib

import pytest

from crossfade.base.errors import NotFound


@pytest.mark.parametrize("data", [b"", b"chart", bytes(range(256)) * 8000], ids=len)
async def test_bytes_are_found_again_by_their_digest(store, data):
    digest = await store.put(data)

    assert digest == hashlib.sha256(data).hexdigest()
    assert await store.fetch(digest) == data


async def test_the_same_bytes_can_be_put_again(store):
    assert await store.put(b"chart") == await store.put(b"chart")


async def test_bytes_that_were_never_put_are_not_found(store):
    with pytest.raises(NotFound):
        await store.fetch("0" * 64)
