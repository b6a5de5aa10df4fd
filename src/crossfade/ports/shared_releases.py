"""Charts that every revision of an application shares, in one cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from crossfade.core.release.shared import SharedRelease


@dataclass(frozen=True, slots=True)
class SharedStatus:
    """How one shared release does."""

    name: str
    current: bool
    """It was installed whole from this very chart with these very values."""
    ready: bool
    """It is current, its pods are ready and its definitions are established."""
    trouble: str = ""
    """Why it is not ready, in the user's words."""


class SharedReleases(Protocol):
    """
    Helm releases with fixed names, upgraded in place before the revisions that need them.

    Every implementation passes tests/contract/test_shared_releases.py.
    """

    async def upgrade_shared(self, shared: SharedRelease) -> None:
        """
        Install the chart, or upgrade it in place; does nothing when it is current already.

        Safe to repeat, also after a crash half way.  Definitions (CRDs) in the chart's `crds`
        folder are brought up to date too.  A failed upgrade leaves what was there.  Returns once
        the API server has the objects.  Raises InputError if the chart or the cluster refuses
        them, Conflict while somebody removes the release, Unavailable.
        """
        ...

    async def shared_status(self, shared: Sequence[SharedRelease]) -> tuple[SharedStatus, ...]:
        """Return how each of these does, in their order.  Raises Unavailable."""
        ...
