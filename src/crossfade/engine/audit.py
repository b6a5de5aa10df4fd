"""Who has done what: each command of a person leaves its entry, in the same transaction."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from crossfade.base.clock import Clock
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import Conflict
from crossfade.core.access.audit import Deed, Entry, Head, broken, chained
from crossfade.engine.access_records import AUDIT_HEAD, AUDIT_LOG
from crossfade.engine.disclosure import in_full
from crossfade.engine.feed import newest_number
from crossfade.ports.documents import Documents, Event, Remove, Save
from crossfade.ports.forwarding_documents import ForwardingDocuments

_NAME = "log"
_PAGE = 1000
_ENDLESS = 2**63


@dataclass(slots=True)
class AuditedDocuments(ForwardingDocuments):
    """
    The port Documents for the commands of one person: no change without an entry in the log.

    The newest entry is kept in a document of its own, so that two who write at once cannot both
    follow the same entry.  Who loses that race reads it again: the command itself is not disturbed.
    """

    who: str
    via: str
    clock: Clock

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes and record the events and the entry, or nothing at all."""
        what = _lines(changes, events)
        return await self._write(changes, events, fence, what, "done")

    async def refused(self, what: str) -> None:
        """Write down what was asked for in vain."""
        await self._write((), (), 0, (what,), "refused")

    async def _write(
        self,
        changes: tuple[Save | Remove, ...],
        events: tuple[Event, ...],
        fence: int,
        what: tuple[str, ...],
        outcome: str,
    ) -> int:
        deed = Deed(self.clock.now(), self.who, self.via, what, outcome)
        while True:
            head, version = await _head(self.inner)
            entry = chained(head, deed)
            newest = to_json(Head(entry.number, entry.hash))
            try:
                return await self.inner.commit(
                    (*changes, Save(AUDIT_HEAD, _NAME, version, newest)),
                    (*events, Event(AUDIT_LOG, deed.at, "; ".join(what), to_json(entry))),
                    fence,
                )
            except Conflict:
                if (await _head(self.inner))[1] == version:
                    raise  # the command's own documents have changed


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found in the log."""

    entries: int
    wrong: str
    """The first thing that is wrong, "" when nothing is."""


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Reads the log."""

    documents: Documents

    async def page(self, after: int = 0, limit: int = 100) -> tuple[tuple[int, Entry], ...]:
        """Return entries with the numbers of their events above `after`, oldest first."""
        found = await self.documents.events(AUDIT_LOG, after, limit)
        return tuple((each.number, from_json(Entry, each.facts)) for each in found)

    async def newest(
        self, limit: int, near: int, before: int = _ENDLESS
    ) -> tuple[tuple[int, Entry], ...]:
        """
        Return the newest entries with the numbers of their events, newest first.

        Args:
            limit: so many at most.
            near: number of an event near the newest one; entries are found back from there.
            before: only entries whose events come before this one.
        """
        span, near = 4 * limit, min(near, before)
        while True:
            since = max(0, near - span)
            found: list[tuple[int, Entry]] = []
            after = since
            while after < before and (page := await self.page(after, _PAGE)):
                found += [each for each in page if each[0] < before]
                after = page[-1][0]
            if len(found) >= limit or since == 0:
                return tuple(reversed(found[-limit:]))
            span *= 4

    async def latest(self, limit: int) -> tuple[Entry, ...]:
        """Return so many of the newest entries at most, the newest last."""
        found = await self.newest(limit, await newest_number(self.documents))
        return tuple(entry for _, entry in reversed(found))

    async def entries(self) -> AsyncIterator[Entry]:
        """Yield all entries, oldest first."""
        after = 0
        while page := await self.page(after, _PAGE):
            for _, entry in page:
                yield entry
            after = page[-1][0]

    async def verify(self) -> Verified:
        """Return what is wrong with the log; entries that are made meanwhile do not count."""
        head, _ = await _head(self.documents)
        known: list[Entry] = []
        async for entry in self.entries():
            if entry.number > head.number:
                break
            known.append(entry)
        return Verified(len(known), broken(known, head))


async def _head(documents: Documents) -> tuple[Head, int]:
    stored = await documents.get(AUDIT_HEAD, _NAME)
    return (from_json(Head, stored.body), stored.version) if stored else (Head(), 0)


def _lines(changes: tuple[Save | Remove, ...], events: tuple[Event, ...]) -> tuple[str, ...]:
    """Return what the change says of itself; where it says nothing, which documents it concerns."""
    if events:
        return tuple(f"{each.subject}: {in_full(each)}" for each in events)
    return tuple(
        f"{each.kind}/{each.name}: {'removed' if isinstance(each, Remove) else 'saved'}"
        for each in changes
    )
