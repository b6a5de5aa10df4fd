"""The store on PostgreSQL in trouble: what a person is told, and what goes on by itself."""

import asyncio
import secrets

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from crossfade.adapters.store import database
from crossfade.adapters.store.schema import metadata
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.errors import Conflict, Denied, InputError, Unavailable
from crossfade.ports.documents import Event, Save


@pytest.fixture
def name():
    return f"pg-{secrets.token_hex(4)}"


@pytest.fixture
async def store(postgres, name):
    opened = await SqlStore.open(postgres.database(name))
    yield opened
    await opened.close()


def end_sessions(postgres):
    """As a restart of the server does, or a pooler that is replaced."""
    postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'crossfade'"
    )


async def test_a_connection_that_was_cut_is_made_again_and_nothing_is_lost(store, postgres):
    await store.commit((Save("application", "colors", 0, {"n": 1}),))
    end_sessions(postgres)
    await store.commit((Save("application", "colors", 1, {"n": 2}),))
    end_sessions(postgres)

    assert (await store.get("application", "colors")).body == {"n": 2}


async def test_a_server_that_has_left_its_socket_is_away_and_not_a_wrong_address(tmp_path):
    """Or a hub beside its database would end when that is started anew."""
    with pytest.raises(Unavailable, match="does not answer"):
        await SqlStore.open(f"postgresql://crossfade@/x?host={tmp_path}")


async def test_an_address_that_cannot_be_is_told_from_a_server_that_is_away():
    with pytest.raises(InputError, match="cannot be used"):
        await SqlStore.open("postgresql://crossfade@127.0.0.1:99999/x")


async def test_commits_while_connections_are_cut_are_made_whole_or_refused(store, postgres):
    made, refused = set(), set()

    async def write(number):
        changes = (Save("left", str(number), 0, {}), Save("right", str(number), 0, {}))
        try:
            await store.commit(changes, (Event("n", 0.0, str(number), {}),))
            made.add(str(number))
        except Unavailable:
            refused.add(str(number))

    async with asyncio.TaskGroup() as group:
        for number in range(300):
            group.create_task(write(number))
            if number % 60 == 59:
                group.create_task(asyncio.to_thread(end_sessions, postgres))
                await asyncio.sleep(0.01)

    left = {each.name for each in await store.list("left")}
    assert left == {each.name for each in await store.list("right")}
    assert made <= left, "what was reported is there"
    assert left == {each.reason for each in await store.events()}
    assert made | refused == {str(number) for number in range(300)}


async def test_a_database_that_is_not_there_is_named_with_what_to_do(postgres):
    with pytest.raises(InputError, match="no such database") as caught:
        await SqlStore.open(postgres.url("nowhere"))
    assert "createdb" in caught.value.hint


@pytest.mark.parametrize(
    ("address", "kind", "message"),
    [
        ("postgresql://x@127.0.0.1:1/a", Unavailable, "does not answer"),
        ("postgresql://x@127.0.0.1:port/a", InputError, "cannot be used"),
        ("postgresql://x@127.0.0.1:1/a?sslmode=banana", InputError, "sslmode"),
        ("mysql://x@127.0.0.1/a", InputError, "SQLite or PostgreSQL"),
    ],
)
async def test_an_address_that_leads_nowhere_says_why(address, kind, message):
    with pytest.raises(kind, match=message):
        await SqlStore.open(address)


async def test_a_password_is_never_shown():
    with pytest.raises(Unavailable) as caught:
        await SqlStore.open("postgresql://me:sesame@127.0.0.1:1/a")
    assert "sesame" not in str(caught.value)
    assert "me:***@127.0.0.1" in str(caught.value)


async def test_a_user_whom_the_server_does_not_know_is_not_let_in(postgres):
    with pytest.raises(Denied, match="let us in"):
        await SqlStore.open(postgres.url("postgres").replace("crossfade@", "stranger@"))


async def test_a_user_who_may_only_read_is_told_so(postgres, name, store):
    await store.commit((Save("application", "colors", 0, {}),))
    postgres.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    end_sessions(postgres)

    with pytest.raises(Denied, match="read-only"):
        await store.commit((Save("application", "colors", 1, {}),))
    assert (await store.get("application", "colors")).version == 1


async def test_a_database_of_another_program_is_left_alone(postgres, name):
    url = postgres.database(name)
    store = await SqlStore.open(postgres.database(f"{name}-2"))
    with store._engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (x int)")
    await store.close()
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs (x int)")
    with pytest.raises(InputError, match="another program"):
        await SqlStore.open(url)


async def test_hubs_that_make_the_same_store_at_once_all_get_it(postgres, name):
    url = postgres.database(name)
    stores = []

    async def start():
        stores.append(await SqlStore.open(url))

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(start())
    for store in stores:
        await store.commit((), (Event("n", 0.0, "", {}),))

    assert await stores[0].sequence() == 6
    for store in stores:
        await store.close()


async def test_the_migrations_lead_to_the_layout_that_a_new_database_gets(
    postgres, name, monkeypatch
):
    monkeypatch.setattr(database, "_prepare_layout", database.migrate)
    engine = database.connect(postgres.database(name))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


async def test_two_writers_with_one_version_are_never_both_right(postgres, name, store):
    other = await SqlStore.open(postgres.url(name))
    outcomes = []

    async def write(writer, number):
        try:
            await writer.commit((Save("application", "colors", 0, {"by": number}),))
            outcomes.append(number)
        except Conflict:
            pass

    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(write((store, other)[number % 2], number))

    assert outcomes == [(await store.get("application", "colors")).body["by"]]
    await other.close()


async def test_what_no_database_can_keep_in_a_text_is_kept_readable(store):
    await store.commit((), (Event("n", 0.0, "it said \0 and \ud800", {}),))

    assert (await store.events())[0].reason == "it said \N{REPLACEMENT CHARACTER} and ?"
