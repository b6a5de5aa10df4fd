"""What the store reads and writes, each inside a transaction that the caller has begun."""

import hashlib
from collections.abc import Collection

from sqlalchemy import Connection, func, insert, select, update

from crossfade.adapters.store.schema import (
    blobs,
    counter,
    documents,
    events,
    leases,
    outside_changes,
)
from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.ports.documents import Document, Event
from crossfade.ports.leases import Lease

_SEQUENCE = select(counter.c.value)
_NAMES = 500
"""So many at most in one query: databases allow only so many parameters."""
_NEWEST = 1000
"""Among so many the latest one is: clocks of several machines differ, but not by that much."""
_LOCK = select(counter.c.value).with_for_update()


def sequence(connection: Connection) -> int:
    """Return the number of commits there were."""
    value: int = connection.execute(_SEQUENCE).scalar_one()
    return value


def documents_of(
    connection: Connection, kind: str, names: Collection[str] | None = None
) -> tuple[Document, ...]:
    """Return the documents of the kind by name, or those of the names that there are."""
    query = select(documents).where(documents.c.kind == kind)
    queries = [query]
    if names is not None:
        wanted, column = list(names), documents.c.name
        parts = [wanted[i : i + _NAMES] for i in range(0, len(wanted), _NAMES)]
        queries = [
            query.where(column == part[0] if len(part) == 1 else column.in_(part)) for part in parts
        ]
    rows = (row for each in queries for row in connection.execute(each))
    found = {row.name: Document(row.kind, row.name, row.version, row.body) for row in rows}
    return tuple(found[name] for name in sorted(found))


def changed_outside(connection: Connection, after: int) -> tuple[tuple[str, str], ...]:
    """Return kind and name of what was changed without a fence by later commits."""
    changed = outside_changes.c
    query = select(changed.kind, changed.name).where(changed.sequence > after).distinct()
    return tuple((row.kind, row.name) for row in connection.execute(query))


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


def event_counts(connection: Connection) -> dict[str, int]:
    """Return how many events there are of each subject."""
    query = select(events.c.subject, func.count().label("many")).group_by(events.c.subject)
    return {row.subject: row.many for row in connection.execute(query)}


def newest_event_at(connection: Connection) -> float:
    """Return the latest time of the newest events, 0.0 when there is none."""
    newest = select(events.c.at).order_by(events.c.number.desc()).limit(_NEWEST).subquery()
    return connection.execute(select(func.max(newest.c.at))).scalar() or 0.0


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
