"""A store of its own for each test."""

import secrets

import pytest

from crossfade.adapters.store.sql import SqlStore


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store/crossfade.db"


@pytest.fixture(params=["sqlite", "postgres"])
def shared_url(request, url):
    """The address of a store that several processes open at once, of either kind."""
    if request.param == "sqlite":
        return url
    server = request.getfixturevalue("postgres")
    return server.database(f"store-{secrets.token_hex(4)}")


@pytest.fixture
async def shared_store(shared_url):
    opened = await SqlStore.open(shared_url)
    yield opened
    await opened.close()


@pytest.fixture
async def store(url):
    opened = await SqlStore.open(url)
    yield opened
    await opened.close()
