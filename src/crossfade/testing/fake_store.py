"""The store in memory: documents, blobs and leases that pass the same contract as the real one."""

import hashlib
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crossfade.base.errors import Conflict, NotFound
from crossfade.engine.records import Values
from crossfade.ports.documents import Document, Event, Remove, Save
from crossfade.ports.leases import Lease


class FakeStore:
    """
    The ports HubStore, Blobs and Leases, forgotten with the process.

    With `copying` off, bodies are shared with whoever writes and reads them, which costs much
    less: for worlds in which nobody changes what was written, as `CachedDocuments` asks for too.
    """

    def __init__(self, *, copying: bool = True) -> None:
        self._copying = copying
        self.values: Values | None = None if copying else {}
        """What was made from documents that all who read them share."""
        self._documents: dict[tuple[str, str], Document] = {}
        self._events: list[Event] = []
        self._blobs: dict[str, bytes] = {}
        self._leases: dict[str, Lease] = {}
        self._sequence = 0
        self._numbers = 0
        self._outside: list[tuple[int, tuple[str, str]]] = []
        self.late_epochs: list[int] = []
        """Epochs of leases that had ended when something was written under them: no good store."""

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None when there is none."""
        found = self._documents.get((kind, name))
        return found and self._returned(found)

    async def list(self, kind: str, names: Collection[str] | None = None) -> tuple[Document, ...]:
        """Return all documents of the kind by name, or those of the names that there are."""
        keys = [key for key in self._documents if key[0] == kind]
        wanted = sorted(key for key in keys if names is None or key[1] in names)
        found = [self._documents[key] for key in wanted]
        return tuple(self._returned(document) for document in found)

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes and record the events, or nothing at all; see the port."""
        self._check(fence)
        documents = dict(self._documents)
        for change in changes:
            key = (change.kind, change.name)
            version = documents[key].version if key in documents else 0
            if version != change.expected or (isinstance(change, Remove) and version == 0):
                raise Conflict("the document differs", hint="read it again", found=version)
            if isinstance(change, Save):
                body = _copy(change.body) if self._copying else change.body
                documents[key] = Document(*key, version + 1, body)
            else:
                del documents[key]
        first = self._numbers + 1
        numbered = [
            replace(event, number=number, facts=self._facts(event))
            for number, event in enumerate(events, first)
        ]
        self._numbers += len(numbered)
        self._documents = documents
        self._events += numbered
        self._sequence += 1
        if 0 < fence < self.newest_epoch:
            self.late_epochs.append(fence)
        if fence == 0:
            self._outside += [(self._sequence, (each.kind, each.name)) for each in changes]
        return self._sequence

    async def sequence(self) -> int:
        """Return a number that rises with each commit: equal means that nothing has changed."""
        return self._sequence

    async def changed_outside(self, after: int) -> tuple[tuple[str, str], ...]:
        """Return kind and name of what was changed without a fence since the commit `after`."""
        return tuple(dict.fromkeys(key for number, key in self._outside if number > after))

    async def events(
        self, subject: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        """Return events with a number above `after`, oldest first; of all subjects when None."""
        found = [event for event in self.history(after) if subject in (None, event.subject)]
        return tuple(replace(event, facts=self._facts(event)) for event in found[:limit])

    async def event_counts(self) -> Mapping[str, int]:
        """Return how many events there are of each subject."""
        return Counter(event.subject for event in self._events)

    async def forget_events(self, numbers: tuple[int, ...], fence: int) -> None:
        """Remove the events with these numbers.  Raises Conflict."""
        self._check(fence)
        gone = set(numbers)
        self._events = [event for event in self._events if event.number not in gone]

    def held(self, kind: str, name: str) -> Document | None:
        """Return the document as it is kept, for who looks on; nobody may change its body."""
        return self._documents.get((kind, name))

    def history(self, after: int) -> Sequence[Event]:
        """Return the events after this number as they are kept, for who looks on."""
        return self._events[bisect_right(self._events, after, key=lambda each: each.number) :]

    @property
    def commits(self) -> int:
        """How many commits there have been."""
        return self._sequence

    @property
    def newest_epoch(self) -> int:
        """The epoch of the newest lease, 0 before the first."""
        return max((lease.epoch for lease in self._leases.values()), default=0)

    def _returned(self, document: Document) -> Document:
        return replace(document, body=_copy(document.body)) if self._copying else document

    def _facts(self, event: Event) -> dict[str, Any]:
        return _copy(event.facts) if self._copying else event.facts

    def _check(self, fence: int) -> None:
        newest = self.newest_epoch
        if 0 < fence < newest:
            raise Conflict("a newer leaseholder has taken over", hint="stop", newest=newest)

    async def put(self, data: bytes) -> str:
        """Keep the bytes and return their SHA-256 in hexadecimal.  Safe to repeat."""
        digest = hashlib.sha256(data).hexdigest()
        self._blobs[digest] = bytes(data)
        return digest

    async def fetch(self, digest: str) -> bytes:
        """Return the bytes.  Raises NotFound."""
        if digest not in self._blobs:
            raise NotFound("no such bytes in the store", hint="deploy again", digest=digest)
        return self._blobs[digest]

    async def acquire(self, name: str, holder: str, now: float, seconds: float) -> Lease:
        """Take or renew the lease.  Raises Conflict while somebody else has it."""
        lease = self._leases.get(name, Lease("", 0, 0.0))
        if lease.holder not in ("", holder) and lease.expires_at > now:
            raise Conflict(f"`{lease.holder}` runs on this store already", hint="stop it first")
        epoch = lease.epoch if lease.holder == holder else lease.epoch + 1
        self._leases[name] = Lease(holder, epoch, now + seconds)
        return self._leases[name]

    async def release(self, name: str, holder: str) -> None:
        """Give the lease up; nothing happens when `holder` does not have it."""
        lease = self._leases.get(name)
        if lease is not None and lease.holder == holder:
            self._leases[name] = Lease("", lease.epoch, 0.0)

    async def current(self, name: str) -> Lease | None:
        """Return the lease whether or not it has expired, or None when there never was one."""
        return self._leases.get(name)


def _copy(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a database would give back: JSON, and nobody else's object."""
    copied: dict[str, Any] = json.loads(json.dumps(body, allow_nan=False))
    return copied
