"""Revisions that follow each other in place: for StatefulSets and whatever no route splits."""

from typing import Protocol

from crossfade.core.release.revision import Revision


class RollingReleases(Protocol):
    """
    The one release of an application whose revisions cannot stand beside each other.

    `Releases.status` shows every revision that has pods: the wanted one with the percentage of
    `roll` as its scale, and the one before as long as it has any.
    Every implementation passes tests/contract/test_rolling_releases.py.
    """

    async def roll(self, revision: Revision, chart: bytes, percent: int) -> None:
        """
        Ask for `percent` of the application's pods to be of the revision.  Safe to repeat.

        Back is the same call: `roll(stable, chart, 100)` replaces the pods that are not stable's
        and touches no other, those that never came up included.  Returns once the API server has
        it.  Raises InputError if the chart or the cluster refuses the objects, Conflict while
        somebody removes the release, Unavailable.
        """
        ...
