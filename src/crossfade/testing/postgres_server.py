"""A PostgreSQL server of one's own, in a temporary folder, reached over a socket there."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PLACES = "/usr/lib/postgresql"
_NOBODY = "nobody"
"""Who runs the server when we are root, which it refuses to be."""
_START_SECONDS = 60.0


def program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL's server, None when it is not installed."""
    newest = sorted(Path(_PLACES).glob(f"*/bin/{name}"), key=lambda each: float(each.parts[-3]))
    return str(newest[-1]) if newest else shutil.which(name)


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server that runs; its databases are as many as were asked for."""

    folder: Path
    process: subprocess.Popen[bytes]

    def database(self, name: str) -> str:
        """Make a database and return its address."""
        self.run(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql://crossfade@/{name}?host={self.folder}"

    def run(self, statement: str) -> None:
        """Run a statement as the owner of the server."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """
    Start a server and end it; what it keeps is gone afterwards, and may be lost when it crashes.

    Raises FileNotFoundError when PostgreSQL is not installed.
    """
    initdb, postgres = program("initdb"), program("postgres")
    if initdb is None or postgres is None:
        raise FileNotFoundError("initdb and postgres; Debian's package `postgresql` has them")
    folder = Path(tempfile.mkdtemp(prefix="crossfade-postgres-"))
    user = _NOBODY if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data = str(folder / "data")
    make = [initdb, "-D", data, "-U", "crossfade", "-A", "trust", "-E", "UTF8", "--no-sync"]
    try:
        subprocess.run(make, check=True, capture_output=True, user=user, cwd="/")
        serve = [postgres, "-D", data, "-k", str(folder), "-F", "-c", "listen_addresses="]
        log = (folder / "log").open("wb")
        with log, subprocess.Popen(serve, stdout=log, stderr=log, user=user, cwd="/") as process:
            try:
                yield _ready(PostgresServer(folder, process))
            finally:
                process.send_signal(signal.SIGINT)  # fast: sessions that are open are ended
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ready(server: PostgresServer) -> PostgresServer:
    import psycopg

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.run("SELECT 1")
            return server
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() >= deadline:
                told = (server.folder / "log").read_text(errors="replace")[-500:]
                raise RuntimeError(f"PostgreSQL does not start: {told}") from None
        time.sleep(0.05)
