"""Runs the builds that nobody sits beside: as many at once as their pipelines allow."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.core.pipeline.forgetting import Limits
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.policies import (
    Entry,
    Policies,
    Stage,
    admitted,
    policies_of,
    unwanted,
)
from crossfade.core.pipeline.state import BUILD, Result
from crossfade.engine.pipelines.commands import BuildCommands, check
from crossfade.engine.pipelines.execution import Execution
from crossfade.engine.pipelines.handing_on import hand_on
from crossfade.engine.pipelines.records import Build, Builds, Wishes
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.engine.pipelines.templates import settled
from crossfade.engine.pipelines.traced_runner import traced_build
from crossfade.ports.commit_statuses import CommitStatuses
from crossfade.ports.workspaces import Workspaces

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
_OVER = (Stage.TERMINATED, Stage.OVER)
_STAGES = {Result.WAITING: Stage.ASKING, Result.TERMINATING: Stage.ENDING}


@dataclass(frozen=True, slots=True)
class BuildPorts:
    """What the hub runs builds with."""

    around: Surroundings
    graph: Callable[[Build], Graph]
    """What a build's pipeline says; it may read files.  Raises InputError, NotFound."""
    claimed: Callable[[str], AbstractContextManager[None]]
    """Keeps others from running the build.  Raises Conflict when somebody does."""
    servers: CommitStatuses | None = None
    """Whom commits are told by how their builds stand; None: nobody is told."""
    workspaces: Workspaces | None = None
    """Where builds have run; None: nothing of them is forgotten."""
    limits: Limits = field(default_factory=Limits)
    """How much is kept of what steps leave, and how long."""
    close: Callable[[], Awaitable[None]] | None = None
    """Closes connections of runners, once no build is run any more."""


class BuildLoop:
    """One build at a time from wherever it stands to its end; many of them side by side."""

    def __init__(self, builds: Builds, ports: BuildPorts) -> None:
        self._builds, self._ports = builds, ports
        self._around = replace(ports.around, builds=builds)
        self._commands = BuildCommands(builds, ports.around.clock)
        self._over: dict[str, tuple[int, Stage]] = {}
        """How builds have ended that have, by their generation: they need not be read again."""
        self.on_end: Callable[[], None] = _nothing
        """Called when a build has ended: others may have waited for its place."""

    async def keys(self) -> list[str]:
        """Return the builds that are to be worked on now."""
        builds = await self._builds.all()
        entries = await self._entries(builds)
        policies = await self._policies(builds)
        ending = unwanted(entries, policies)
        for number, why in ending.items():
            await self._end(str(number), why)
        known = [replace(e, stage=Stage.ENDING) if e.number in ending else e for e in entries]
        under_way = (Stage.RUNNING, Stage.ASKING, Stage.ENDING)
        running = [str(each.number) for each in known if each.stage in under_way]
        return [*running, *map(str, admitted(known, policies))]

    async def _entries(self, builds: tuple[Build, ...]) -> list[Entry]:
        """Return the builds that the hub runs and that have not ended, and those behind them."""
        by_id = {each.id: each for each in builds}
        found = {}
        for build in builds:
            entry = await self._entry(build) if build.hub else None
            if entry is None or entry.stage in _OVER:
                continue
            found[build.id] = entry
            parent = by_id.get(build.parent)
            if parent is not None and parent.id not in found:
                above = await self._entry(parent)
                if above.stage in (Stage.ENDING, Stage.TERMINATED):
                    found[parent.id] = replace(above, stage=Stage.TERMINATED)
        return list(found.values())

    async def _entry(self, build: Build) -> Entry:
        return Entry(
            int(build.id),
            build.pipeline,
            await self._stage(build),
            build.trigger,
            build.branch,
            int(build.parent) if build.parent else None,
            build.generation > 0,
        )

    async def _stage(self, build: Build) -> Stage:
        generation, stage = self._over.get(build.id, (-1, Stage.OVER))
        if generation == build.generation:
            return stage
        state = (await self._builds.state(build.id)).value
        if state.ended:
            stage = Stage.TERMINATED if state.result is Result.TERMINATED else Stage.OVER
            self._over[build.id] = (build.generation, stage)
            return stage
        if state.units:
            return _STAGES.get(state.result, Stage.RUNNING)
        wishes: Wishes = (await self._builds.wishes(build)).value
        return Stage.ENDING if wishes.terminate else Stage.WAITING

    async def _policies(self, builds: tuple[Build, ...]) -> Mapping[str, Policies]:
        """Return the policies by pipeline: those of today, else those of the newest build."""
        found = {each.pipeline: each.policies for each in builds}
        for each in await self._builds.registered():
            try:
                found[each.value.name] = policies_of(each.value.spec)
            except InputError as error:  # registered by another version; others must not wait
                facts = {"pipeline": each.value.name, "error": str(error)}
                log.warning("policies-unreadable", extra=facts)
        return found

    async def _end(self, number: str, why: str) -> None:
        try:
            await self._commands.terminate(number, why)
        except Conflict as error:  # it has ended, or somebody else asks for it just now
            log.debug("build-not-ended", extra={"build": number, "error": str(error)})

    async def _hand_on(self, build: Build, graph: Graph) -> None:
        """Give a build the workspace that the one before it has left, if there is one."""
        if self._ports.workspaces is None:
            return
        now = self._around.clock.now()
        whose = await hand_on(self._builds, self._ports.workspaces, build, graph, now)
        if whose:
            log.info("workspace-handed-on", extra={"build": build.id, "from": whose})

    async def reconcile(self, number: str) -> float:
        """Bring the build to its end, however long it takes; return seconds until the next look."""
        build = (await self._builds.build(number)).value
        with self._ports.claimed(number):
            state = (await self._builds.state(number)).value
            if state.ended:
                return IDLE_SECONDS
            try:
                build, graph = await settled(self._around, build, self._ports.graph)
                state = (await self._builds.state(number)).value
                if not state.units:
                    place = self._around.of(build.runtime)
                    allowed = build.host_images
                    check(graph, state.variables, place.has_tool, allowed, place.has_image)
                    await self._hand_on(build, graph)
            except (InputError, NotFound) as error:
                await self._commands.refuse(build, f"it cannot be run: {error}")
                log.warning("build-refused", extra={"build": number, "error": str(error)})
            else:
                log.info("build-runs", extra={"build": number, "pipeline": build.pipeline})
                execution = Execution(self._around, build, graph, _Logged(number))
                state = await traced_build(build, execution.run)
                log.info("build-ended", extra={"build": number, "result": state.result.value})
        self.on_end()
        return IDLE_SECONDS


@dataclass(frozen=True, slots=True)
class _Logged:
    """Nobody watches; history and logs have all but what a build waits for."""

    build: str

    def told(self, key: str, text: str) -> None:
        """Log what the whole build waits for."""
        if key == BUILD:
            log.warning("build-waits", extra={"build": self.build, "why": text})

    def printed(self, key: str, text: str) -> None:
        """Take no note."""


def _nothing() -> None:
    """Nobody waits."""
