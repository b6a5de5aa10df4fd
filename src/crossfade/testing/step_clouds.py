"""A sandbox cloud whose pods are steps of pipelines, and what may befall them."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.adapters.runners.pod import PodRunner
from crossfade.adapters.runners.pods.homes import Homes
from crossfade.adapters.runners.pods.options import PodOptions
from crossfade.adapters.runners.pods.records import PodRecords
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Conflict
from crossfade.base.ids import ClusterName
from crossfade.core.fleet.cluster import Cluster
from crossfade.ports.runner import RunId
from crossfade.sandbox import control
from crossfade.sandbox.state import Layout
from crossfade.testing.kube_api import KubeApi, eventually

NAMESPACE = "crossfade-pipelines"


@dataclass
class StepCloud:
    """One or more clouds; runners of it know of each other's runs."""

    layout: Layout
    names: tuple[str, ...]
    options: PodOptions = field(default_factory=lambda: PodOptions(idle_seconds=600.0))
    runners: list[PodRunner] = field(default_factory=list)

    def clusters(self) -> tuple[Cluster, ...]:
        """Return the clouds as clusters of a fleet."""
        config = str(self.layout.kubeconfig)
        return tuple(Cluster(ClusterName(each), each, config) for each in self.names)

    def runner(self, folder: Path, options: PodOptions | None = None) -> PodRunner:
        """Return one who runs steps of builds in a folder."""

        async def clusters() -> Sequence[Cluster]:
            return self.clusters()

        here = ProcessRunner(folder)
        wanted = self.options if options is None else options
        homes = Homes(PodRecords(folder), wanted, clusters, here.volume)
        self.runners.append(PodRunner(homes, here, SteadyClock()))
        return self.runners[-1]

    async def close(self) -> None:
        """Close the connections of all runners."""
        while self.runners:
            await self.runners.pop().close()

    def api(self, cloud: str) -> KubeApi:
        """Return a plain view of a cloud; close it."""
        return KubeApi(self.layout.kubeconfig, cloud)

    def pod(self, folder: Path, run: RunId) -> tuple[str, str]:
        """Return cloud and name of the pod of a run."""
        known = PodRecords(folder).known(run)
        if known is None:
            raise AssertionError(f"{run} was never started")
        return known.cluster, known.pod

    def take_away(self, where: tuple[str, str]) -> None:
        """Have a pod go, as with its node."""
        api = self.api(where[0])
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{where[1]}"
        api.ok("DELETE", path, {"kind": "DeleteOptions", "gracePeriodSeconds": 0})
        api.close()

    def kill_step(self, where: tuple[str, str]) -> None:
        """Have the process of a step killed."""
        api = self.api(where[0])
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{where[1]}"
        uid = api.get(path)["metadata"]["uid"]
        api.close()
        os.kill(eventually(lambda: _step(uid)), 9)


def _step(uid: str) -> int | None:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            mine = f"CROSSFADE_POD={uid}".encode() in (folder / "environ").read_bytes()
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if mine and words[1:2] == [b"/codefresh/bin/script"]:
                return int(folder.name)
    return None


@contextmanager
def step_clouds(folder: Path, *names: str) -> Iterator[StepCloud]:
    """Yield clouds of their own; they have ended afterwards."""
    while True:
        # Another suite may run at the same time, so the ports are any that are free.
        layout = Layout(folder / "sandbox", names, 20_000 + 200 * secrets.randbelow(200))
        with suppress(Conflict):
            control.up(layout, SteadyClock(), lambda _: None)
            break
    try:
        yield StepCloud(layout, names)
    finally:
        control.down(layout.directory)
