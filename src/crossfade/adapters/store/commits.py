"""
Many commits in one transaction, each whole or refused by itself, as if one came after another.

A transaction costs a wait for the disk, and each statement a change of threads: so a thousand
commits take as many statements as one, each on as many rows as there are.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection, CursorResult, bindparam, func, select, update

from crossfade.adapters.store.schema import counter, documents, leases, outside_changes
from crossfade.base.errors import Conflict
from crossfade.ports.documents import Event, Remove, Save
from crossfade.ports.watched_documents import REMEMBERED

READ_AGAIN = "read it again, then retry"
_MOST_ROWS = 100
"""In one statement; each number of rows is a statement that is prepared once."""

Key = tuple[str, str]
"""Kind and name of a document."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a commit, with the body as it is written."""

    key: Key
    expected: int
    body: str | None
    """None: the document is removed."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that one writer wants to have written, or nothing of it."""

    changes: tuple[Change, ...]
    events: tuple[Row, ...]
    """Subject, time, reason and facts."""
    fence: int


def prepared(changes: Sequence[Save | Remove], events: Sequence[Event], fence: int) -> Commit:
    """Return the commit in the form in which it is written.  Raises ValueError for no JSON."""
    return Commit(
        tuple(
            Change(
                (each.kind, each.name),
                each.expected,
                dumps(each.body) if isinstance(each, Save) else None,
            )
            for each in changes
        ),
        tuple((each.subject, each.at, _text(each.reason), dumps(each.facts)) for each in events),
        fence,
    )


def _text(reason: str) -> str:
    """Return the text with what no database takes replaced: pods may say anything."""
    return reason.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def dumps(value: object) -> str:
    """Return the value as JSON.  Raises ValueError for numbers that JSON does not know."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def commit_all(connection: Connection, commits: Sequence[Commit]) -> list[int | Conflict]:
    """
    Make all commits whose expectations hold; return the number of each, or why it was refused.

    Raises whatever the database says; then nothing was written, and the caller rolls back.
    """
    found: list[int | Conflict] = []
    sequence: int = connection.execute(_SEQUENCE).scalar_one()  # from here on nobody else writes
    newest: int = connection.execute(_NEWEST_EPOCH).scalar() or 0
    pages = _Pages(_versions(connection, {c.key for each in commits for c in each.changes}))
    events: list[Row] = []
    outside: list[Row] = []
    for each in commits:
        refused = _overtaken(each.fence, newest) or pages.take(each.changes)
        if refused is None:
            sequence += 1
            events += each.events
            if each.fence == 0:
                outside += [(sequence, *key) for key in sorted({c.key for c in each.changes})]
        found.append(refused or sequence)
    _write(connection, pages)
    _on_rows(connection, _TELL, events)
    _on_rows(connection, _TELL_HUB, outside)
    connection.execute(_COUNT, {"reached": sequence})
    return found


def forget_events(connection: Connection, numbers: Sequence[int], fence: int) -> None:
    """Remove the events, and outside changes of long ago.  Raises Conflict."""
    sequence: int = connection.execute(_SEQUENCE).scalar_one()
    refused = _overtaken(fence, connection.execute(_NEWEST_EPOCH).scalar() or 0)
    if refused is not None:
        raise refused
    _on_rows(connection, _FORGET, [(each,) for each in numbers])
    connection.execute(_FORGET_OUTSIDE, {"oldest": sequence - REMEMBERED})


class _Pages:
    """The documents that a transaction touches: their versions, and what is to be written."""

    def __init__(self, versions: dict[Key, int]) -> None:
        self._versions = versions
        self.written: dict[Key, tuple[int, str] | None] = {}
        """Version and body, None for what is removed."""

    def take(self, changes: Sequence[Change]) -> Conflict | None:
        """Make all the changes, or none of them and return why."""
        versions: dict[Key, int] = {}
        for each in changes:
            version = versions.get(each.key, self._versions.get(each.key, 0))
            missing = each.body is None and version == 0
            if version != each.expected or missing:
                return _changed(each, version)
            versions[each.key] = 0 if each.body is None else version + 1
        self._versions.update(versions)
        for each in changes:
            after = None if each.body is None else (each.expected + 1, each.body)
            self.written[each.key] = after
        return None


def _overtaken(fence: int, newest: int) -> Conflict | None:
    if fence == 0 or newest <= fence:
        return None
    return Conflict(
        "a newer leaseholder has taken over this store",
        hint="stop this hub; the other one goes on with its work",
        epoch=fence,
        newest=newest,
    )


def _changed(change: Change, version: int) -> Conflict:
    kind, name = change.key
    if change.expected == 0 and change.body is not None:
        return Conflict(f"{kind} `{name}` exists already", hint=READ_AGAIN)
    what = "was changed by somebody else" if version else "does not exist any more"
    return Conflict(
        f"{kind} `{name}` {what}", hint=READ_AGAIN, expected=change.expected, found=version
    )


# Statements.  Values always go as parameters; only the number of rows is part of the text.

_VERSIONS = """
    WITH asked (kind, name) AS (VALUES :rows)
    SELECT documents.kind, documents.name, documents.version FROM asked
    JOIN documents ON documents.kind = asked.kind AND documents.name = asked.name
"""
_SAVE = """
    INSERT INTO documents (kind, name, version, body) VALUES :rows
    ON CONFLICT (kind, name) DO UPDATE SET version = excluded.version, body = excluded.body
"""
_TELL = "INSERT INTO events (subject, at, reason, facts) VALUES :rows"
_TELL_HUB = "INSERT INTO outside_changes (sequence, kind, name) VALUES :rows"
_FORGET = "DELETE FROM events WHERE number IN (VALUES :rows)"
_FORGET_OUTSIDE = outside_changes.delete().where(outside_changes.c.sequence <= bindparam("oldest"))
_REMOVE = documents.delete().where(
    documents.c.kind == bindparam("of_kind"), documents.c.name == bindparam("of_name")
)
_SEQUENCE = select(counter.c.value).with_for_update()
_COUNT = update(counter).values(value=bindparam("reached"))
_NEWEST_EPOCH = select(func.max(leases.c.epoch))


def _versions(connection: Connection, keys: set[Key]) -> dict[Key, int]:
    found: dict[Key, int] = {}
    for result in _on_rows(connection, _VERSIONS, sorted(keys)):
        found |= {(row.kind, row.name): row.version for row in result}
    return found


def _write(connection: Connection, pages: _Pages) -> None:
    gone = [key for key, each in pages.written.items() if each is None]
    if gone:
        connection.execute(_REMOVE, [{"of_kind": kind, "of_name": name} for kind, name in gone])
    kept = [(*key, *each) for key, each in pages.written.items() if each is not None]
    _on_rows(connection, _SAVE, kept)


def _on_rows(
    connection: Connection, statement: str, rows: Sequence[Row]
) -> list[CursorResult[Any]]:
    """Run the statement on all rows, many at a time, and return the results."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    results = []
    for first in range(0, len(rows), _MOST_ROWS):
        part = rows[first : first + _MOST_ROWS]
        places = ",".join([f"({','.join([mark] * len(part[0]))})"] * len(part))
        values = tuple(chain.from_iterable(part))
        results.append(connection.exec_driver_sql(statement.replace(":rows", places), values))
    return results
