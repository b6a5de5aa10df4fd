"""What is known of the history as a whole, and how parts of it are forgotten."""

from collections.abc import Mapping
from typing import Protocol

from crossfade.ports.watched_documents import WatchedDocuments


class EventLog(Protocol):
    """
    The history of a store, for whoever decides how long it is kept.

    Every implementation passes tests/contract/test_event_log.py.
    """

    async def event_counts(self) -> Mapping[str, int]:
        """Return how many events there are of each subject."""
        ...

    async def forget_events(self, numbers: tuple[int, ...], fence: int) -> None:
        """
        Remove the events with these numbers, and outside changes that nobody needs any more.

        Numbers are never given again.  Raises Conflict when a newer leaseholder has taken over.
        """
        ...


class HubStore(WatchedDocuments, EventLog, Protocol):
    """The store of a hub, with everything that only a hub does to it."""
