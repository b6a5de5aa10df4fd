"""The revisions of applications in one cluster, each a Helm release."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from crossfade.adapters.helm import manifest_text, postrender
from crossfade.adapters.helm.command import Call, HelmCommand
from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.kubernetes.diagnosis import Diagnosis, diagnose
from crossfade.adapters.kubernetes.leftovers import sweep
from crossfade.adapters.kubernetes.steadiness import Steadiness
from crossfade.adapters.kubernetes.workloads import WORKLOADS, Workload, read_workload
from crossfade.base.errors import Conflict, CrossfadeError, Denied, InputError
from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release.kinds import APPLICATION_LABEL, REVISION_LABEL, labels_of, name_of
from crossfade.core.release.revision import Revision
from crossfade.ports.releases import RevisionStatus

_DEPLOYED = "deployed"
_DIAGNOSE_EVERY_SECONDS = 1.0
_STARTING = Diagnosis("pods are starting")
_NO_WORKLOADS = Diagnosis("there is no Deployment, StatefulSet or DaemonSet of it in the cluster")
_WATCHED = Diagnosis("its pods have no readiness probe: do they stay up?")


@dataclass(frozen=True, slots=True)
class _Record:
    """The newest Secret in which Helm has recorded a release."""

    secret: str
    version: int
    status: str
    """`deployed`, `failed`, `pending-install`, `uninstalling`, ..."""
    serves: bool
    """This or an older version of the release was installed whole, and may have users."""


@dataclass(slots=True)
class HelmReleases:
    """The Releases port."""

    api: KubeApi
    helm: HelmCommand
    seconds: float = 120.0
    """Deadline of one install or removal, with the chart's hooks."""
    _diagnoses: dict[tuple[str, RevisionId], tuple[float, Diagnosis]] = field(default_factory=dict)
    _steadiness: Steadiness = field(default_factory=Steadiness)

    async def status(
        self, application: ApplicationName, namespace: str
    ) -> tuple[RevisionStatus, ...]:
        """Return every revision of which something is there; see the port for errors."""
        # First alone: if the cluster is silent or refuses us, four more requests would be as well.
        records = await self._records(application, namespace)
        try:
            async with asyncio.TaskGroup() as group:
                listed = [
                    group.create_task(self._workloads(kind, application, namespace))
                    for kind in WORKLOADS
                ]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        found: dict[RevisionId, list[Workload]] = {revision: [] for revision in records}
        for task in listed:
            for workload in task.result():
                found.setdefault(workload.revision, []).append(workload)
        return tuple(
            [
                await self._status(namespace, revision, records.get(revision), found[revision])
                for revision in sorted(found)
            ]
        )

    async def install(self, revision: Revision, chart: bytes) -> None:
        """Ask for the revision's objects; see the port for errors."""
        serves = await self._recover(revision)
        try:
            await self._upgrade(revision, chart)
        except Conflict:  # somebody's helm was killed since we looked
            await self._recover(revision)
            await self._upgrade(revision, chart)
        except InputError:
            if not serves:
                # Nothing half-applied: what the cluster took before it refused goes again.
                with suppress(CrossfadeError):
                    await self.uninstall(revision)
            raise

    async def uninstall(self, revision: Revision) -> None:
        """Take the revision's objects away; see the port for errors."""
        self._diagnoses.pop((revision.namespace, revision.id), None)
        if await self._record(revision) is not None:
            await self._helm_uninstall(revision)
        else:
            await sweep(self.api, revision.namespace, _selector(revision), revision.release)

    async def _records(
        self, application: ApplicationName, namespace: str
    ) -> dict[RevisionId, _Record]:
        """Return Helm's newest record of each revision.  Their contents, 1 MB each, stay there."""
        secrets, _ = await self.api.list(
            f"/api/v1/namespaces/{namespace}/secrets",
            f"owner=helm,{APPLICATION_LABEL}={application}",
            metadata_only=True,
        )
        newest: dict[RevisionId, _Record] = {}
        for secret in secrets:
            labels = labels_of(secret)
            revision = RevisionId(labels.get(REVISION_LABEL, ""))
            version, status = int(labels.get("version", "0")), labels.get("status", "")
            if not revision:
                continue
            found = _Record(name_of(secret), version, status, serves=status == _DEPLOYED)
            known = newest.get(revision, found)
            newer = max(known, found, key=lambda each: each.version)
            newest[revision] = replace(newer, serves=known.serves or found.serves)
        return newest

    async def _record(self, revision: Revision) -> _Record | None:
        records = await self._records(revision.application, revision.namespace)
        return records.get(revision.id)

    async def _workloads(
        self, kind: str, application: ApplicationName, namespace: str
    ) -> list[Workload]:
        path = WORKLOADS[kind].format(namespace=namespace)
        things, _ = await self.api.list(path, f"{APPLICATION_LABEL}={application}")
        return [
            read_workload(kind, thing) for thing in things if REVISION_LABEL in labels_of(thing)
        ]

    async def _status(
        self,
        namespace: str,
        revision: RevisionId,
        record: _Record | None,
        workloads: Sequence[Workload],
    ) -> RevisionStatus:
        wanted = sum(each.wanted for each in workloads)
        ready = sum(min(each.ready, each.wanted) for each in workloads)
        installed = record is not None and record.status == _DEPLOYED
        if installed:
            trouble = await self._trouble(namespace, revision, workloads)
        else:
            trouble = Diagnosis(f"half-done: Helm says {record.status if record else 'nothing'}")
        return RevisionStatus(
            revision=revision,
            installed=installed,
            ready=trouble is None,
            wanted_pods=wanted,
            ready_pods=ready,
            trouble=trouble.text if trouble else "",
            hopeless=trouble.hopeless if trouble else False,
        )

    async def _trouble(
        self, namespace: str, revision: RevisionId, workloads: Sequence[Workload]
    ) -> Diagnosis | None:
        """Return why an installed revision is not ready, None when it is."""
        if not workloads:
            return _NO_WORKLOADS
        wanted = sum(each.wanted for each in workloads)
        fine = all(each.ready >= each.wanted and not each.failure for each in workloads)
        if not fine or wanted == 0:
            self._steadiness.forget(namespace, revision)
            return await self._diagnosis(namespace, revision, workloads)
        probed = all(each.probed or each.wanted == 0 for each in workloads)
        if probed or await self._steadiness.holds(self.api, namespace, revision):
            self._diagnoses.pop((namespace, revision), None)
            return None
        # What crashes again and again looks fine in between, and is told as it is.
        _, known = self._diagnoses.get((namespace, revision), (0.0, _STARTING))
        return _WATCHED if known is _STARTING else known

    async def _diagnosis(
        self, namespace: str, revision: RevisionId, workloads: Sequence[Workload]
    ) -> Diagnosis:
        """Return why it is not ready, asked anew now and then: looks are frequent while waiting."""
        key, now = (namespace, revision), time.monotonic()
        if key not in self._diagnoses:
            self._diagnoses[key] = (now, _STARTING)  # most are ready a moment later
        asked, trouble = self._diagnoses[key]
        if now - asked >= _DIAGNOSE_EVERY_SECONDS:
            trouble = await diagnose(self.api, namespace, revision, workloads)
            self._diagnoses[key] = (now, trouble)
        return trouble

    async def _recover(self, revision: Revision) -> bool:
        """
        Make Helm accept an install after one that was killed; return whether it may have users.

        Only one hub acts in a cluster, and its helm dies with it, so that nobody works on it now.
        """
        record = await self._record(revision)
        while record is not None and record.status.startswith("pending-"):
            # Objects that are there already are the release's own, and the next install takes
            # them over; the record alone is what keeps Helm from it.
            path = f"/api/v1/namespaces/{revision.namespace}/secrets/{record.secret}"
            await self.api.delete(path)
            record = await self._record(revision)
        if record is not None and record.status == "uninstalling":
            await self._helm_uninstall(revision)
            return False
        return record is not None and record.serves

    async def _upgrade(self, revision: Revision, chart: bytes) -> None:
        with tempfile.NamedTemporaryFile(prefix="crossfade-", suffix=".tgz") as archive:
            archive.write(chart)
            archive.flush()
            ours = f"{APPLICATION_LABEL}={revision.application},{REVISION_LABEL}={revision.id}"
            arguments = ["upgrade", "--install", revision.release, archive.name]
            arguments += ["--namespace", revision.namespace, *await self._missing(revision)]
            arguments += ["--values", "-", "--reset-values", "--skip-crds", "--labels", ours]
            arguments += ["--history-max", "2", "--timeout", f"{self.seconds:g}s"]
            arguments += postrender.arguments(revision.application, revision.id)
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


def _selector(revision: Revision) -> str:
    return f"{APPLICATION_LABEL}={revision.application},{REVISION_LABEL}={revision.id}"
