"""The connection to a PostgreSQL database; SQLAlchemy speaks to it through psycopg 3."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from crossfade.adapters.store.commits import dumps
from crossfade.base.errors import CrossfadeError, Denied, InputError, Unavailable

CONNECT_SECONDS = 5
LOCK_SECONDS = 5
"""How long a write waits for the one of another process before it is refused."""
ANSWER_SECONDS = 30
"""A server that is silent for longer is taken for gone: the hub must not wait for ever."""
_LAYOUT_LOCK = 0x63_66_64_62
"""Whoever makes or changes the layout has this lock, a number of our own."""

_NETWORK = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": ANSWER_SECONDS * 1000,
}


def is_postgres(url: str) -> bool:
    """Say whether the address is one of a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://"))


def address(url: str) -> URL:
    """Return the address with the one driver that we use.  Raises ArgumentError."""
    return make_url("postgresql+psycopg://" + url.partition("://")[2])


def engine_of(url: str) -> Engine:
    """Return an engine of one connection, which is made again when it has been lost."""
    limits = f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout={ANSWER_SECONDS}s"
    place = address(url)
    # Limits of the address go before ours, as a pooler before the server may refuse `options`.
    arguments: dict[str, Any] = {**_NETWORK, "options": limits, **place.query}
    return create_engine(
        place,
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
        # Each commit waits for the server's disk, whatever the server's default is: we act on
        # what we have saved.
        connect_args={
            **arguments,
            "options": f"{arguments['options']} -c synchronous_commit=on",
            "application_name": "crossfade",
        },
        isolation_level="READ COMMITTED",
        json_serializer=dumps,
    )


def lock_layout(connection: Connection) -> None:
    """Wait until nobody else makes or changes the layout; it ends with the transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LAYOUT_LOCK})


# Failures of connecting carry no code, only words.
_ASKED = ("connection to server", "could not connect to server")
"""What libpq says of a server that it found an address of: psycopg calls a socket that nobody is
behind a bad connection, as it does what it cannot read."""
_NOT_LET_IN = ("password authentication failed", "no password supplied", "role ", "pg_hba.conf")
_RETRY = (
    "try again once the database answers; a hub asks again for 15 s, and is then to be started anew"
)
_ACCOUNT = "check user, password and rights in CROSSFADE_DATABASE_URL"


def translated(error: BaseException | None, where: str) -> CrossfadeError:
    """Return what the database says as one of our errors; nothing was written."""
    said = " ".join(str(error).split()) or type(error).__name__
    state = getattr(error, "sqlstate", None) or ""
    match state[:2]:
        case "28":
            return Denied(f"the store does not let us in: {said}", hint=_ACCOUNT, store=where)
        case "42" if state == "42501":
            return Denied(f"the store refuses: {said}", hint=_ACCOUNT, store=where)
        case "25" if state == "25006":
            hint = "name the primary server, not a replica"
            return Denied("the store is read-only", hint=hint, store=where)
        case "3D":
            hint = "make the database first, for example with `createdb`"
            return InputError(f"there is no such database: {said}", hint=hint, store=where)
        case "53":
            hint = "free space, memory or connections of the database server"
            return Unavailable(f"the store cannot write: {said}", hint=hint, store=where)
        case "55" | "40":
            hint = "another process holds it; try again once it has ended"
            return Unavailable("the store is locked", hint=hint, store=where)
        case _ if any(each in said for each in _NOT_LET_IN):
            return Denied(f"the store does not let us in: {said}", hint=_ACCOUNT, store=where)
        case _ if "connection is bad" in said and not any(each in said for each in _ASKED):
            hint = "CROSSFADE_DATABASE_URL has parameters that libpq does not know"
            return InputError(f"the address of the store cannot be used: {said}", hint=hint)
        case _ if "database" in said and "does not exist" in said:
            hint = "make the database first, for example with `createdb`"
            return InputError(f"there is no such database: {said}", hint=hint, store=where)
        case _:
            return Unavailable(f"the store does not answer: {said}", hint=_RETRY, store=where)
