"""Documents that the hub has read once and keeps, as long as nobody else writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from crossfade.ports.documents import Document, Event, Remove, Save
from crossfade.ports.event_log import HubStore
from crossfade.ports.watched_documents import REMEMBERED

FEW = 100
"""Of so many documents of a kind that may have changed, each is read again by itself."""


@dataclass(slots=True, eq=False)
class _Reading:
    """A read on its way, and what we have written meanwhile: it may have been too early for it."""

    written: dict[tuple[str, str], Document | None] = field(default_factory=dict)
    valid: bool = True


class CachedDocuments:
    """
    The port HubStore, read from memory where that is as good.

    The hub writes nearly everything itself, and its own commits are known here at once.  What
    somebody else has changed is asked for by `refresh` and `catch_up`, and then read anew.  So a
    read may miss what others wrote since the last of these, as if it had been made that much
    earlier: a commit that rests on it is refused by its version, and that, too, has its documents
    read anew.

    Documents are shared between readers: nobody may change their bodies.
    """

    def __init__(self, inner: HubStore) -> None:
        self._inner = inner
        self._at: int | None = None
        """Number of the commit up to which what others have changed is known."""
        self._untold: tuple[tuple[str, str], ...] | None = ()
        """What has been found to be changed, and not been told by `refresh`."""
        self._single: dict[tuple[str, str], Document | None] = {}
        self._kinds: dict[str, dict[str, Document]] = {}
        """Kinds of which all documents are known, but for the stale ones."""
        self._stale: dict[str, set[str]] = {}
        self._lists: dict[str, tuple[Document, ...]] = {}
        self._readings: list[_Reading] = []

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None when there is none."""
        if kind in self._kinds and name not in self._stale.get(kind, ()):
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
            self._keep(key, found)
        return found

    async def list(self, kind: str, names: Collection[str] | None = None) -> tuple[Document, ...]:
        """Return all documents of the kind by name, or those of the names that there are."""
        if names is not None:
            return await self._some(kind, sorted(set(names)))
        for name in tuple(self._stale.get(kind, ())):
            await self.get(kind, name)
        if kind in self._lists:
            return self._lists[kind]
        if kind not in self._kinds or self._stale.get(kind):
            reading = self._begin()
            try:
                listed = {each.name: each for each in await self._inner.list(kind)}
            finally:
                self._readings.remove(reading)
            found = _merged(kind, listed, reading)
            if not reading.valid:
                return _sorted(found)
            self._kinds[kind] = found
            self._stale.pop(kind, None)
        self._lists[kind] = _sorted(self._kinds[kind])
        return self._lists[kind]

    async def _some(self, kind: str, names: Sequence[str]) -> tuple[Document, ...]:
        missing = [each for each in names if (kind, each) not in self._single]
        if kind not in self._kinds and missing:
            reading = self._begin()
            try:
                read = {each.name: each for each in await self._inner.list(kind, missing)}
            finally:
                self._readings.remove(reading)
            if reading.valid:
                for name in missing:
                    key = kind, name
                    self._keep(key, _newest(read.get(name), reading, key))
        found = [await self.get(kind, each) for each in names]  # what is known is not read again
        return tuple(each for each in found if each is not None)

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes and record the events, or nothing at all; see the port."""
        try:
            sequence = await self._inner.commit(changes, events, fence)
        except BaseException:  # refused, or nobody knows whether it was made: read anew
            self._forget({(each.kind, each.name) for each in changes})
            raise
        for change in changes:
            self._apply(change)
        return sequence

    async def sequence(self) -> int:
        """Return a number that rises with each commit: equal means that nothing has changed."""
        return await self._inner.sequence()

    async def changed_outside(self, after: int) -> tuple[tuple[str, str], ...]:
        """Return kind and name of what was changed without a fence since the commit `after`."""
        return await self._inner.changed_outside(after)

    async def events(
        self, subject: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        """
        Return events with a number above `after`, oldest first; of all subjects when None.

        What is read after them is at least as new as they are.
        """
        found = await self._inner.events(subject, after, limit)
        if found and self._at is not None:
            self._forget(await self._inner.changed_outside(self._at))
        return found

    async def event_counts(self) -> Mapping[str, int]:
        """Return how many events there are of each subject."""
        return await self._inner.event_counts()

    async def forget_events(self, numbers: tuple[int, ...], fence: int) -> None:
        """Remove the events with these numbers; see the port."""
        await self._inner.forget_events(numbers, fence)

    async def refresh(self) -> tuple[tuple[str, str], ...] | None:
        """
        Have what others have changed read anew; return its kinds and names.

        Returns None when that is not known, as at the first call: then it may be anything.
        """
        await self.catch_up()
        told, self._untold = self._untold, ()
        return told

    async def catch_up(self) -> None:
        """Have what others have changed read anew; `refresh` tells of it later."""
        changed = await self._look_outside()
        known = self._untold
        self._untold = None if changed is None or known is None else (*known, *changed)

    async def _look_outside(self) -> tuple[tuple[str, str], ...] | None:
        sequence = await self._inner.sequence()
        if self._at is None or sequence - self._at > REMEMBERED:
            self._forget_all()
            self._at = sequence
            return None
        if sequence == self._at:
            return ()
        changed = await self._inner.changed_outside(self._at)
        self._at = max(self._at, sequence)  # somebody else may have looked meanwhile
        self._forget(changed)
        return changed

    def _begin(self) -> _Reading:
        reading = _Reading()
        self._readings.append(reading)
        return reading

    def _forget(self, keys: Collection[tuple[str, str]]) -> None:
        for kind, name in keys:
            self._single.pop((kind, name), None)
            if kind in self._kinds:
                self._stale.setdefault(kind, set()).add(name)
                self._lists.pop(kind, None)
        for kind in [each for each, names in self._stale.items() if len(names) > FEW]:
            del self._kinds[kind], self._stale[kind]
        if keys:
            for reading in self._readings:
                reading.valid = False

    def _forget_all(self) -> None:
        for known in (self._single, self._kinds, self._stale, self._lists):
            known.clear()
        for reading in self._readings:
            reading.valid = False

    def _apply(self, change: Save | Remove) -> None:
        key, after = (change.kind, change.name), None
        if isinstance(change, Save):
            after = Document(*key, change.expected + 1, change.body)
        for reading in self._readings:
            reading.written[key] = after
        self._keep(key, after)

    def _keep(self, key: tuple[str, str], found: Document | None) -> None:
        kind, name = key
        if kind not in self._kinds:
            self._single[key] = found
            return
        self._lists.pop(kind, None)
        self._stale.get(kind, set()).discard(name)
        if found is None:
            self._kinds[kind].pop(name, None)
        else:
            self._kinds[kind][name] = found


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
