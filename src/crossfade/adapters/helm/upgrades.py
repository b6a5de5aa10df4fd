"""Runs of Helm that change a cluster, and what is to be done after one that was killed."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossfade.adapters.helm import manifest_text
from crossfade.adapters.helm.command import Call, HelmCommand
from crossfade.adapters.helm.records import Record, release_record
from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.base.errors import Conflict, Denied
from crossfade.core.application import Values

_LEAVING = "uninstalling"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A release as it is wanted."""

    release: str
    namespace: str
    chart: bytes
    values: Values
    labels: Mapping[str, str]
    """Of Helm's record, by which the release is found again."""
    renderer: Sequence[str]
    """Flags for our post-renderer."""
    history: int = 2
    """How many records Helm keeps."""


@dataclass(frozen=True, slots=True)
class Upgrades:
    """Changes releases in one cluster."""

    api: KubeApi
    helm: HelmCommand
    seconds: float
    """Deadline of one run, with the chart's hooks."""

    async def apply(self, wanted: Upgrade) -> None:
        """
        Install the release or upgrade it in place.  Safe to repeat, also after a crash half way.

        Raises InputError if chart or cluster refuse it, Unavailable.
        """
        await release_record(self.api, wanted.namespace, wanted.release)
        try:
            await self._run(wanted)
        except Conflict:  # somebody's helm was killed since we looked
            await release_record(self.api, wanted.namespace, wanted.release)
            await self._run(wanted)

    async def recover(self, namespace: str, release: str) -> Record | None:
        """Return the record of a release, None when there is none; a removal is finished first."""
        record = await release_record(self.api, namespace, release)
        if record is not None and record.status == _LEAVING:
            await self.uninstall(namespace, release)
            return None
        return record

    async def only(self, namespace: str, release: str) -> Record | None:
        """
        Return the record of a release of which there is only one, None when there is none.

        Raises Conflict while it is being removed: that is somebody else's wish, since Crossfade
        never removes it.
        """
        record = await release_record(self.api, namespace, release)
        if record is not None and record.status == _LEAVING:
            raise Conflict(
                f"somebody is removing the release {release} from namespace {namespace}",
                hint=f"finish that with `helm uninstall {release} -n {namespace}`, then try again",
                cluster=self.api.cluster.name,
            )
        return record

    async def uninstall(self, namespace: str, release: str) -> None:
        """Take the release away.  Safe to repeat."""
        arguments = ["uninstall", release, "--namespace", namespace]
        arguments += ["--ignore-not-found", "--timeout", f"{self.seconds:g}s"]
        await self.helm.run(Call(arguments, b"", self.seconds + 5, self.api.cluster))

    async def _run(self, wanted: Upgrade) -> None:
        with tempfile.NamedTemporaryFile(prefix="crossfade-", suffix=".tgz") as archive:
            archive.write(wanted.chart)
            archive.flush()
            labels = ",".join(f"{key}={value}" for key, value in wanted.labels.items())
            arguments = ["upgrade", "--install", wanted.release, archive.name]
            arguments += ["--namespace", wanted.namespace, *await self._missing(wanted.namespace)]
            arguments += ["--values", "-", "--reset-values", "--skip-crds", "--labels", labels]
            arguments += ["--history-max", str(wanted.history), "--timeout", f"{self.seconds:g}s"]
            arguments += wanted.renderer
            values = manifest_text.write_values(wanted.values)
            await self.helm.run(Call(arguments, values, self.seconds + 5, self.api.cluster))

    async def _missing(self, namespace: str) -> list[str]:
        """Return the flag that makes the namespace, unless it is there or we must not ask."""
        try:
            there = await self.api.find(f"/api/v1/namespaces/{namespace}")
        except Denied:
            return []
        return [] if there else ["--create-namespace"]
