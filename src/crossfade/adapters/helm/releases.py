"""The revisions of applications in one cluster, each a Helm release."""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from crossfade.adapters.helm import manifest_text, postrender
from crossfade.adapters.helm.command import Call, HelmCommand
from crossfade.adapters.helm.records import DEPLOYED, Record, read_records, release_record
from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.kubernetes.diagnosis import Diagnosis
from crossfade.adapters.kubernetes.leftovers import sweep
from crossfade.adapters.kubernetes.readiness import Readiness
from crossfade.adapters.kubernetes.workloads import (
    AUTOSCALERS,
    WORKLOADS,
    Workload,
    list_kind,
    path_of,
    read_workload,
)
from crossfade.base.errors import Conflict, CrossfadeError, Denied, InputError, NotFound
from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release import sizing
from crossfade.core.release.kinds import APPLICATION_LABEL, REVISION_LABEL
from crossfade.core.release.report import Cause
from crossfade.core.release.revision import Revision
from crossfade.ports.releases import RevisionStatus


@dataclass(slots=True)
class HelmReleases:
    """The Releases port."""

    api: KubeApi
    helm: HelmCommand
    seconds: float = 120.0
    """Deadline of one install or removal, with the chart's hooks."""
    _readiness: Readiness = field(default_factory=Readiness)

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
        for thing in await self._workloads(namespace, selector):
            revision = RevisionId(thing["metadata"]["labels"].get(REVISION_LABEL, ""))
            if revision:
                found.setdefault(revision, []).append(thing)
        return tuple(
            [
                await self._status(namespace, revision, records.get(revision), found[revision])
                for revision in sorted(found)
            ]
        )

    async def install(self, revision: Revision, chart: bytes, percent: int = 100) -> None:
        """Ask for the revision's objects; see the port for errors."""
        serves = await self._recover(revision)
        workloads = await self._workloads(revision.namespace, _selector(revision))
        if workloads:
            percent = sizing.scale_of(workloads)
        try:
            await self._upgrade(revision, chart, percent)
        except Conflict:  # somebody's helm was killed since we looked
            await self._recover(revision)
            await self._upgrade(revision, chart, percent)
        except InputError:
            if not serves:
                # Nothing half-applied: what the cluster took before it refused goes again.
                with suppress(CrossfadeError):
                    await self.uninstall(revision)
            raise
        if percent == 0 and not workloads:
            await self.scale(revision, 0)  # what an autoscaler runs has begun with one pod

    async def scale(self, revision: Revision, percent: int) -> None:
        """Ask for so many of the chart's own pods; see the port for errors."""
        selector = _selector(revision)
        workloads = await self._workloads(revision.namespace, selector)
        autoscalers = await list_kind(self.api, AUTOSCALERS, revision.namespace, selector)
        for thing, patch in sizing.changes(workloads, autoscalers, percent):
            with suppress(NotFound):  # it is being taken away just now
                await self.api.merge(path_of(thing), patch)

    async def uninstall(self, revision: Revision) -> None:
        """Take the revision's objects away; see the port for errors."""
        self._readiness.forget(revision.namespace, revision.id)
        records = await read_records(self.api, revision.namespace, f"name={revision.release}")
        if records:
            await self._helm_uninstall(revision)
        else:
            await sweep(self.api, revision.namespace, _selector(revision), revision.release)

    async def _workloads(self, namespace: str, selector: str) -> list[Object]:
        try:
            async with asyncio.TaskGroup() as group:
                listed = [
                    group.create_task(list_kind(self.api, kind, namespace, selector))
                    for kind in WORKLOADS
                ]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        return [thing for task in listed for thing in task.result()]

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
            trouble = await self._readiness.trouble(self.api, namespace, revision, workloads)
        else:
            trouble = Diagnosis(f"half-done: Helm says {record.status if record else 'nothing'}")
        return status_of(revision, workloads, trouble, installed=installed)

    async def _recover(self, revision: Revision) -> bool:
        """Make Helm accept an install after one that was killed; return whether it has users."""
        record = await release_record(self.api, revision.namespace, revision.release)
        if record is not None and record.status == "uninstalling":
            await self._helm_uninstall(revision)
            return False
        return record is not None and record.serves

    async def _upgrade(self, revision: Revision, chart: bytes, percent: int) -> None:
        with tempfile.NamedTemporaryFile(prefix="crossfade-", suffix=".tgz") as archive:
            archive.write(chart)
            archive.flush()
            ours = f"{APPLICATION_LABEL}={revision.application},{REVISION_LABEL}={revision.id}"
            arguments = ["upgrade", "--install", revision.release, archive.name]
            arguments += ["--namespace", revision.namespace, *await self._missing(revision)]
            arguments += ["--values", "-", "--reset-values", "--skip-crds", "--labels", ours]
            arguments += ["--history-max", "2", "--timeout", f"{self.seconds:g}s"]
            arguments += postrender.beside(revision.application, revision.id, percent)
            values = manifest_text.write_values(revision.values)
            await self.helm.run(Call(arguments, values, self.seconds + 5, self.api.cluster))

    async def _missing(self, revision: Revision) -> list[str]:
        """Return the flag that makes the namespace, unless it is there or we must not ask."""
        try:
            there = await self.api.find(f"/api/v1/namespaces/{revision.namespace}")
        except Denied:
            return []
        return [] if there else ["--create-namespace"]

    async def _helm_uninstall(self, revision: Revision) -> None:
        arguments = ["uninstall", revision.release, "--namespace", revision.namespace]
        arguments += ["--ignore-not-found", "--timeout", f"{self.seconds:g}s"]
        await self.helm.run(Call(arguments, b"", self.seconds + 5, self.api.cluster))


def status_of(
    revision: RevisionId,
    workloads: Sequence[Workload],
    trouble: Diagnosis | None,
    *,
    installed: bool,
) -> RevisionStatus:
    """Return the status of a revision with these workloads."""
    first = min(workloads, key=lambda each: each.title, default=None)
    return RevisionStatus(
        revision=revision,
        installed=installed,
        ready=trouble is None,
        wanted_pods=sum(each.wanted for each in workloads),
        ready_pods=sum(min(each.ready, each.wanted) for each in workloads),
        trouble=trouble.text if trouble else "",
        hopeless=trouble.hopeless if trouble else False,
        cause=trouble.cause if trouble else Cause.NONE,
        scale=first.scale if first else sizing.FULL,
    )


def _selector(revision: Revision) -> str:
    return f"{APPLICATION_LABEL}={revision.application},{REVISION_LABEL}={revision.id}"
