"""Revisions in one cluster: put there, sized, looked at, taken away."""

from dataclasses import dataclass
from typing import Protocol

from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release.objection import Objection
from crossfade.core.release.report import Cause
from crossfade.core.release.revision import Revision
from crossfade.ports.rolling_releases import RollingReleases
from crossfade.ports.shared_releases import SharedReleases


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
    """Waiting will not make them ready: they crash again and again, or a Secret is missing."""
    cause: Cause = Cause.NONE
    """Whose fault the trouble is; that of nodes or a lack of resources is never hopeless."""
    scale: int = 100
    """Percent of the chart's own pods that was last asked for in full; 100 when none ever was."""
    chart_pods: int = 0
    """The chart's own number of pods, whatever runs now."""


class Releases(RollingReleases, SharedReleases, Protocol):
    """
    The revisions of applications in one cluster: beside each other, or in place; what they share.

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

    async def install(self, revision: Revision, chart: bytes, percent: int = 100) -> None:
        """
        Ask for the revision's objects.  Safe to repeat, also after a crash half way.

        The first time it asks for `percent` of the chart's own pods; what is there already keeps
        its scale.  Returns once the API server has the objects, not once pods are ready.
        Raises InputError if the chart or the cluster refuses the objects, Unavailable.
        """
        ...

    async def scale(self, revision: Revision, percent: int) -> None:
        """
        Ask for `percent` (0 and up) of the chart's own pods, rounded up.  Safe to repeat.

        Autoscalers stay in charge of what they run: their range is scaled.  Does nothing for what
        is not there.  Raises Unavailable.
        """
        ...

    async def uninstall(self, revision: Revision) -> None:
        """Take the revision's objects away.  Safe to repeat.  Raises Unavailable."""
        ...

    async def dry_run(
        self, revision: Revision, chart: bytes, percent: int = 100, *, in_place: bool = False
    ) -> tuple[Objection, ...]:
        """
        Return all that the cluster has against the revision's objects, refusals before warnings.

        Every object is asked of the API server as it would be installed (`in_place`: as `roll`
        would), and a pod of every workload, so that quotas and pod policies speak up; nothing is
        changed.
        Raises InputError when the chart does not render, Unavailable.
        """
        ...
