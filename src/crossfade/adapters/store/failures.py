"""What a database says when it fails, in the words of Crossfade."""

import sqlite3

from sqlalchemy.exc import DBAPIError

from crossfade.adapters.store import postgres
from crossfade.base.errors import CrossfadeError, Denied, InputError, Unavailable

_FULL = "free some space, or choose another place with --state-dir"
_LOCKED = "another process holds it; `fuser` on the file names it. Try again once it has ended"
_READ_ONLY = "make the file and its folder writable for you, or choose another --state-dir"
_DAMAGED = (
    "restore the file from a backup, or move it away (with its -wal and -shm) to start afresh"
)
_RETRY = "try again; the disk or the database may be in trouble"


def translated(error: DBAPIError | sqlite3.Error, where: str) -> CrossfadeError:
    """Return `error` of the store at `where` as one of ours; nothing was written."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error):
        return postgres.translated(cause, where)
    name = _sqlite_name(cause)
    said = str(cause) or type(cause).__name__
    match name.removeprefix("SQLITE_").split("_")[0]:
        case "FULL":
            return Unavailable("the store cannot write: the disk is full", hint=_FULL, store=where)
        case "BUSY" | "LOCKED":
            return Unavailable("the store is locked", hint=_LOCKED, store=where)
        case "READONLY" | "PERM" | "AUTH":
            return Denied("the store is read-only", hint=_READ_ONLY, store=where)
        case "CANTOPEN":
            return Denied("the store cannot be opened", hint=_READ_ONLY, store=where)
        case "CORRUPT":
            return InputError("the store is damaged", hint=_DAMAGED, store=where, reason=said)
        case "NOTADB":
            return InputError("the store is no database file", hint=_DAMAGED, store=where)
        case _:
            return Unavailable(f"the store failed: {said}", hint=_RETRY, store=where)


def _sqlite_name(error: sqlite3.Error) -> str:
    """Return for example `SQLITE_IOERR_WRITE`, or "" for an unnamed error."""
    return getattr(error, "sqlite_errorname", "")
