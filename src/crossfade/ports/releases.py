"""Revisions in one cluster: put there, looked at, taken away."""

from dataclasses import dataclass
from typing import Protocol

from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release.revision import Revision


@dataclass(frozen=True, slots=True)
class RevisionStatus:
    """How one revision does in one cluster."""

    revision: RevisionId
    installed: bool
    """True once Helm has recorded the release as deployed; False: half done, install again."""
    ready: bool
    """Every workload has all its wanted pods ready, and at least one pod is ready in all."""
    wanted_pods: int = 0
    ready_pods: int = 0
    trouble: str = ""
    """Why pods are not ready, in the user's words (crash, failing probe, no room); "" if fine."""
    hopeless: bool = False
    """Waiting will not make them ready: they crash again and again, or the image has no name."""


class Releases(Protocol):
    """
    The revisions of applications in one cluster.

    Every implementation passes tests/contract/test_releases.py.
    """

    async def status(
        self, application: ApplicationName, namespace: str
    ) -> tuple[RevisionStatus, ...]:
        """
        Return every revision of which something is in the cluster, half-installed ones too.

        Raises Unavailable (Denied if credentials are refused).
        """
        ...

    async def install(self, revision: Revision, chart: bytes) -> None:
        """
        Ask for the revision's objects.  Safe to repeat, also after a crash half way.

        Returns once the API server has them, not once pods are ready.
        Raises InputError if the chart or the cluster refuses the objects, Unavailable.
        """
        ...

    async def uninstall(self, revision: Revision) -> None:
        """Take the revision's objects away.  Safe to repeat.  Raises Unavailable."""
        ...
