"""Documents of which one reader keeps copies: it must learn what others have changed."""

from typing import Protocol

from crossfade.ports.documents import Documents


class WatchedDocuments(Documents, Protocol):
    """
    Documents that tell the leaseholder what everybody else has changed.

    Every implementation passes tests/contract/test_watched_documents.py.
    """

    async def changed_outside(self, after: int) -> tuple[tuple[str, str], ...]:
        """
        Return kind and name of what was changed without a fence since the commit `after`.

        Changes are remembered for at least `REMEMBERED` commits.
        """
        ...


REMEMBERED = 100_000
"""Whoever is further behind must take everything for changed."""
