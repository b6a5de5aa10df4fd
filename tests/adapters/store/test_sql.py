"""The store in trouble: full disks, killed writers, several processes, files that vanish."""

import asyncio
import sqlite3
import subprocess
import sys
import time

import pytest
from sqlalchemy import event

from crossfade.adapters.store import database
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.errors import Conflict, Denied, Unavailable
from crossfade.ports.documents import Event, Save


def pragma(store: SqlStore, statement: str) -> None:
    with store._engine.connect() as connection:
        connection.exec_driver_sql(statement)


async def test_a_full_disk_refuses_the_commit_whole_and_later_ones_succeed_again(store):
    await store.commit((Save("application", "colors", 0, {"n": 1}),))
    pragma(store, "PRAGMA max_page_count = 1")

    with pytest.raises(Unavailable, match="disk is full") as caught:
        await store.commit(
            (
                Save("application", "colors", 1, {"n": 2}),
                Save("application", "big", 0, {"x": "y" * 100_000}),
            )
        )
    assert "space" in caught.value.hint
    assert (await store.get("application", "colors")).body == {"n": 1}
    assert await store.get("application", "big") is None

    pragma(store, "PRAGMA max_page_count = 1000000")
    await store.commit((Save("application", "colors", 1, {"n": 2}),))
    assert (await store.get("application", "colors")).body == {"n": 2}


FILE_LIMIT = """
import asyncio, resource, sys
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.errors import Unavailable
from crossfade.ports.documents import Save

async def main():
    store = await SqlStore.open(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    done = 0
    try:
        while True:
            await store.commit((Save("n", str(done), 0, {"x": "y" * 10_000}),))
            done += 1
    except Unavailable as error:
        print(done, len(await store.list("n")), error.code)

asyncio.run(main())
"""


async def test_a_file_that_may_not_grow_loses_nothing_that_was_committed(url):
    done = subprocess.run(
        [sys.executable, "-c", FILE_LIMIT, url], capture_output=True, text=True, timeout=60
    )
    committed, listed, code = done.stdout.split()
    store = await SqlStore.open(url)
    kept = len(await store.list("n"))
    await store.close()

    assert code == "unavailable"
    assert 0 < int(committed) == int(listed) == kept


COMMAND = """
import asyncio, sys
from crossfade.adapters.store.sql import SqlStore
from crossfade.ports.documents import Save

async def main():
    store = await SqlStore.open(sys.argv[1])
    await store.commit((Save("command", sys.argv[2], 0, {"x": "y" * 10_000}),))
    await store.close()

asyncio.run(main())
"""


async def test_commands_do_not_damage_the_store_of_a_hub_that_has_opened_it_twice(url):
    hub, api = await SqlStore.open(url), await SqlStore.open(url)
    for number in range(3):
        await hub.commit((Save("hub", str(number), 0, {"x": "y" * 10_000}),))
        await api.commit((Save("api", str(number), 0, {"x": "y" * 10_000}),))
        subprocess.run([sys.executable, "-c", COMMAND, url, str(number)], check=True, timeout=60)
        await (await SqlStore.open(url)).close()

    for store in (hub, api):
        counts = [len(await store.list(kind)) for kind in ("hub", "api", "command")]
        assert counts == [3, 3, 3]
        await store.close()


async def test_a_database_that_turned_read_only_is_denied_not_retried(store):
    pragma(store, "PRAGMA query_only = ON")

    with pytest.raises(Denied, match="read-only"):
        await store.commit((Save("application", "colors", 0, {}),))


