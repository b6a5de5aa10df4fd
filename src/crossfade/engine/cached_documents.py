"""Documents that the hub has read once and keeps, as long as nobody else writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.ports.documents import Document, Documents, Event, Remove, Save


@dataclass(slots=True)
class _Reading:
    """A read on its way, and what we have written meanwhile: it may have been too early for it."""

    written: dict[tuple[str, str], Document | None] = field(default_factory=dict)
    valid: bool = True


class CachedDocuments:
    """
    The port Documents, read from memory where that is as good.

    The hub writes nearly everything itself, and its own commits are known here at once.  That
    somebody else has written is told by `refresh`, or by a commit whose number is not the next;
    then everything is forgotten and read anew.  So a read may miss what others wrote since the
    last `refresh`, as if it had been made that much earlier: a commit that rests on it is refused
    by its version, and that, too, forgets everything.

    Documents are shared between readers: nobody may change their bodies.
    """

    def __init__(self, inner: Documents) -> None:
        self._inner = inner
        self._at = -1  # sequence number that everything kept is as of
        self._single: dict[tuple[str, str], Document | None] = {}
        self._kinds: dict[str, dict[str, Document]] = {}
        self._lists: dict[str, tuple[Document, ...]] = {}
        self._readings: list[_Reading] = []

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None when there is none."""
        if kind in self._kinds:
            return self._kinds[kind].get(name)
        key = kind, name
        if key in self._single:
            return self._single[key]
        reading = self._begin()
        try:
            found = _newest(await self._inner.get(kind, name), reading, key)
        finally:
            self._readings.remove(reading)
        if reading.valid:
            self._single[key] = found
        return found

    async def list(self, kind: str) -> tuple[Document, ...]:
        """Return all documents of the kind, by name."""
        if kind in self._lists:
            return self._lists[kind]
        if kind not in self._kinds:
            reading = self._begin()
            try:
                listed = {each.name: each for each in await self._inner.list(kind)}
            finally:
                self._readings.remove(reading)
            found = _merged(kind, listed, reading)
            if not reading.valid:
                return _sorted(found)
            self._kinds[kind] = found
        self._lists[kind] = _sorted(self._kinds[kind])
        return self._lists[kind]

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes and record the events, or nothing at all; see the port."""
        try:
            sequence = await self._inner.commit(changes, events, fence)
        except BaseException:  # refused, or nobody knows whether it was made: read anew
            self._forget()
            raise
        if sequence != self._at + 1:
            self._forget()
        self._at = sequence
        for change in changes:
            self._apply(change)
        return sequence

    async def sequence(self) -> int:
        """Return a number that rises with each commit: equal means that nothing has changed."""
        return await self._inner.sequence()

    async def events(
        self, subject: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        """Return events with a number above `after`, oldest first; of all subjects when None."""
        return await self._inner.events(subject, after, limit)

    def refresh(self, sequence: int) -> None:
        """
        Take note of the store's sequence number; forget everything if others have written.

        A lower number than known is an answer from before our own last commit: it tells nothing.
        """
        if sequence > self._at:
            self._forget()
            self._at = sequence

    def _begin(self) -> _Reading:
        reading = _Reading()
        self._readings.append(reading)
        return reading

    def _forget(self) -> None:
        self._single.clear()
        self._kinds.clear()
        self._lists.clear()
        for reading in self._readings:
            reading.valid = False

    def _apply(self, change: Save | Remove) -> None:
        key, after = (change.kind, change.name), None
        if isinstance(change, Save):
            after = Document(*key, change.expected + 1, change.body)
        for reading in self._readings:
            reading.written[key] = after
        if change.kind not in self._kinds:
            self._single[key] = after
            return
        self._lists.pop(change.kind, None)
        if after is None:
            self._kinds[change.kind].pop(change.name, None)
        else:
            self._kinds[change.kind][change.name] = after


def _newest(read: Document | None, reading: _Reading, key: tuple[str, str]) -> Document | None:
    """Return what was read, or what we have written while it was being read."""
    if key not in reading.written:
        return read
    written = reading.written[key]
    if written is not None and read is not None and read.version > written.version:
        return read
    return written


def _merged(kind: str, listed: Mapping[str, Document], reading: _Reading) -> dict[str, Document]:
    found = dict(listed)
    for key in reading.written:
        if key[0] != kind:
            continue
        newest = _newest(found.pop(key[1], None), reading, key)
        if newest is not None:
            found[key[1]] = newest
    return found


def _sorted(documents: Mapping[str, Document]) -> tuple[Document, ...]:
    return tuple(documents[name] for name in sorted(documents))
