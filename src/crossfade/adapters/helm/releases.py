"""The revisions of applications in one cluster, each a Helm release."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from crossfade.adapters.helm import postrender
from crossfade.adapters.helm.command import HelmCommand
from crossfade.adapters.helm.dry_run import DryRun, Rehearsal
from crossfade.adapters.helm.records import DEPLOYED, Record, read_records
from crossfade.adapters.helm.rolling import Rolling
from crossfade.adapters.helm.shared import Shared
from crossfade.adapters.helm.upgrades import Upgrade, Upgrades
from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.kubernetes.diagnosis import Diagnosis
from crossfade.adapters.kubernetes.leftovers import sweep
from crossfade.adapters.kubernetes.readiness import Readiness
from crossfade.adapters.kubernetes.statuses import status_of
from crossfade.adapters.kubernetes.workloads import (
    AUTOSCALERS,
    PodsOf,
    list_kind,
    list_workloads,
    path_of,
    read_workload,
)
from crossfade.base.errors import CrossfadeError, InputError, NotFound
from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release import sizing
from crossfade.core.release.kinds import APPLICATION_LABEL, REVISION_LABEL, labels_of
from crossfade.core.release.objection import Objection
from crossfade.core.release.revision import Revision
from crossfade.core.release.rolling import IN_PLACE_LABEL
from crossfade.core.release.shared import SharedRelease
from crossfade.ports.releases import RevisionStatus
from crossfade.ports.shared_releases import SharedStatus


@dataclass(slots=True)
class HelmReleases:
    """The Releases port."""

    api: KubeApi
    helm: HelmCommand
    seconds: float = 120.0
    """Deadline of one install or removal, with the chart's hooks."""
    readiness: Readiness = field(default_factory=Readiness)

    @property
    def _upgrades(self) -> Upgrades:
        return Upgrades(self.api, self.helm, self.seconds)

    @property
    def _rolling(self) -> Rolling:
        return Rolling(self._upgrades, self.readiness)

    async def status(
        self, application: ApplicationName, namespace: str
    ) -> tuple[RevisionStatus, ...]:
        """Return every revision of which something is there; see the port for errors."""
        selector = f"{APPLICATION_LABEL}={application}"
        # First alone: if the cluster is silent or refuses us, four more requests would be as well.
        releases = await read_records(self.api, namespace, selector)
        records = {
            RevisionId(each.labels[REVISION_LABEL]): each
            for each in releases.values()
            if each.labels.get(REVISION_LABEL)
        }
        found: dict[RevisionId, list[Object]] = {revision: [] for revision in records}
        in_place = []
        for thing in await list_workloads(self.api, namespace, selector):
            labels = labels_of(thing)
            if IN_PLACE_LABEL in labels:
                in_place.append(thing)
            elif REVISION_LABEL in labels:
                found.setdefault(RevisionId(labels[REVISION_LABEL]), []).append(thing)
        statuses = [
            await self._status(namespace, revision, records.get(revision), things)
            for revision, things in found.items()
        ]
        if in_place:
            record = releases.get(application)
            statuses += await self._rolling.status(namespace, in_place, record)
        return tuple(sorted(statuses, key=lambda each: each.revision))

    async def install(self, revision: Revision, chart: bytes, percent: int = 100) -> None:
        """Ask for the revision's objects; see the port for errors."""
        record = await self._upgrades.recover(revision.namespace, revision.release)
        workloads = await list_workloads(self.api, revision.namespace, _selector(revision))
        if workloads:
            percent = sizing.scale_of(workloads)
        wanted = Upgrade(
            revision.release,
            revision.namespace,
            chart,
            revision.values,
            {APPLICATION_LABEL: revision.application, REVISION_LABEL: revision.id},
            postrender.beside(revision.application, revision.id, percent),
        )
        try:
            await self._upgrades.apply(wanted)
        except InputError:
            if record is None or not record.serves:
                # Nothing half-applied: what the cluster took before it refused goes again.
                with suppress(CrossfadeError):
                    await self.uninstall(revision)
            raise
        if percent == 0 and not workloads:
            await self.scale(revision, 0)  # what an autoscaler runs has begun with one pod

    async def scale(self, revision: Revision, percent: int) -> None:
        """Ask for so many of the chart's own pods; see the port for errors."""
        selector = _selector(revision)
        workloads = await list_workloads(self.api, revision.namespace, selector)
        autoscalers = await list_kind(self.api, AUTOSCALERS, revision.namespace, selector)
        for thing, patch in sizing.changes(workloads, autoscalers, percent):
            with suppress(NotFound):  # it is being taken away just now
                await self.api.merge(path_of(thing), patch)

    async def roll(self, revision: Revision, chart: bytes, percent: int) -> None:
        """Ask for so many pods of the revision, in place; see the port for errors."""
        await self._rolling.roll(revision, chart, percent)

    async def dry_run(
        self, revision: Revision, chart: bytes, percent: int = 100, *, in_place: bool = False
    ) -> tuple[Objection, ...]:
        """Return what the cluster has against the objects; see the port for errors."""
        application, release = revision.application, revision.release
        renderer = postrender.beside(application, revision.id, percent)
        if in_place:
            release, renderer = application, postrender.in_place(application, revision.id)
        wanted = Rehearsal(release, revision.namespace, chart, revision.values, renderer)
        return await DryRun(self.api, self.helm, self.seconds).run(wanted)

    async def upgrade_shared(self, shared: SharedRelease) -> None:
        """Bring a shared chart up to date; see the port for errors."""
        await Shared(self._upgrades, self.readiness).upgrade_shared(shared)

    async def shared_status(self, shared: Sequence[SharedRelease]) -> tuple[SharedStatus, ...]:
        """Return how shared charts do; see the port for errors."""
        return await Shared(self._upgrades, self.readiness).shared_status(shared)

    async def uninstall(self, revision: Revision) -> None:
        """Take the revision's objects away; see the port for errors."""
        namespace, selector = revision.namespace, _selector(revision)
        self.readiness.forget(_pods_of(namespace, revision.id))
        if await read_records(self.api, namespace, f"name={revision.release}"):
            await self._upgrades.uninstall(namespace, revision.release)
        else:
            await sweep(self.api, namespace, selector, revision.release)

    async def _status(
        self,
        namespace: str,
        revision: RevisionId,
        record: Record | None,
        things: Sequence[Object],
    ) -> RevisionStatus:
        workloads = [read_workload(thing) for thing in things]
        installed = record is not None and record.status == DEPLOYED
        if installed:
            whose = _pods_of(namespace, revision)
            trouble = await self.readiness.trouble(self.api, whose, workloads)
        else:
            trouble = Diagnosis(f"half-done: Helm says {record.status if record else 'nothing'}")
        return status_of(revision, workloads, trouble, installed=installed)


def _pods_of(namespace: str, revision: RevisionId) -> PodsOf:
    return PodsOf(namespace, f"{REVISION_LABEL}={revision}")


def _selector(revision: Revision) -> str:
    return f"{APPLICATION_LABEL}={revision.application},{REVISION_LABEL}={revision.id}"
