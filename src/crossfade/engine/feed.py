"""What happens, for many who watch at once: one reader of the store, one ring, only cursors."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace

from crossfade.base.errors import Unavailable
from crossfade.engine.access_records import ACCOUNT, TOKEN
from crossfade.ports.documents import Documents, Event

POLL_SECONDS = 0.1
_RING = 2000
_PAGE = 500
_ACCESS = (ACCOUNT, TOKEN)


@dataclass(slots=True)
class Feed:
    """
    Events as they come.  Whoever lags behind the ring is given older ones from the store.

    Events are kept without their facts: those of a decision are large, and have a page of their
    own.
    """

    documents: Documents
    newest: int = 0
    """Number of the newest event that was read."""
    sequence: int = 0
    """Of the newest commit that was seen."""
    watchers: int = 0
    access: int = 0
    """Number of the newest event about who may do what: who watches may be out by it."""
    _ring: deque[Event] = field(default_factory=deque)
    _since: int = 0
    """Events after this number are in the ring."""
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def closed(self) -> bool:
        """Whether all who watch are to end."""
        return self._ended.is_set()

    async def begin(self) -> None:
        """Find the end of the history; what comes after it is kept, and a little from before."""
        self.sequence = await self.documents.sequence()
        self.newest = await newest_number(self.documents)
        self._since = max(0, self.newest - _PAGE)
        for event in await self.documents.events(None, self._since, _PAGE):
            self._keep(event)

    async def run(self) -> None:
        """Read on until closed or cancelled; a store that is away is asked again."""
        while not self.closed:
            with suppress(Unavailable):
                await self.look()
            await asyncio.sleep(POLL_SECONDS)

    async def look(self) -> None:
        """Read what is new."""
        sequence = await self.documents.sequence()
        if sequence == self.sequence:
            return
        while page := await self.documents.events(None, self.newest, _PAGE):
            for event in page:
                self._keep(event)
        self.sequence = sequence

    def recent(self, since: float) -> tuple[Event, ...]:
        """Return the events of the ring that happened since then, oldest first."""
        return tuple(each for each in self._ring if each.at >= since)

    def _keep(self, event: Event) -> None:
        self._ring.append(replace(event, facts={}))
        if event.subject.partition("/")[0] in _ACCESS:
            self.access = event.number
        self.newest = max(self.newest, event.number)
        if len(self._ring) > _RING:
            self._since = self._ring.popleft().number

    def close(self) -> None:
        """Have all who watch end."""
        self._ended.set()

    async def after(self, cursor: int, limit: int = _PAGE) -> tuple[Event, ...]:
        """Return events after the cursor, oldest first, without their facts."""
        if cursor >= self.newest:
            return ()
        if cursor < self._since:
            found = await self.documents.events(None, cursor, limit)
            return tuple(replace(each, facts={}) for each in found)
        newer = [each for each in self._ring if each.number > cursor]
        return tuple(newer[:limit])

    async def rest(self, seconds: float) -> None:
        """Wait so long, or until the feed is closed."""
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return


async def newest_number(documents: Documents) -> int:
    """Return the number of the newest event, 0 when there is none, without reading them all."""
    low, high = 0, 1
    while await documents.events(None, high - 1, 1):
        low, high = high, high * 2
    # An event above low - 1 is there, none above high - 1.
    while high - low > 1:
        middle = (low + high) // 2
        if await documents.events(None, middle - 1, 1):
            low = middle
        else:
            high = middle
    return low
