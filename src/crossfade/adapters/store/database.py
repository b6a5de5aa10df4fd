"""The connection to the database: opened, brought to the newest layout, closed."""

import os
import sqlite3
import threading
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from crossfade.adapters.store import postgres
from crossfade.adapters.store.commits import dumps
from crossfade.adapters.store.failures import translated
from crossfade.adapters.store.schema import REVISIONS, counter, metadata
from crossfade.base.errors import Denied, InputError, Unavailable

BUSY_SECONDS = 5.0
"""How long a write waits for the one of another process before it is refused."""

_MAKING = threading.Lock()
_SQLITE = "sqlite:///"
_HINT = (
    "CROSSFADE_DATABASE_URL must be sqlite:////absolute/path/of/the/file, "
    "or postgresql://user@host/database"
)


def sqlite_file(url: str) -> Path | None:
    """Return the file of an `sqlite:///` address, taken literally; None for another database."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def connect(url: str) -> Engine:
    """
    Return an engine of one connection on a database that has the newest layout.

    Raises InputError when the address, the file or its layout is not ours, Denied when it may
    not be read or written, Unavailable when it does not answer or the disk is full.
    """
    path = sqlite_file(url)
    engine = _postgres(url) if postgres.is_postgres(url) else _engine(url, path)
    try:
        if path is not None:
            _make_file(path)
            _write_ahead(engine)
        _prepare_layout(engine)
    except (DBAPIError, sqlite3.Error) as error:  # the latter from _prepare and _write_ahead
        engine.dispose()
        raise translated(error, shown(url)) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def shown(url: str) -> str:
    """Return the place as people may see it: the file, or the address without its password."""
    path = sqlite_file(url)
    return str(path) if path is not None else make_url(url).render_as_string(hide_password=True)


def _postgres(url: str) -> Engine:
    try:
        return postgres.engine_of(url)
    except (ArgumentError, ValueError) as error:
        raise InputError(f"the address of the store cannot be used: {error}", hint=_HINT) from error


def _engine(url: str, path: Path | None) -> Engine:
    hint = _HINT
    try:
        if path is None and make_url(url).get_backend_name() != "sqlite":
            what = "the store can only be SQLite or PostgreSQL"
            raise InputError(what, hint=hint, url=shown(url))
        if path is None or str(path) in ("", ".", ":memory:"):
            raise InputError("the store needs a file", hint=hint, url=url)
        if not path.is_absolute():  # each folder that a command is typed in would have its own
            raise InputError("the file of the store is no absolute path", hint=hint, url=url)
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            pool_size=1,
            max_overflow=0,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            json_serializer=dumps,
        )
    except ArgumentError as error:
        raise InputError(f"the address of the store cannot be used: {error}", hint=hint) from error
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions begin where _begin says, not where pysqlite guesses.
    connection.isolation_level = None
    # FULL, not NORMAL: in WAL mode NORMAL may forget the last commits when the power fails.  We
    # act on what we have saved, and an epoch that was forgotten would be given out a second time
    # while gateways already hold it.  The price is one fsync a commit, and commits are few.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a writer takes its lock first, and so never fails half way for a lock it lacks.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_file(path: Path) -> None:
    """
    Make the file for our eyes only; SQLite gives its -wal and -shm files the same mode.

    A file that exists is never opened here: closing it would take away the locks of all other
    connections of this process, and the next process to leave would remove what they have written.
    """
    try:
        for folder in reversed(path.parents):
            folder.mkdir(mode=0o700, exist_ok=True)  # with parents=True only the last gets the mode
        with _MAKING:
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except PermissionError as error:
        raise _denied(path) from error
    except OSError as error:
        raise Unavailable(
            f"the store cannot be made: {_why(error)}",
            hint="check the folder, or choose another one with --state-dir",
            store=path,
        ) from error
    if path.is_dir():
        raise InputError("the store is a folder", hint="name a file", store=path)
    if not os.access(path, os.R_OK | os.W_OK):
        raise _denied(path)


def _why(error: OSError) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "its folder is a file"
    return error.strerror or str(error)


def _denied(path: Path) -> Denied:
    return Denied(
        "the store may not be read and written",
        hint="make the file and its folder writable for you, or choose another --state-dir",
        store=path,
    )


def _write_ahead(engine: Engine) -> None:
    """Let readers and one writer work side by side; the file remembers it."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                raw = connection.connection.cursor()  # outside any transaction
                raw.execute("PRAGMA journal_mode = WAL")
                raw.close()
            return
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself here, when two processes make the file at once.
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() >= deadline:
                raise
        time.sleep(0.02)


def _prepare_layout(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin():
        revision = _revision(connection)
    if revision == REVISIONS[-1]:
        return
    if revision == "":
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            _lock(connection)
            # Another process may have done it while this one waited for the lock.
            if _revision(connection) == "":
                _create(connection)
    else:
        migrate(engine)


def _create(connection: Connection) -> None:
    """Make the newest layout at once, as all migrations would; a test holds that they agree."""
    metadata.create_all(connection)
    connection.execute(insert(counter), {"id": 1, "value": 0})
    connection.execute(
        text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    )
    row = {"revision": REVISIONS[-1]}
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), row)


def migrate(engine: Engine) -> None:
    """Bring any older layout, or an empty database, to the newest one, step by step."""
    # Slow to import; and before the lock is taken, so that others do not wait for it in vain.
    from alembic import command
    from alembic.config import Config

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        _lock(connection)
        if _revision(connection) != REVISIONS[-1]:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _lock(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":  # where BEGIN IMMEDIATE has taken the one lock there is
        postgres.lock_layout(connection)


def _revision(connection: Connection) -> str:
    """Return the layout's revision, "" for an empty database.  Raises InputError if not ours."""
    tables = inspect(connection).get_table_names()
    where = connection.engine.url.render_as_string(hide_password=True)
    if "alembic_version" not in tables:
        if tables:
            raise InputError(
                "the store belongs to another program",
                hint="name a file of its own",
                store=where,
                tables=",".join(tables[:3]),
            )
        return ""
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""
    if revision and revision not in REVISIONS:
        raise InputError(
            "the store was written by a newer Crossfade",
            hint="upgrade Crossfade, or choose another --state-dir",
            store=where,
            layout=revision,
            known=REVISIONS[-1],
        )
    return str(revision)
