"""Charts that revisions share: Helm releases with fixed names, upgraded in place."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from crossfade.adapters.helm import manifest_text, postrender
from crossfade.adapters.helm.command import Call
from crossfade.adapters.helm.records import DEPLOYED, Record, read_records
from crossfade.adapters.helm.upgrades import Upgrade, Upgrades
from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.kubernetes.readiness import Readiness
from crossfade.adapters.kubernetes.workloads import PodsOf, list_workloads, read_workload
from crossfade.base.errors import Unavailable
from crossfade.core.release.kinds import child, labels_of, mapping, mappings, name_of
from crossfade.core.release.shared import DIGEST_LABEL, SHARED_LABEL, SharedRelease
from crossfade.ports.shared_releases import SharedStatus

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ESTABLISHED_SECONDS = 10.0
_HISTORY = 10


@dataclass(slots=True)
class Shared:
    """The SharedReleases port."""

    upgrades: Upgrades
    _readiness: Readiness = field(default_factory=Readiness)

    @property
    def _api(self) -> KubeApi:
        return self.upgrades.api

    async def upgrade_shared(self, shared: SharedRelease) -> None:
        """Install or upgrade it unless it is current; see the port for errors."""
        record = await self.upgrades.only(shared.namespace, shared.name)
        if record is not None and _is_current(record, shared):
            return
        await self._define(shared)
        wanted = Upgrade(
            shared.name,
            shared.namespace,
            shared.chart,
            shared.values,
            {DIGEST_LABEL: shared.digest},
            postrender.shared(shared.name),
            _HISTORY,
        )
        await self.upgrades.apply(wanted)

    async def shared_status(self, shared: Sequence[SharedRelease]) -> tuple[SharedStatus, ...]:
        """Return how each of these does; see the port for errors."""
        return tuple([await self._status(each) for each in shared])

    async def _define(self, shared: SharedRelease) -> None:
        """Bring the chart's `crds` folder to the cluster; Helm does that once and never again."""
        with tempfile.NamedTemporaryFile(prefix="crossfade-", suffix=".tgz") as archive:
            archive.write(shared.chart)
            archive.flush()
            text = await self.upgrades.helm.run(
                Call(["show", "crds", archive.name], b"", self.upgrades.seconds)
            )
        definitions = manifest_text.read(text)
        for thing in definitions:
            child(thing, "metadata", "labels")[SHARED_LABEL] = shared.name
            await self._api.apply(f"{_DEFINITIONS}/{name_of(thing)}", thing)
        deadline = time.monotonic() + _ESTABLISHED_SECONDS
        for thing in definitions:
            while not _is_established(await self._api.get(f"{_DEFINITIONS}/{name_of(thing)}")):
                if time.monotonic() >= deadline:
                    raise Unavailable(
                        f"the definition {name_of(thing)} is not established by the API server",
                        hint="see its conditions with `kubectl describe crd`",
                        cluster=self._api.cluster.name,
                    )
                await asyncio.sleep(0.1)

    async def _status(self, shared: SharedRelease) -> SharedStatus:
        records = await read_records(self._api, shared.namespace, f"name={shared.name}")
        record = records.get(shared.name)
        if record is None or not _is_current(record, shared):
            told = f"Helm says {record.status}" if record else "it is not there"
            if record is not None and record.status == DEPLOYED:
                told = "another chart or other values are installed"
            return SharedStatus(shared.name, False, False, told)
        trouble = await self._trouble(shared)
        return SharedStatus(shared.name, True, not trouble, trouble)

    async def _trouble(self, shared: SharedRelease) -> str:
        selector = f"{SHARED_LABEL}={shared.name}"
        definitions, _ = await self._api.list(_DEFINITIONS, selector)
        for thing in definitions:
            if not _is_established(thing):
                return f"the definition {name_of(thing)} is not established"
        for thing in await list_workloads(self._api, shared.namespace, selector):
            workload = read_workload(thing)
            if workload.wanted or workload.failure:
                whose = PodsOf(shared.namespace, _pods_of(thing))
                trouble = await self._readiness.trouble(self._api, whose, [workload])
                if trouble is not None:
                    return f"{workload.title}: {trouble.text}"
        return ""


def _is_current(record: Record, shared: SharedRelease) -> bool:
    return record.status == DEPLOYED and record.labels.get(DIGEST_LABEL) == shared.digest


def _is_established(definition: Object) -> bool:
    conditions = mappings(mapping(definition.get("status")).get("conditions"))
    return any(
        each.get("type") == "Established" and each.get("status") == "True" for each in conditions
    )


def _pods_of(workload: Object) -> str:
    """Return the labels that the workload's pods have."""
    spec = mapping(workload.get("spec"))
    wanted = mapping(mapping(spec.get("selector")).get("matchLabels"))
    labels = wanted or labels_of(mapping(spec.get("template")))
    return ",".join(f"{key}={value}" for key, value in labels.items())
