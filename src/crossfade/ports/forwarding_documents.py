"""The port Documents handed on to another one, for those who change a part of it."""

from collections.abc import Collection
from dataclasses import dataclass

from crossfade.ports.documents import Document, Documents, Event, Remove, Save


@dataclass(slots=True)
class ForwardingDocuments:
    """Does all that the inner one does."""

    inner: Documents

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None when there is none."""
        return await self.inner.get(kind, name)

    async def list(self, kind: str, names: Collection[str] | None = None) -> tuple[Document, ...]:
        """Return all documents of the kind by name, or those of the names that there are."""
        return await self.inner.list(kind, names)

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes and record the events, or nothing at all; see the port."""
        return await self.inner.commit(changes, events, fence)

    async def sequence(self) -> int:
        """Return a number that rises with each commit."""
        return await self.inner.sequence()

    async def events(
        self, subject: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        """Return events with a number above `after`, oldest first; of all subjects when None."""
        return await self.inner.events(subject, after, limit)
