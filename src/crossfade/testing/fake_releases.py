"""Revisions of a cluster in memory: the Releases port for tests of the engine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName
from crossfade.core.release import sizing
from crossfade.core.release.objection import Objection, objection
from crossfade.core.release.report import Cause
from crossfade.core.release.revision import Revision
from crossfade.core.release.shared import SharedRelease
from crossfade.ports.releases import RevisionStatus
from crossfade.ports.shared_releases import SharedStatus

if TYPE_CHECKING:
    from crossfade.testing.fake_cluster import FakeCluster

PODS = 3


@dataclass(slots=True)
class Installed:
    """One revision in the cluster."""

    revision: Revision
    installed: bool = True
    """False: half done, as after a crash."""
    ready_pods: int = PODS
    trouble: str = ""
    hopeless: bool = False
    cause: Cause = Cause.NONE
    scale: int = sizing.FULL
    pods: int = PODS
    """The chart's own number; of a revision that is being replaced in place, those it has left."""
    in_place: bool = False

    @property
    def wanted(self) -> int:
        """Pods at the present scale."""
        return sizing.pods(self.pods, self.scale)


@dataclass(frozen=True, slots=True)
class FakeReleases:
    """The Releases port of a cluster in memory."""

    cluster: "FakeCluster"

    async def status(
        self, application: ApplicationName, namespace: str
    ) -> tuple[RevisionStatus, ...]:
        """Return every revision of which something is there; see the port."""
        await self.cluster.ask()
        return tuple(
            _status(replace(each, ready_pods=0) if self.cluster.faults.blind else each)
            for (name, _), each in sorted(self.cluster.revisions.items())
            if name == application and each.revision.namespace == namespace
        )

    async def install(self, revision: Revision, chart: bytes, percent: int = 100) -> None:
        """Put the revision there; see the port."""
        await self.cluster.ask()
        with self.cluster.faults.act():
            self.cluster.acts.append(f"install {revision.id}")
            self.cluster.refuse(revision, chart)
            key = (revision.application, revision.id)
            if key in self.cluster.revisions:
                self.cluster.revisions[key].installed = True
                return
            installed = Installed(revision, scale=percent, pods=_own_pods(revision))
            installed.ready_pods = installed.wanted
            if not self.cluster.pods_start:
                installed.ready_pods, installed.trouble = 0, "pods are starting"
            self.cluster.revisions[key] = installed

    async def scale(self, revision: Revision, percent: int) -> None:
        """Ask for so many of the chart's own pods; see the port."""
        await self.cluster.ask()
        with self.cluster.faults.act():
            self.cluster.acts.append(f"scale {revision.id} {percent}")
            found = self.cluster.revisions.get((revision.application, revision.id))
            if found is None:
                return
            whole = found.ready_pods >= found.wanted
            found.scale = percent
            grows = self.cluster.pods_start and whole
            found.ready_pods = found.wanted if grows else min(found.ready_pods, found.wanted)

    async def roll(self, revision: Revision, chart: bytes, percent: int) -> None:
        """Ask for so many pods of the revision, in place; see the port."""
        await self.cluster.ask()
        with self.cluster.faults.act():
            self.cluster.acts.append(f"roll {revision.id} {percent}")
            self.cluster.refuse(revision, chart)
            own = _own_pods(revision)
            new = sizing.pods(own, percent)
            mine = (revision.application, revision.id)
            for key, each in tuple(self.cluster.revisions.items()):
                if each.in_place and key != mine and key[0] == revision.application:
                    each.pods = each.ready_pods = own - new
                    if each.pods == 0:
                        del self.cluster.revisions[key]
            rolled = Installed(revision, scale=percent, pods=own, in_place=True)
            rolled.ready_pods = rolled.wanted if self.cluster.pods_start else 0
            rolled.trouble = "" if self.cluster.pods_start else "pods are starting"
            self.cluster.revisions[mine] = rolled

    async def dry_run(
        self, revision: Revision, chart: bytes, percent: int = 100, *, in_place: bool = False
    ) -> tuple[Objection, ...]:
        """Return what the cluster has against the objects; see the port."""
        await self.cluster.ask()
        if not is_chart(chart):
            raise InputError("this is no chart", hint="mend it", cluster=self.cluster.name)
        why = self.cluster.refused.get(revision.id, "")
        return (objection("Deployment", revision.release, why),) if why else ()

    async def upgrade_shared(self, shared: SharedRelease) -> None:
        """Bring a shared chart up to date; see the port."""
        await self.cluster.ask()
        with self.cluster.faults.act():
            if self.cluster.shared.get((shared.namespace, shared.name)) == shared.digest:
                return
            self.cluster.acts.append(f"upgrade shared {shared.name}")
            if not is_chart(shared.chart):
                raise InputError("this is no chart", hint="mend it", cluster=self.cluster.name)
            self.cluster.shared[shared.namespace, shared.name] = shared.digest

    async def shared_status(self, shared: Sequence[SharedRelease]) -> tuple[SharedStatus, ...]:
        """Return how shared charts do; see the port."""
        await self.cluster.ask()
        return tuple(self._shared_status(each) for each in shared)

    def _shared_status(self, shared: SharedRelease) -> SharedStatus:
        held = self.cluster.shared.get((shared.namespace, shared.name))
        trouble = "" if held == shared.digest else "it is not there"
        trouble = trouble or self.cluster.shared_troubles.get(shared.name, "")
        return SharedStatus(shared.name, held == shared.digest, not trouble, trouble)

    async def uninstall(self, revision: Revision) -> None:
        """Take the revision away; see the port."""
        await self.cluster.ask()
        with self.cluster.faults.act():
            self.cluster.acts.append(f"uninstall {revision.id}")
            self.cluster.revisions.pop((revision.application, revision.id), None)


def is_chart(chart: bytes) -> bool:
    """Return whether the bytes may be a packed chart."""
    return chart.startswith(b"\x1f\x8b")


def _own_pods(revision: Revision) -> int:
    own = revision.values.get("replicaCount", PODS)
    return own if isinstance(own, int) else PODS


def _status(each: Installed) -> RevisionStatus:
    trouble = each.trouble if each.installed else "half-done"
    if each.wanted == 0:
        trouble = trouble or "it is scaled to 0 pods"
    return RevisionStatus(
        revision=each.revision.id,
        installed=each.installed,
        ready=each.installed and each.ready_pods == each.wanted > 0,
        wanted_pods=each.wanted,
        ready_pods=each.ready_pods,
        trouble=trouble,
        hopeless=each.hopeless,
        cause=each.cause,
        scale=each.scale,
        chart_pods=each.pods,
    )
