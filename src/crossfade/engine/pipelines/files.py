"""Pipelines as files: registered by their names, or run as they are."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.runtime import Runtime, over, runtime_of
from crossfade.core.pipeline.triggers import triggers_of
from crossfade.core.pipeline.variables import Variable
from crossfade.engine.pipelines.commands import BuildCommands, variables_of
from crossfade.engine.pipelines.records import Build, Registered
from crossfade.engine.pipelines.starting import Registry, build_of

Check = Callable[[Graph, Mapping[str, Variable], tuple[str, ...], Runtime], Awaitable[None]]
"""Returns if a pipeline can be run there, with these images of the host.  Raises InputError."""


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """One file, as somebody gives it."""

    label: str
    """What errors call it."""
    text: str
    definitions: str = ""
    """Folder or address with the definitions of its typed steps."""
    host_images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registering:
    """What became of a file."""

    pipeline: str
    change: str
    """`saved`, or `unchanged`."""


Read = Callable[[PipelineFile, bool], Graph]
"""What a file says, with a clone of its repository first or without.  Raises InputError."""


@dataclass(frozen=True, slots=True)
class PipelineFiles:
    """Commands on files."""

    registry: Registry
    commands: BuildCommands
    read: Read
    check: Check

    async def register(self, files: Sequence[PipelineFile]) -> tuple[Registering, ...]:
        """Register them, nothing unless all are accepted.  Raises InputError."""
        wanted = []
        for file in files:
            graph = await asyncio.to_thread(self.read, file, False)
            own = graph.pipeline
            each = Registered(own.name, file.text, file.definitions, file.host_images, own.spec)
            variables, runtime = variables_of(graph, {}, build_of(each)), runtime_of(own.spec)
            await self.check(graph, variables, file.host_images, runtime)
            self.registry.check(each)
            shared = tuple(n for t in triggers_of(own.spec) for n in t.shared)
            await self.commands.require_shared(graph, replace(build_of(each), contexts=shared))
            wanted.append(each)
        told = []
        for each in wanted:
            news = await self.registry.register(each)
            told.append(Registering(each.name, "saved" if news else "unchanged"))
        return tuple(told)

    async def create(
        self, file: PipelineFile, wanted: Build, given: Mapping[str, Variable]
    ) -> tuple[Build, Graph]:
        """
        Make a build of the file; return it with what the file says.

        Args:
            file: is run as it is.
            wanted: all else; its pipeline is what it is called where the file says nothing.
            given: its variables.
        """
        graph = await asyncio.to_thread(self.read, file, bool(wanted.local_dir))
        wanted = replace(
            wanted,
            pipeline=graph.pipeline.name or wanted.pipeline,
            text=file.text,
            definitions=file.definitions,
            host_images=file.host_images,
        )
        runtime = over(runtime_of(graph.pipeline.spec), wanted.runtime)
        variables = variables_of(graph, given, wanted)
        await self.check(graph, variables, file.host_images, runtime)
        return await self.commands.create(wanted, graph, given), graph
