"""An application whose revisions follow each other in place: one Helm release, with partitions."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from crossfade.adapters.helm import postrender
from crossfade.adapters.helm.records import DEPLOYED, Record
from crossfade.adapters.helm.upgrades import Upgrade, Upgrades
from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.kubernetes.diagnosis import Diagnosis
from crossfade.adapters.kubernetes.readiness import Readiness
from crossfade.adapters.kubernetes.statuses import status_of
from crossfade.adapters.kubernetes.workloads import (
    PodsOf,
    Workload,
    list_workloads,
    path_of,
    read_workload,
)
from crossfade.base.errors import NotFound
from crossfade.base.ids import RevisionId
from crossfade.core.release import rolling, sizing
from crossfade.core.release.kinds import APPLICATION_LABEL, REVISION_LABEL, labels_of, title
from crossfade.core.release.revision import Revision
from crossfade.core.release.rolling import IN_PLACE_LABEL
from crossfade.ports.releases import RevisionStatus

_HISTORY = 10


@dataclass(slots=True)
class Rolling:
    """The RollingReleases port."""

    upgrades: Upgrades
    _readiness: Readiness = field(default_factory=Readiness)

    @property
    def _api(self) -> KubeApi:
        return self.upgrades.api

    async def roll(self, revision: Revision, chart: bytes, percent: int) -> None:
        """Ask for so many pods of the revision; see the port for errors."""
        release, namespace = revision.application, revision.namespace
        record = await self.upgrades.only(namespace, release)
        if record is None or not _holds(record, revision.id):
            # Until the partition is moved below, no pod changes: a crash in between harms nobody.
            wanted = Upgrade(
                release,
                namespace,
                chart,
                revision.values,
                {APPLICATION_LABEL: revision.application, IN_PLACE_LABEL: revision.id},
                postrender.in_place(revision.application, revision.id),
                _HISTORY,
            )
            await self.upgrades.apply(wanted)
        selector = f"{APPLICATION_LABEL}={revision.application}"
        workloads = await list_workloads(
            self._api, namespace, f"{selector},{IN_PLACE_LABEL}={revision.id}"
        )
        for thing, patch in rolling.shifts(workloads, percent):
            with suppress(NotFound):  # it is being taken away just now
                await self._api.merge(path_of(thing), patch)
        await self._free(revision, selector)

    async def _free(self, revision: Revision, selector: str) -> None:
        """Delete pods that never came up and would block the way back to this revision."""
        workloads = await list_workloads(
            self._api, revision.namespace, f"{selector},{IN_PLACE_LABEL}={revision.id}"
        )
        root = f"/api/v1/namespaces/{revision.namespace}/pods"
        pods, _ = await self._api.list(root, selector)
        for thing in workloads:
            for pod in rolling.stuck(thing, pods):
                await self._api.delete(f"{root}/{pod}")

    async def status(
        self, namespace: str, workloads: Sequence[Object], record: Record | None
    ) -> list[RevisionStatus]:
        """Return the status of each revision that has pods among these in-place workloads."""
        application = labels_of(workloads[0]).get(APPLICATION_LABEL, "")
        wanted = RevisionId(labels_of(workloads[0])[IN_PLACE_LABEL])
        selector = f"{APPLICATION_LABEL}={application}"
        pods, _ = await self._api.list(f"/api/v1/namespaces/{namespace}/pods", selector)
        found: dict[RevisionId, list[Workload]] = {wanted: []}
        for thing in workloads:
            for revision, workload in _dealt(thing, pods):
                found.setdefault(revision, []).append(workload)
        whole = record is not None and _holds(record, wanted)
        statuses = []
        for revision, parts in found.items():
            if revision == wanted and not whole:
                told = record.status if record else "nothing"
                trouble: Diagnosis | None = Diagnosis(f"half-done: Helm says {told}")
            else:
                whose = PodsOf(namespace, f"{selector},{REVISION_LABEL}={revision}")
                trouble = await self._readiness.trouble(self._api, whose, parts)
            installed = whole or revision != wanted
            statuses.append(status_of(revision, parts, trouble, installed=installed))
        return statuses


def _holds(record: Record, revision: RevisionId) -> bool:
    return record.status == DEPLOYED and record.labels.get(IN_PLACE_LABEL) == revision


def _dealt(thing: Object, pods: Sequence[Object]) -> Iterator[tuple[RevisionId, Workload]]:
    """Yield each revision that pods of the workload are of, with what it has of them."""
    whole = read_workload(thing)
    wanted = RevisionId(labels_of(thing)[IN_PLACE_LABEL])
    if thing["kind"] != "StatefulSet":
        yield wanted, whole
        return
    for part in rolling.parts(thing, pods):
        newest = part.revision == wanted
        yield (
            part.revision,
            Workload(
                title=title(thing),
                wanted=part.wanted,
                ready=part.ready,
                failure=whole.failure if newest else "",
                probed=whole.probed,
                scale=rolling.reached(thing) if newest else sizing.FULL,
            ),
        )