async def test_a_writer_that_waits_too_long_for_another_one_says_locked(url, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    first, second = await SqlStore.open(url), await SqlStore.open(url)
    with first._engine.connect().execution_options(writes=True) as held, held.begin():
        with pytest.raises(Unavailable, match="locked"):
            await second.commit((Save("application", "colors", 0, {}),))
        assert await second.get("application", "colors") is None, "readers do not wait"
    await second.commit((Save("application", "colors", 0, {}),))
    await first.close()
    await second.close()


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
async def test_a_store_whose_file_has_gone_says_so_instead_of_writing_into_nowhere(
    store, tmp_path, replaced
):
    path = tmp_path / "store/crossfade.db"
    path.rename(tmp_path / "elsewhere")
    if replaced:
        path.write_bytes((tmp_path / "elsewhere").read_bytes())

    with pytest.raises(Unavailable, match="gone or was replaced"):
        await store.commit((Save("application", "colors", 0, {}),))
    with pytest.raises(Unavailable, match="gone or was replaced"):
        await store.sequence()


async def test_a_closed_store_says_so_and_can_be_closed_again(url):
    store = await SqlStore.open(url)
    await store.close()
    await store.close()

    with pytest.raises(Unavailable, match="closed"):
        await store.sequence()


async def test_the_event_loop_goes_on_while_the_disk_is_slow(url):
    store, other = await SqlStore.open(url), await SqlStore.open(url)
    with other._engine.connect().execution_options(writes=True) as held, held.begin():
        async with asyncio.TaskGroup() as group:
            commit = group.create_task(store.commit((Save("application", "colors", 0, {}),)))
            for _ in range(20):
                await asyncio.sleep(0.005)
            assert not commit.done()
            held.rollback()
    await store.close()
    await other.close()


async def test_a_cancelled_commit_is_done_in_full_or_not_at_all(shared_store):
    for number in range(20):
        changes = (Save("a", str(number), 0, {}), Save("b", str(number), 0, {}))
        commit = asyncio.ensure_future(shared_store.commit(changes))
        await asyncio.sleep(number / 10_000)
        commit.cancel()
        await asyncio.wait([commit])

    names = [document.name for document in await shared_store.list("a")]
    assert names == [document.name for document in await shared_store.list("b")]


WRITER = """
import asyncio, sys
from crossfade.adapters.store.sql import SqlStore
from crossfade.ports.documents import Event, Save

async def main():
    store = await SqlStore.open(sys.argv[1])
    left = await store.get("n", "left")
    version = left.version if left else 0
    while True:
        body = {"n": version + 1, "x": "y" * 3000}
        await store.commit(
            (Save("n", "left", version, body), Save("n", "right", version, body)),
            (Event("n/left", 0.0, str(version + 1), {}),),
        )
        version += 1
        print(version, flush=True)

asyncio.run(main())
"""


async def test_a_writer_that_is_killed_at_any_moment_leaves_whole_commits_and_all_it_reported(
    shared_url,
):
    store = await SqlStore.open(shared_url)
    for pause in (0.0, 0.013, 0.037, 0.051, 0.083, 0.149):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, shared_url], stdout=subprocess.PIPE, text=True
        )
        reported = int(writer.stdout.readline())
        time.sleep(pause)
        writer.kill()
        reported = max([reported, *map(int, writer.stdout.read().split())])
        writer.wait()
        writer.stdout.close()

        left, right = await store.get("n", "left"), await store.get("n", "right")
        history = await store.events("n/left", limit=10**6)
        assert left.version == right.version == left.body["n"] == right.body["n"] == len(history)
        assert left.version >= reported
        assert await store.sequence() == left.version
    await store.close()


CROWD = """
import asyncio, sys
from crossfade.adapters.store.sql import SqlStore
from crossfade.ports.documents import Event, Save

async def write(store, name):
    version = 0
    while True:
        body = {"n": version + 1, "x": "y" * 300}
        await store.commit(
            (Save("left", name, version, body), Save("right", name, version, body)),
            (Event(name, 0.0, str(version + 1), {}),),
        )
        version += 1
        print(name, version, flush=True)

async def main():
    store = await SqlStore.open(sys.argv[1])
    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(write(store, f"{sys.argv[2]}-{number}"))

asyncio.run(main())
"""


