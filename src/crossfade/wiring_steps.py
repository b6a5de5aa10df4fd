"""Which runners steps of pipelines run in, made when a build asks for them."""

import asyncio
import math
from collections.abc import Sequence

from crossfade.adapters.images.engine import own_variables
from crossfade.adapters.runners.container import ContainerRunner, require
from crossfade.adapters.runners.containers import Containers, Network
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.pod import PodRunner
from crossfade.adapters.runners.pods.homes import Clusters, Homes
from crossfade.adapters.runners.pods.options import PodOptions
from crossfade.adapters.runners.pods.records import PodRecords
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.adapters.runners.tools import has_tool
from crossfade.base.clock import Clock
from crossfade.base.errors import NotFound
from crossfade.base.ids import ClusterName
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.pipeline.runtime import RunnerKind, Runtime, runner_named
from crossfade.engine.pipelines.places import Place
from crossfade.engine.pipelines.traced_runner import TracedRunner
from crossfade.engine.records import Records
from crossfade.ports.runner import Runner
from crossfade.settings import PIPELINE_RUNNER, SECRET, Settings

_HERE_IN_ANY_CASE = ("git",)
"""What built-in steps need of this machine, wherever the others run."""


class StepPlaces:
    """Runners, made when a build asks for them."""

    def __init__(
        self, settings: Settings, processes: ProcessRunner, records: Records, clock: Clock
    ) -> None:
        self._settings, self._records = settings, records
        self.processes, self.clock = processes, clock
        self._pods: dict[Runtime, PodRunner] = {}
        self._contained: ContainerRunner | None = None

    def of(self, runtime: Runtime) -> Place:
        """Return where the steps of a build run.  Raises InputError."""
        match self.kind(runtime):
            case RunnerKind.PROCESS:
                return Place(
                    TracedRunner(self.processes), has_tool, image_place(self._settings).has
                )
            case RunnerKind.POD:
                return Place(TracedRunner(self._pod_runner(runtime)), _has_tool_in_pods, _any_image)
            case RunnerKind.CONTAINER:
                return Place(TracedRunner(self._container_runner()), has_tool, _any_image)

    def of_machine(self) -> ProcessRunner | ContainerRunner:
        """Return what runs on this machine when nobody says in what."""
        if self._settings.pipeline_runner == RunnerKind.CONTAINER:
            return self._container_runner()
        return self.processes

    def outliving(self, runtime: Runtime) -> Runner:
        """
        Return what keeps environments of builds that run so; pods are left to this machine.

        Raises InputError.
        """
        kind = self.kind(runtime)
        contained = kind is RunnerKind.CONTAINER
        return TracedRunner(self._container_runner() if contained else self.processes)

    def kind(self, runtime: Runtime) -> RunnerKind:
        """Return what steps run in.  Raises InputError."""
        wanted = self._settings.pipeline_runner
        return runtime.runner or runner_named(wanted, PIPELINE_RUNNER.name)

    async def check(self, runtime: Runtime) -> None:
        """Return if a build can run there.  Raises InputError, NotFound, Unavailable."""
        self.of(runtime)
        if self.kind(runtime) is RunnerKind.CONTAINER:
            await asyncio.to_thread(require, self._containers())
        if self.kind(runtime) is RunnerKind.POD:
            await self._clusters(runtime)()

    def _pod_runner(self, runtime: Runtime) -> PodRunner:
        if runtime not in self._pods:
            given, folder = self._settings.pods, self._settings.pipelines_dir
            asked = {"cpu": runtime.cpu, "memory": runtime.memory}
            requests = {**PodOptions().requests, **{k: v for k, v in asked.items() if v}}
            options = PodOptions(
                given.namespace,
                given.files_image,
                given.tools_image,
                given.storage,
                given.storage_class,
                requests,
            )
            homes = Homes(
                PodRecords(folder), options, self._clusters(runtime), self.processes.volume
            )
            self._pods[runtime] = PodRunner(homes, self.processes, self.clock)
        return self._pods[runtime]

    def _container_runner(self) -> ContainerRunner:
        if self._contained is None:
            folder, where = self._settings.pipelines_dir, self._containers()
            images = image_place(self._settings)
            processes = ProcessRunner(folder, images=images, containers=where)
            self._contained = ContainerRunner(processes, where)
        return self._contained

    def _containers(self) -> Containers:
        settings = self._settings
        folder, network = settings.pipelines_dir.resolve(), Network(settings.container_network)
        return Containers(settings.container_engine, own_variables(), str(folder), network)

    def _clusters(self, runtime: Runtime) -> Clusters:
        """Return what gives the clusters that a build may use: as named, else cheap ones first."""

        async def found() -> Sequence[Cluster]:
            fleet = {each.value.name: each.value for each in await self._records.clusters()}
            unknown = [each for each in runtime.clusters if each not in fleet]
            if unknown or not fleet:
                known = f"known: {', '.join(fleet)}; " if fleet else ""
                raise NotFound(
                    f"the fleet has no cluster {unknown[0]}" if unknown else "the fleet is empty",
                    hint=f"{known}`crossfade fleet add` adds a cluster",
                )
            if runtime.clusters:
                return [fleet[ClusterName(each)] for each in runtime.clusters]
            return sorted(fleet.values(), key=_price)

        return found

    async def close(self) -> None:
        """Close the connections to clusters."""
        while self._pods:
            await self._pods.popitem()[1].close()


def _price(cluster: Cluster) -> tuple[float, str]:
    price = cluster.usd_per_cpu_hour
    return (math.inf if price is None else price), cluster.name


def _has_tool_in_pods(name: str) -> bool:
    return name not in _HERE_IN_ANY_CASE or has_tool(name)


def _any_image(_image: str) -> bool:
    """Return that clusters and engines pull any image."""
    return True


def image_place(settings: Settings) -> ImagePlace:
    """Return where steps find their images."""
    return ImagePlace(
        str(settings.images_dir),
        str(settings.registries_file),
        str(settings.secrets_dir),
        SECRET.name,
    )
