"""Which adapters commands of pipelines are made of; apart, as they need little of the rest."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.images.registry_file import RegistryFile
from crossfade.adapters.kubernetes.kubeconfig import FleetKubeconfig
from crossfade.adapters.person import who_runs_this
from crossfade.adapters.pipelines.definitions import fetched
from crossfade.adapters.pipelines.graphs import Choice, read_graph
from crossfade.adapters.runners import claim
from crossfade.adapters.runners.kept_files import KeptFiles
from crossfade.adapters.runners.log_files import LogFiles
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.adapters.runners.tools import has_tool
from crossfade.adapters.runners.workspace_folders import WorkspaceFolders
from crossfade.adapters.secrets.environment import EnvironmentSecrets, variable_of
from crossfade.adapters.secrets.files import FileSecrets
from crossfade.adapters.secrets.places import SecretPlaces
from crossfade.adapters.secrets.stored import StoredSecrets
from crossfade.adapters.secrets.stores import RemoteSecretStores
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.clock import Clock, SteadyClock
from crossfade.base.errors import InputError, NotFound
from crossfade.base.ids import ClusterName
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.pipeline.clusters import Kubeconfig
from crossfade.core.pipeline.forgetting import DAY_SECONDS, GIB, Limits
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.keeping import Artifact
from crossfade.core.pipeline.runtime import Runtime
from crossfade.core.pipeline.state import State
from crossfade.core.pipeline.variables import Variable
from crossfade.core.pipeline.why import why
from crossfade.engine.audit import AuditedDocuments
from crossfade.engine.leadership import who_leads
from crossfade.engine.loops.builds import BuildPorts
from crossfade.engine.pipelines.commands import BuildCommands, check
from crossfade.engine.pipelines.environments import Environments
from crossfade.engine.pipelines.execution import Execution, Listener
from crossfade.engine.pipelines.files import PipelineFile, PipelineFiles
from crossfade.engine.pipelines.forgetting import Forgetting, Pruning
from crossfade.engine.pipelines.log_reading import log_runs
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.engine.pipelines.registries import Registries
from crossfade.engine.pipelines.secret_values import SecretValues
from crossfade.engine.pipelines.shared_configurations import SharedConfigurations
from crossfade.engine.pipelines.starting import Registry
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.engine.pipelines.templates import settled
from crossfade.engine.pipelines.traced_runner import TracedRunner
from crossfade.engine.pipelines.views import (
    BuildRow,
    Outline,
    RegisteredRow,
    registered_rows,
    row,
)
from crossfade.engine.records import Records
from crossfade.ports.commit_statuses import CommitStatuses
from crossfade.ports.documents import Documents
from crossfade.ports.runner import RunId
from crossfade.ports.sealing import Sealing
from crossfade.ports.secrets import Secrets
from crossfade.remote.logins import LOCAL
from crossfade.settings import (
    DATABASE_URL,
    HOME,
    HUB,
    IMAGE_BUILDER,
    PORT_BASE,
    SEALING_KEY,
    SECRET,
    Settings,
)
from crossfade.wiring_steps import StepPlaces, image_place


@dataclass(frozen=True, slots=True)
class Pipelines:
    """Everything that commands of pipelines work with."""

    builds: Builds
    files: PipelineFiles
    around: Surroundings
    places: StepPlaces
    folder: Path
    kept: KeptFiles
    store: SqlStore
    limits: Limits
    forgetting: Forgetting

    @property
    def here(self) -> bool:
        """Whether builds can be run by this process, with files of this machine."""
        return True

    @property
    def pruning(self) -> Pruning:
        """What is asked of forgetting."""
        return Pruning(self.forgetting, self.limits)

    def environments(self) -> Environments:
        """Return the environments of this machine."""
        documents = AuditedDocuments(self.store, who_runs_this(), "cli", self.around.clock)
        return Environments(documents, self.places.outliving, self.around.clock)

    @property
    def commands(self) -> BuildCommands:
        """Commands on builds."""
        return self.files.commands

    @property
    def registry(self) -> Registry:
        """Commands on registered pipelines."""
        return self.files.registry

    def now(self) -> float:
        """Return the time by which builds are told."""
        return self.around.clock.now()

    async def rows(self) -> tuple[BuildRow, ...]:
        """Return all builds, newest first."""
        found = []
        for build in reversed(await self.builds.all()):
            state = (await self.builds.state(build.id)).value
            found.append(row(build, state, running=self.is_claimed(build.id)))
        return tuple(found)

    async def registered(self) -> tuple[RegisteredRow, ...]:
        """Return the registered pipelines, by name."""
        return await registered_rows(self.builds)

    async def outline(self, build: Build) -> Outline:
        """Return which steps the build has.  Raises InputError, NotFound."""
        return await asyncio.to_thread(graph_of_build, build)

    async def reasons(self, build: Build, step: str) -> tuple[str, ...]:
        """Return how a step stands and why, the most telling first."""
        state = (await self.builds.state(build.id)).value
        return tuple(why(graph_of_build(build), state, step))

    async def read_log(
        self, build: Build, state: State, step: str, place: Mapping[RunId, int]
    ) -> tuple[str, Mapping[RunId, int]]:
        """Return what a step has printed after that place, and the place after it."""
        after, found = dict(place), []
        for run in log_runs(self.around.logs, build, state, step):
            text, after[run] = self.around.logs.read(run, after.get(run, 0))
            while text:
                found.append(text)
                text, after[run] = self.around.logs.read(run, after[run])
        return "".join(found), after

    async def save(self, _: str, artifact: Artifact, into: Callable[[bytes], object]) -> None:
        """Have the content of a file taken in.  Raises NotFound."""
        into(await self.kept.read(artifact))

    async def restart(self, build: Build, step: str) -> Build:
        """Have an ended build begin again; return it.  Raises Conflict while somebody runs it."""
        graph = graph_of_build(build)
        with self.claimed(build.id):
            return await self.commands.restart(build.id, graph, step)

    async def has_runner(self, build: Build) -> bool:
        """Return whether somebody sees to the build."""
        return self.is_claimed(build.id) or (build.hub and await self.hub() is not None)

    async def hub(self) -> str | None:
        """Return who runs the loops on this store, None when nobody does."""
        return await who_leads(self.store, self.around.clock.now())

    async def settled(self, build: Build) -> tuple[Build, Graph]:
        """Return the build with all that its pipeline says; one that cannot be read has failed."""
        with self.claimed(build.id):
            try:
                return await settled(self.around, build, graph_of_build)
            except (InputError, NotFound) as error:
                await self.commands.refuse(build, f"it cannot be run: {error}")
                raise

    def execution(self, build: Build, graph: Graph, listener: Listener) -> Execution:
        """Return what runs the build; claim it first."""
        return Execution(self.around, build, graph, listener)

    async def tidy(self) -> None:
        """
        Forget what is due, once a day; a hub does so by itself.

        Raises InputError for a damaged list, Unavailable.
        """
        now, last = self.around.clock.now(), self.kept.last_tidied()
        if last and now - last > DAY_SECONDS and await self.hub() is None:
            await self.forgetting.forget(self.limits)

    def claimed(self, build: str) -> AbstractContextManager[None]:
        """Keep others from running the build.  Raises Conflict when somebody does."""
        return claim.claimed(self.folder, build)

    def is_claimed(self, build: str) -> bool:
        """Return whether a process runs the build."""
        return claim.is_claimed(self.folder, build)


@asynccontextmanager
async def pipelines(settings: Settings) -> AsyncIterator[Pipelines]:
    """Open the store and the runner of this machine for commands of pipelines."""
    store = await SqlStore.open(settings.database_url)
    try:
        clock = SteadyClock(not_before=await store.newest_event_at())
        folder, builds = settings.pipelines_dir, Builds(store)
        runner = ProcessRunner(folder, images=image_place(settings))
        kept = KeptFiles(folder, runner.volume)
        places = StepPlaces(settings, runner, Records(store), clock)
        own = SecretPlaces(
            EnvironmentSecrets(os.environ, SECRET.name),
            FileSecrets(settings.secrets_dir),
            StoredSecrets(
                settings.database_url, settings.sealing_key_file, SEALING_KEY.name, store
            ),
        )
        around = _surroundings(settings, store, places, own)
        documents = AuditedDocuments(store, who_runs_this(), "cli", clock)
        files = pipeline_files(settings, Builds(documents), clock, Records(store))
        limits = limits_of(settings.keep_days, settings.keep_gib)
        try:
            old = Forgetting(builds, kept, WorkspaceFolders(folder), clock)
            yield Pipelines(builds, files, around, places, folder, kept, store, limits, old)
        finally:
            await places.close()
    finally:
        await store.close()


def build_ports(
    settings: Settings, store: SqlStore, clock: Clock, secrets: Secrets, servers: CommitStatuses
) -> BuildPorts:
    """Return what a hub runs builds with."""
    folder = settings.pipelines_dir
    runner = ProcessRunner(folder, images=image_place(settings))
    places = StepPlaces(settings, runner, Records(store), clock)
    around = _surroundings(settings, store, places, secrets)
    return BuildPorts(
        around,
        graph_of_build,
        lambda build: claim.claimed(folder, build),
        servers,
        WorkspaceFolders(folder),
        limits_of(settings.keep_days, settings.keep_gib),
        places.close,
    )


def limits_of(days: float, gib: float) -> Limits:
    """Return how much is kept of what steps leave, and how long."""
    return Limits(days * DAY_SECONDS, int(gib * GIB))


def left_by_builds(
    settings: Settings, documents: Documents, clock: Clock
) -> tuple[Environments, Pruning]:
    """Return what is asked of what builds have left on this machine; it writes these documents."""
    folder = settings.pipelines_dir
    runner = ProcessRunner(folder, images=image_place(settings))
    places = StepPlaces(settings, runner, Records(documents), clock)
    kept = KeptFiles(folder, runner.volume)
    forgetting = Forgetting(Builds(documents), kept, WorkspaceFolders(folder), clock)
    pruning = Pruning(forgetting, limits_of(settings.keep_days, settings.keep_gib))
    return Environments(documents, places.outliving, clock), pruning


def pipeline_files(
    settings: Settings, builds: Builds, clock: Clock, records: Records
) -> PipelineFiles:
    """Return the commands on pipelines that write to these builds."""
    processes = ProcessRunner(settings.pipelines_dir, images=image_place(settings))
    places = StepPlaces(settings, processes, records, clock)

    async def require(
        graph: Graph,
        variables: Mapping[str, Variable],
        host_images: tuple[str, ...],
        runtime: Runtime,
    ) -> None:
        await places.check(runtime)
        place = places.of(runtime)
        check(graph, variables, place.has_tool, host_images, place.has_image)

    registry, commands = Registry(builds, clock, graph_of_build), BuildCommands(builds, clock)
    return PipelineFiles(registry, commands, _graph_of_file, require)


def _graph_of_file(file: PipelineFile, with_clone: bool) -> Graph:
    return read_graph(file.text, file.definitions, file.label, with_clone=with_clone)


def graph_of_build(build: Build) -> Graph:
    """Return what the pipeline of a build says.  Raises InputError, NotFound."""
    clone = bool(build.local_dir) or build.clone
    text, definitions = build.text, build.definitions
    choice = Choice(build.template, build.only, build.skip, build.repository)
    return read_graph(text, definitions, "the file", with_clone=clone, choice=choice)


def _surroundings(
    settings: Settings, store: SqlStore, places: StepPlaces, secrets: Secrets
) -> Surroundings:
    shared = shared_configurations(settings, Builds(store), places.clock)
    return Surroundings(
        Builds(store),
        TracedRunner(places.of_machine()),
        LogFiles(settings.pipelines_dir),
        places.clock,
        has_tool,
        _clusters(Records(store), settings.pipeline_kubeconfig),
        own_environment(settings),
        KeptFiles(settings.pipelines_dir, places.processes.volume),
        image_place(settings).has,
        secrets,
        Registries(RegistryFile(settings.registries_file).read, secrets, _variable),
        fetch=fetched,
        shared=shared.variables,
        secret_values=SecretValues(shared, RemoteSecretStores(_cluster(Records(store)))).read,
        places=places.of,
    )


def shared_configurations(settings: Settings, builds: Builds, clock: Clock) -> SharedConfigurations:
    """Return the commands on shared configurations that write to these documents."""

    def keys() -> Sealing:
        from crossfade.adapters.secrets.sealing import KeyRing  # slow: cryptography

        given = os.environ.get(SEALING_KEY.name, "")
        return KeyRing(settings.sealing_key_file, SEALING_KEY.name, given)

    return SharedConfigurations(builds, keys, clock)


def _clusters(
    records: Records, weaker: Path | None
) -> Callable[[tuple[str, ...] | None], Awaitable[Kubeconfig]]:
    """Return what makes the kubeconfig of the fleet."""
    files = FleetKubeconfig(weaker)

    async def found(only: tuple[str, ...] | None) -> Kubeconfig:
        fleet = [each.value for each in await records.clusters()]
        return files.of(each for each in fleet if only is None or each.name in only)

    return found


def _cluster(records: Records) -> Callable[[str], Awaitable[Cluster]]:
    """Return what finds a cluster of the fleet by its name."""

    async def found(name: str) -> Cluster:
        fleet = {each.value.name: each.value for each in await records.clusters()}
        if name not in fleet:
            known = ", ".join(fleet) or "none"
            raise NotFound(f"there is no cluster `{name}`", hint=f"the fleet: {known}")
        return fleet[ClusterName(name)]

    return found


def _variable(secret: str) -> str:
    return variable_of(SECRET.name, secret)


def own_environment(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """
    Return the environment in which our own commands work on the same state.

    Of secrets it has the passwords of registries alone, as no other command of ours needs any.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith((SECRET.name, SEALING_KEY.name))
        or name.startswith(f"{SECRET.name}REGISTRY_")
    }
    named = {
        HOME.name: str(settings.state_dir),
        DATABASE_URL.name: settings.database_url,
        PORT_BASE.name: str(settings.port_base),
        HUB.name: LOCAL,  # they are of this build, wherever somebody is signed in
        IMAGE_BUILDER.name: settings.image_builder,
    }
    return {**kept, **named}