async def test_of_a_crowd_of_writers_that_is_killed_nothing_is_lost_that_was_reported(shared_url):
    store = await SqlStore.open(shared_url)
    for pause in (0.0, 0.029, 0.061, 0.113):
        writer = subprocess.Popen(
            [sys.executable, "-c", CROWD, shared_url, str(pause)], stdout=subprocess.PIPE, text=True
        )
        first = writer.stdout.readline()
        time.sleep(pause)
        writer.kill()
        told = [line.split() for line in (first + writer.stdout.read()).splitlines()]
        writer.wait()
        writer.stdout.close()

        left = {each.name: each for each in await store.list("left")}
        for name, version in (pair for pair in told if len(pair) == 2):
            assert left[name].version >= int(version), "what was reported is there"
    right = {each.name: each for each in await store.list("right")}
    assert left.keys() == right.keys()
    for name, each in left.items():
        told = await store.events(name, limit=10**6)
        assert each.version == each.body["n"] == right[name].version == len(told)
        assert [int(event.reason) for event in told] == list(range(1, each.version + 1))
    assert await store.sequence() == sum(each.version for each in left.values())
    await store.close()


async def test_a_commit_that_cannot_be_written_does_not_take_others_with_it(store):
    # Beyond the most that SQLite is allowed to keep in one value, here.
    with store._engine.connect() as connection:
        connection.connection.dbapi_connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
    outcomes = []

    async def one(number: int) -> None:
        body = {"x": "y" * (20_000 if number == 7 else 10)}
        try:
            outcomes.append(await store.commit((Save("n", str(number), 0, body),)))
        except Unavailable as error:
            outcomes.append(error)

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(one(number))

    assert [each for each in outcomes if isinstance(each, Unavailable)]
    assert {each.name for each in await store.list("n")} == set(map(str, range(20))) - {"7"}


async def test_many_commits_wait_for_the_disk_together(shared_store):
    writes = []
    event.listen(shared_store._engine, "commit", lambda connection: writes.append(connection))

    async with asyncio.TaskGroup() as group:
        for number in range(1000):
            group.create_task(shared_store.commit((Save("n", str(number), 0, {}),)))

    assert len(writes) < 50
    assert await shared_store.sequence() == 1000


COUNTER = """
import asyncio, sys
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.errors import Conflict
from crossfade.ports.documents import Save

async def main():
    store = await SqlStore.open(sys.argv[1])
    done = refused = 0
    while done < 100:
        found = await store.get("n", "shared")
        try:
            await store.commit((Save("n", "shared", found.version, {"n": found.body["n"] + 1}),))
            done += 1
        except Conflict:
            refused += 1
    await store.close()
    print(done)

asyncio.run(main())
"""


async def test_two_processes_that_write_the_same_document_lose_no_write(shared_store, shared_url):
    await shared_store.commit((Save("n", "shared", 0, {"n": 0}),))
    processes = [
        subprocess.Popen([sys.executable, "-c", COUNTER, shared_url], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]

    assert outputs == [b"100\n", b"100\n"]
    assert (await shared_store.get("n", "shared")).body == {"n": 200}


async def test_another_process_sees_a_commit_at_once(shared_store, shared_url):
    other = await SqlStore.open(shared_url)
    before = await other.sequence()
    await shared_store.commit((), (Event("n", 0.0, "", {}),))

    assert await other.sequence() == before + 1
    await other.close()


async def test_of_two_hubs_that_start_at_once_one_gets_the_lease(shared_store, shared_url):
    other = await SqlStore.open(shared_url)
    got, refused = [], []

    async def start(hub: SqlStore, holder: str) -> None:
        try:
            got.append(await hub.acquire("hub", holder, 0.0, 10.0))
        except Conflict as error:
            refused.append(error)

    async with asyncio.TaskGroup() as group:
        group.create_task(start(shared_store, "first"))
        group.create_task(start(other, "second"))
    assert (len(got), len(refused)) == (1, 1)
    await other.close()
