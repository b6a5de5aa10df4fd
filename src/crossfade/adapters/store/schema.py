"""Tables of the store, and the revisions of their layout, oldest first."""

from sqlalchemy import JSON, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table

REVISIONS = ("0001", "0002")
"""Every layout there ever was; the last one is what this Crossfade reads and writes."""

metadata = MetaData()

documents = Table(
    "documents",
    metadata,
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", JSON, nullable=False),
)

events = Table(
    "events",
    metadata,
    # AUTOINCREMENT: a number is never given twice, so `after` always means the same place.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("subject", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", String, nullable=False),
    Column("facts", JSON, nullable=False),
    Index("events_of_subject", "subject", "number"),
    sqlite_autoincrement=True,
)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", String, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("expires_at", Float, nullable=False),
)

# One row.  Each commit raises `value`, and every writer takes this row first: so commits come
# one after another on every database, and a fence cannot change between its check and the write.
counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("value", Integer, nullable=False),
)

# What was changed without a fence, by commands of users, and by which commit: a hub keeps copies
# of documents, and need only read these again.  Commits of the hub itself are not told here.
outside_changes = Table(
    "outside_changes",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, primary_key=True),
    Column("name", String, primary_key=True),
)
