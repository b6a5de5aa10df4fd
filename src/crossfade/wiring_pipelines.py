"""Which adapters commands of pipelines are made of; apart, as they need little of the rest."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.kubernetes.kubeconfig import FleetKubeconfig
from crossfade.adapters.pipelines.graphs import read_graph
from crossfade.adapters.runners import claim
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.kept_files import KeptFiles
from crossfade.adapters.runners.log_files import LogFiles
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.adapters.runners.tools import has_tool
from crossfade.adapters.secrets.environment import EnvironmentSecrets
from crossfade.adapters.secrets.files import FileSecrets
from crossfade.adapters.secrets.places import SecretPlaces
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.clock import Clock, SteadyClock
from crossfade.core.pipeline.clusters import Kubeconfig
from crossfade.core.pipeline.graph import Graph
from crossfade.engine.leadership import who_leads
from crossfade.engine.loops.builds import BuildPorts
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.execution import Execution, Listener
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.engine.pipelines.starting import Registry
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.engine.pipelines.traced_runner import TracedRunner
from crossfade.engine.records import Records
from crossfade.ports.commit_statuses import CommitStatuses
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


@dataclass(frozen=True, slots=True)
class Pipelines:
    """Everything that commands of pipelines work with."""

    builds: Builds
    commands: BuildCommands
    around: Surroundings
    runner: ProcessRunner
    folder: Path
    kept: KeptFiles
    store: SqlStore
    registry: Registry

    async def hub(self) -> str | None:
        """Return who runs the loops on this store, None when nobody does."""
        return await who_leads(self.store, self.around.clock.now())

    def execution(self, build: Build, graph: Graph, listener: Listener) -> Execution:
        """Return what runs the build; claim it first."""
        return Execution(self.around, build, graph, listener)

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
        own = SecretPlaces(
            EnvironmentSecrets(os.environ, SECRET.name), FileSecrets(settings.secrets_dir)
        )
        around = _surroundings(settings, store, runner, clock, own)
        commands, registry = BuildCommands(builds, clock), Registry(builds, clock, graph_of_build)
        yield Pipelines(builds, commands, around, runner, folder, kept, store, registry)
    finally:
        await store.close()


def build_ports(
    settings: Settings, store: SqlStore, clock: Clock, secrets: Secrets, servers: CommitStatuses
) -> BuildPorts:
    """Return what a hub runs builds with."""
    folder = settings.pipelines_dir
    runner = ProcessRunner(folder, images=image_place(settings))
    around = _surroundings(settings, store, runner, clock, secrets)
    return BuildPorts(around, graph_of_build, lambda build: claim.claimed(folder, build), servers)


def graph_of_build(build: Build) -> Graph:
    """Return what the pipeline of a build says.  Raises InputError, NotFound."""
    clone = bool(build.local_dir) or build.clone
    return read_graph(build.text, build.definitions, "the file", with_clone=clone)


def _surroundings(
    settings: Settings, store: SqlStore, runner: ProcessRunner, clock: Clock, secrets: Secrets
) -> Surroundings:
    return Surroundings(
        Builds(store),
        TracedRunner(runner),
        LogFiles(settings.pipelines_dir),
        clock,
        has_tool,
        _clusters(Records(store), settings.pipeline_kubeconfig),
        own_environment(settings),
        KeptFiles(settings.pipelines_dir, runner.volume),
        image_place(settings).has,
        secrets,
    )


def _clusters(
    records: Records, weaker: Path | None
) -> Callable[[tuple[str, ...] | None], Awaitable[Kubeconfig]]:
    """Return what makes the kubeconfig of the fleet."""
    files = FleetKubeconfig(weaker)

    async def found(only: tuple[str, ...] | None) -> Kubeconfig:
        fleet = [each.value for each in await records.clusters()]
        return files.of(each for each in fleet if only is None or each.name in only)

    return found


def image_place(settings: Settings) -> ImagePlace:
    """Return where steps find their images."""
    return ImagePlace(
        str(settings.images_dir),
        str(settings.registries_file),
        str(settings.secrets_dir),
        SECRET.name,
    )


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
