"""Implementations that the contract suites run on."""

from collections.abc import AsyncIterator

import pytest

from crossfade.adapters.store.sql import SqlStore
from crossfade.testing.fake_store import FakeStore


@pytest.fixture(params=["sqlite", "memory"])
async def store(request, tmp_path) -> AsyncIterator[SqlStore | FakeStore]:
    """Every store that implements Documents, Blobs and Leases, empty."""
    if request.param == "memory":
        yield FakeStore()
        return
    opened = await SqlStore.open(f"sqlite:///{tmp_path}/store/crossfade.db")
    yield opened
    await opened.close()
