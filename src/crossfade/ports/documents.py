"""The store of everything long-lived: JSON documents with versions, saved all or none."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """One stored thing, for example kind `application`, name `colors`."""

    kind: str
    name: str
    version: int
    """1 when first saved, one more with each save."""
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Save:
    """Write `body`, provided that the stored version is still `expected` (0: must not exist)."""

    kind: str
    name: str
    expected: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete the document, provided that its version is still `expected`."""

    kind: str
    name: str
    expected: int


@dataclass(frozen=True, slots=True)
class Event:
    """One line of history: what was decided and why.  Never changed; details go with time."""

    subject: str
    """What it is about, as `kind/name`."""
    at: float
    """Seconds since the Unix epoch."""
    reason: str
    """For people."""
    facts: dict[str, Any]
    number: int = 0
    """Position in the history of the store; given by the store."""


class Documents(Protocol):
    """
    Documents with optimistic versions, and their history.

    Every implementation passes tests/contract/test_documents.py.
    """

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None when there is none."""
        ...

    async def list(self, kind: str, names: Collection[str] | None = None) -> tuple[Document, ...]:
        """Return all documents of the kind by name, or those of the names that there are."""
        ...

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """
        Make all changes and record the events, or nothing at all; return the new `sequence()`.

        `fence` is the epoch of the lease that the writer holds, 0 for commands of users.
        Raises Conflict when a version differs or a newer leaseholder has taken over,
        Unavailable when the store cannot write (disk full, locked, gone).
        """
        ...

    async def sequence(self) -> int:
        """Return a number that rises with each commit: equal means that nothing has changed."""
        ...

    async def events(
        self, subject: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        """Return events with a number above `after`, oldest first; of all subjects when None."""
        ...
