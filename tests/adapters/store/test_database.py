"""Opening a store: made when missing, brought up to date, refused with a reason when not ours."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from crossfade.adapters.store import database
from crossfade.adapters.store.schema import REVISIONS, metadata
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.errors import InputError, Unavailable
from crossfade.ports.documents import Save


async def opened_and_closed(url: str) -> None:
    await (await SqlStore.open(url)).close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_only_the_user_can_read_the_store(tmp_path):
    folder = tmp_path / "a/b"
    store = await SqlStore.open(f"sqlite:///{folder}/crossfade.db")
    await store.commit((Save("application", "colors", 0, {}),))

    assert mode(folder) == mode(folder.parent) == 0o700
    names = ("crossfade.db", "crossfade.db-wal", "crossfade.db-shm")
    assert {name: mode(folder / name) for name in names} == dict.fromkeys(names, 0o600)
    await store.close()


async def test_a_store_is_made_and_opened_without_the_slow_import_of_alembic(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "alembic", None)

    await opened_and_closed(url)
    await opened_and_closed(url)


def layout(path: Path) -> dict[str, object]:
    """Return tables, columns, indexes and the rows that a new store has."""
    connection = sqlite3.connect(path)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found: dict[str, object] = {}
    for (table,) in tables:
        found[table] = connection.execute(f"PRAGMA table_info({table})").fetchall()
        found[f"{table} indexes"] = sorted(
            (name, unique, connection.execute(f"PRAGMA index_info({name})").fetchall())
            for _, name, unique, *_ in connection.execute(f"PRAGMA index_list({table})")
        )
    found["counter rows"] = connection.execute("SELECT * FROM counter").fetchall()
    found["revision"] = connection.execute("SELECT * FROM alembic_version").fetchall()
    (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'events'").fetchone()
    found["numbers are never given twice"] = "AUTOINCREMENT" in made
    connection.close()
    return found


def test_the_migrations_end_at_the_layout_that_a_new_store_gets(tmp_path, monkeypatch):
    database.connect(f"sqlite:///{tmp_path}/new.db").dispose()
    monkeypatch.setattr(database, "_prepare_layout", database.migrate)
    database.connect(f"sqlite:///{tmp_path}/old.db").dispose()

    assert layout(tmp_path / "old.db") == layout(tmp_path / "new.db")


async def test_a_store_of_the_first_layout_is_brought_forward_with_all_that_is_in_it(
    url, monkeypatch
):
    monkeypatch.setattr(database, "_prepare_layout", to_the_first_layout)
    database.connect(url).dispose()
    monkeypatch.undo()

    store = await SqlStore.open(url)
    assert (await store.get("application", "colors")).body == {"n": 1}
    number = await store.commit((Save("application", "colors", 1, {"n": 2}),))
    assert await store.changed_outside(number - 1) == (("application", "colors"),)
    await store.close()


def to_the_first_layout(engine):
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            """INSERT INTO documents VALUES ('application', 'colors', 1, '{"n": 1}')"""
        )


def test_the_migrations_are_the_layouts_that_the_code_knows(url):
    scripts = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))
    engine = database.connect(url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert [each.revision for each in scripts.walk_revisions()] == list(reversed(REVISIONS))
    assert differences == []


async def test_names_with_odd_characters_are_taken_literally(tmp_path):
    await opened_and_closed(f"sqlite:///{tmp_path}/50%25 off?mode=ro#ä/x.db")

    assert (tmp_path / "50%25 off?mode=ro#ä/x.db").is_file()


def _layout(path: Path, revision: str) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    _layout(path, "9999")


def foreign(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()


def text_file(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("this is no database\n" * 100)


def folder(path: Path) -> None:
    path.mkdir(parents=True)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (newer, "newer Crossfade"),
        (foreign, "another program"),
        (text_file, "no database file"),
        (folder, "is a folder"),
    ],
)
async def test_a_file_that_is_not_ours_is_refused_and_left_alone(tmp_path, url, spoil, message):
    path = tmp_path / "store/crossfade.db"
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(InputError, match=message) as caught:
        await SqlStore.open(url)
    assert str(path) in str(caught.value)
    assert caught.value.hint
    if path.is_file():
        assert path.read_bytes()[100:] == before[100:], "beyond the header, which WAL mode marks"


async def test_a_damaged_file_is_named_as_damaged(tmp_path, url):
    store = await SqlStore.open(url)
    await store.put(b"x" * 100_000)
    await store.close()
    path = tmp_path / "store/crossfade.db"
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))

    with pytest.raises(InputError, match="damaged") as caught:
        await SqlStore.open(url)
    assert "backup" in caught.value.hint


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "sqlite://", "sqlite:///", "sqlite:///here.db", "mongodb://x/y", "oracle://x"],
)
async def test_an_address_that_cannot_be_used_says_what_can(address):
    with pytest.raises(InputError, match="store") as caught:
        await SqlStore.open(address)
    assert "sqlite:///" in caught.value.hint


async def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="cannot be made: its folder is a file"):
        await SqlStore.open(f"sqlite:///{tmp_path}/file/crossfade.db")


async def test_a_store_that_another_program_has_locked_says_so(tmp_path, url, monkeypatch):
    await opened_and_closed(url)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(tmp_path / "store/crossfade.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(Unavailable, match="locked"):
        await SqlStore.open(url)
    other.close()
    await opened_and_closed(url)


READ_ONLY = """
import asyncio, os, sys
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.errors import Denied
if os.getuid() == 0:
    os.setuid(65534)
try:
    asyncio.run(SqlStore.open(sys.argv[1]))
except Denied as error:
    print(error.code)
"""


@pytest.mark.parametrize(
    ("file_mode", "folder_mode"), [(0o444, 0o755), (0o000, 0o755), (0o666, 0o555)]
)
async def test_a_store_without_the_right_to_write_is_denied(
    tmp_path_factory, file_mode, folder_mode
):
    folder = tmp_path_factory.mktemp("denied")
    for above in (folder.parent, folder.parent.parent):
        above.chmod(0o755)
    path = folder / "crossfade.db"
    await opened_and_closed(f"sqlite:///{path}")
    path.chmod(file_mode)
    folder.chmod(folder_mode)

    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, f"sqlite:///{path}"], capture_output=True, text=True
    )
    folder.chmod(0o755)

    assert (done.stdout, done.stderr) == ("denied\n", "")


OPEN = "import asyncio, sys\nfrom crossfade.adapters.store.sql import SqlStore\n"
OPEN += "input()\nasyncio.run(SqlStore.open(sys.argv[1]))"


def test_processes_that_make_the_same_store_at_once_all_get_it(url):
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN, url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()

    said = [process.communicate(timeout=100)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
