"""How many requests each revision got, and how many failed, as a cluster's gateway counts them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from crossfade.base.ids import ApplicationName, RevisionId

SLOWER_EDGES = (50, 100, 250, 500, 1000, 2500)
"""Milliseconds that answers are compared with, unless somebody asks for others."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals of first tries since the counting process started; they fall only when it restarts."""

    revision: RevisionId
    requests: int
    errors: int
    """Answers 5xx and no answers, before any retry hides them."""
    slower: Mapping[int, int] = field(default_factory=dict)
    """
    Requests whose last try was answered, but later than each edge in milliseconds after it came.

    Empty when the gateway keeps no buckets.  It may follow `requests` by some seconds.
    """


class TrafficCounts(Protocol):
    """Every implementation passes tests/contract/test_traffic_counts.py."""

    async def read(self, application: ApplicationName) -> tuple[Counts, ...]:
        """
        Return the counters of the application's revisions; a revision never asked is missing.

        Raises Unavailable when the counters cannot be read: that is no zero.
        """
        ...
