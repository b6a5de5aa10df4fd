"""What the store reads and writes, each inside a transaction that the caller has begun."""

import hashlib
from typing import assert_never

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from crossfade.adapters.store.schema import blobs, counter, documents, events, leases
from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.ports.documents import Document, Event, Remove, Save
from crossfade.ports.leases import Lease

_READ_AGAIN = "read it again, then retry"

_SEQUENCE = select(counter.c.value)
_LOCK = select(counter.c.value).with_for_update()
_COUNT = update(counter).values(value=counter.c.value + 1)
_NEWEST_EPOCH = select(func.max(leases.c.epoch))
_SAVE = (
    update(documents)
    .where(
        documents.c.kind == bindparam("of_kind"),
        documents.c.name == bindparam("of_name"),
        documents.c.version == bindparam("expected"),
    )
    .values(version=bindparam("new_version"), body=bindparam("new_body"))
)


def sequence(connection: Connection) -> int:
    """Return the number of commits there were."""
    value: int = connection.execute(_SEQUENCE).scalar_one()
    return value


def documents_of(
    connection: Connection, kind: str, name: str | None = None
) -> tuple[Document, ...]:
    """Return the documents of the kind by name, or the one of that name."""
    query = select(documents).where(documents.c.kind == kind)
    if name is not None:
        query = query.where(documents.c.name == name)
    rows = connection.execute(query).all()
    found = (Document(row.kind, row.name, row.version, row.body) for row in rows)
    return tuple(sorted(found, key=lambda document: document.name))


def commit(
    connection: Connection,
    changes: tuple[Save | Remove, ...],
    history: tuple[Event, ...],
    fence: int,
) -> int:
    """Make the changes, record the history, return the count.  Raises Conflict: then roll back."""
    connection.execute(_COUNT)  # takes the lock of all writers
    _check_fence(connection, fence)
    for change in changes:
        match change:
            case Save(expected=0):
                _create(connection, change)
            case Save():
                _replace(connection, change)
            case Remove():
                _remove(connection, change)
            case _:
                assert_never(change)
    if history:
        rows = [
            {"subject": e.subject, "at": e.at, "reason": e.reason, "facts": e.facts}
            for e in history
        ]
        connection.execute(insert(events), rows)
    return sequence(connection)


def _check_fence(connection: Connection, fence: int) -> None:
    if fence == 0:
        return
    newest = connection.execute(_NEWEST_EPOCH).scalar() or 0
    if newest > fence:
        raise Conflict(
            "a newer leaseholder has taken over this store",
            hint="stop this hub; the other one goes on with its work",
            epoch=fence,
            newest=newest,
        )


def _create(connection: Connection, change: Save) -> None:
    row = {"kind": change.kind, "name": change.name, "version": 1, "body": change.body}
    try:
        connection.execute(insert(documents), row)
    except IntegrityError as error:
        raise Conflict(f"{change.kind} `{change.name}` exists already", hint=_READ_AGAIN) from error


def _replace(connection: Connection, change: Save) -> None:
    values = {
        "of_kind": change.kind,
        "of_name": change.name,
        "expected": change.expected,
        "new_version": change.expected + 1,
        "new_body": change.body,
    }
    if connection.execute(_SAVE, values).rowcount != 1:
        raise _changed(connection, change)


def _remove(connection: Connection, change: Remove) -> None:
    query = delete(documents).where(
        documents.c.kind == change.kind,
        documents.c.name == change.name,
        documents.c.version == change.expected,
    )
    if connection.execute(query).rowcount != 1:
        raise _changed(connection, change)


def _changed(connection: Connection, change: Save | Remove) -> Conflict:
    found = documents_of(connection, change.kind, change.name)
    what = "was changed by somebody else" if found else "does not exist any more"
    return Conflict(
        f"{change.kind} `{change.name}` {what}",
        hint=_READ_AGAIN,
        expected=change.expected,
        found=found[0].version if found else 0,
    )


def events_of(
    connection: Connection, subject: str | None, after: int, limit: int
) -> tuple[Event, ...]:
    """Return events with a number above `after`, oldest first."""
    query = select(events).where(events.c.number > after).order_by(events.c.number).limit(limit)
    if subject is not None:
        query = query.where(events.c.subject == subject)
    return tuple(
        Event(row.subject, row.at, row.reason, row.facts, row.number)
        for row in connection.execute(query)
    )


def newest_event_at(connection: Connection) -> float:
    """Return the time of the newest event, 0.0 when there is none."""
    return connection.execute(select(func.max(events.c.at))).scalar() or 0.0


def put(connection: Connection, data: bytes) -> str:
    """Keep the bytes, and return their SHA-256."""
    digest = hashlib.sha256(data).hexdigest()
    connection.execute(_LOCK)  # so that nobody else puts the same bytes in between
    known = select(blobs.c.digest).where(blobs.c.digest == digest)
    if connection.execute(known).first() is None:
        connection.execute(insert(blobs), {"digest": digest, "data": data})
    return digest


def fetch(connection: Connection, digest: str) -> bytes:
    """Return the bytes.  Raises NotFound, InputError when they are not what was put."""
    data: bytes | None = connection.execute(
        select(blobs.c.data).where(blobs.c.digest == digest)
    ).scalar()
    if data is None:
        raise NotFound("no such bytes in the store", hint="deploy again", digest=digest)
    if hashlib.sha256(data).hexdigest() != digest:
        raise InputError("bytes in the store are damaged", hint="deploy again", digest=digest)
    return data


def lease_of(connection: Connection, name: str) -> Lease | None:
    """Return the lease, expired or not."""
    row = connection.execute(select(leases).where(leases.c.name == name)).first()
    return None if row is None else Lease(row.holder, row.epoch, row.expires_at)


def acquire(connection: Connection, name: str, holder: str, now: float, seconds: float) -> Lease:
    """Take or renew the lease.  Raises Conflict while somebody else has it."""
    connection.execute(_LOCK)
    lease = lease_of(connection, name)
    if lease is None:
        new = Lease(holder, 1, now + seconds)
        connection.execute(insert(leases), {"name": name, **_row(new)})
        return new
    free = lease.expires_at <= now or lease.holder == ""
    if not free and lease.holder != holder:
        raise Conflict(
            f"`{lease.holder}` runs on this store already",
            hint="stop it first, or choose another store with --state-dir",
            lease=name,
            free_in_seconds=round(lease.expires_at - now, 1),
        )
    epoch = lease.epoch if lease.holder == holder else lease.epoch + 1
    new = Lease(holder, epoch, now + seconds)
    connection.execute(update(leases).where(leases.c.name == name).values(_row(new)))
    return new


def release(connection: Connection, name: str, holder: str) -> None:
    """Give the lease up if `holder` has it; the epoch stays, so that the next one is higher."""
    query = update(leases).where(leases.c.name == name, leases.c.holder == holder)
    connection.execute(query.values(holder="", expires_at=0.0))


def _row(lease: Lease) -> dict[str, object]:
    return {"holder": lease.holder, "epoch": lease.epoch, "expires_at": lease.expires_at}
