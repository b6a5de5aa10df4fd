"""Which adapters commands of pipelines are made of; apart, as they need little of the rest."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.runners import claim
from crossfade.adapters.runners.log_files import LogFiles
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.adapters.store.sql import SqlStore
from crossfade.base.clock import SteadyClock
from crossfade.core.pipeline.graph import Graph
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.execution import Execution, Listener, Surroundings
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.settings import Settings


@dataclass(frozen=True, slots=True)
class Pipelines:
    """Everything that commands of pipelines work with."""

    builds: Builds
    commands: BuildCommands
    around: Surroundings
    runner: ProcessRunner
    folder: Path

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
        folder, builds = settings.state_dir / "pipelines", Builds(store)
        runner = ProcessRunner(folder)
        around = Surroundings(builds, runner, LogFiles(folder), clock, _has_tool)
        yield Pipelines(builds, BuildCommands(builds, clock), around, runner, folder)
    finally:
        await store.close()


def _has_tool(name: str) -> bool:
    return shutil.which(name) is not None
