"""A store of its own for each test."""

import pytest

from crossfade.adapters.store.sql import SqlStore


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store/crossfade.db"


@pytest.fixture
async def store(url):
    opened = await SqlStore.open(url)
    yield opened
    await opened.close()
