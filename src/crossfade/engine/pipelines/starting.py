"""Registered pipelines, and builds of them that the hub runs."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import InputError, NotFound
from crossfade.core.pipeline.choosing import lacks_approvals
from crossfade.core.pipeline.commit_status import Commit
from crossfade.core.pipeline.external_resources import resources_of
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.policies import policies_of
from crossfade.core.pipeline.shared_configuration import contexts_of
from crossfade.core.pipeline.template import template_of
from crossfade.core.pipeline.triggers import Kind, Trigger, triggers_of, variables_by_hand
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.records import Build, Builds, Registered
from crossfade.engine.records import Stored
from crossfade.ports.documents import Event

log = logging.getLogger(__name__)

Read = Callable[[Build], Graph]
"""What the pipeline of a build says; it may read files.  Raises InputError, NotFound."""


@dataclass(frozen=True, slots=True)
class Start:
    """What is asked for of a registered pipeline."""

    pipeline: str
    variables: Mapping[str, Variable] = field(default_factory=dict)
    trigger: str = ""
    branch: str = ""
    parent: str = ""
    once: str = ""
    clone: bool = False
    commit: Commit | None = None
    template: str = ""
    """Text of a file with steps in place of the pipeline's own."""
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    """Names of the steps that are meant, and of those that are not; (): all, and none."""
    contexts: tuple[str, ...] = ()
    """Shared configurations whose variables it has beside those of the pipeline."""
    reset_volume: bool = False
    """Whether it begins in an empty workspace."""
    of_event: bool = False
    """Whether the trigger's event has been; otherwise somebody asks for it by hand."""


class Registry:
    """Commands on pipelines; `read` tells what the pipeline of a build says."""

    def __init__(self, builds: Builds, clock: Clock, read: Read) -> None:
        self._builds, self._clock, self._read = builds, clock, read

    def check(self, wanted: Registered) -> None:
        """Return if it can be registered.  Raises InputError."""
        if not wanted.name:
            raise InputError(
                "this pipeline has no name",
                hint="write `kind: pipeline` with metadata.name: docs/guides/running-pipelines.md",
            )
        policies_of(wanted.spec)
        triggers_of(wanted.spec)
        template_of(wanted.spec)
        contexts_of(wanted.spec)
        resources_of(wanted.spec)

    async def register(self, wanted: Registered) -> bool:
        """
        Save a pipeline under its name, in place of one of that name; return whether it is news.

        Raises InputError as `check`.
        """
        self.check(wanted)
        stored = await self._builds.pipeline(wanted.name)
        if stored is not None and stored.value == wanted:
            return False
        event = self._event(wanted.name, "changed" if stored else "registered")
        await self._builds.register(stored, wanted, event)
        return True

    async def unregister(self, name: str) -> None:
        """Forget a pipeline; its builds go on.  Raises NotFound."""
        stored = await self._stored(name)
        await self._builds.unregister(stored, self._event(name, "removed"))

    async def start(self, wanted: Start) -> Build:
        """
        Return a new build that the hub runs, or the one there is with this key `once`.

        Raises NotFound when there is no such pipeline, InputError when it cannot be read.
        """
        build, graph, variables = await self._wanted(wanted)
        commands = BuildCommands(self._builds, self._clock)
        return await commands.create(build, graph, variables)

    async def lacks_approvals(self, wanted: Start) -> bool:
        """Say whether such a build leaves approvals out, or may.  Raises as `start`."""
        if not (wanted.only or wanted.skip):
            return False
        return lacks_approvals((await self._wanted(wanted))[1].pipeline)

    async def _wanted(self, wanted: Start) -> tuple[Build, Graph, Mapping[str, Variable]]:
        registered = (await self._stored(wanted.pipeline)).value
        if wanted.trigger and not wanted.of_event:
            wanted = _by_hand(registered, wanted)
        build = replace(
            build_of(registered),
            trigger=wanted.trigger,
            branch=wanted.branch,
            parent=wanted.parent,
            once=wanted.once,
            clone=wanted.clone,
            commit=wanted.commit,
            template=wanted.template,
            only=wanted.only,
            skip=wanted.skip,
            reset_volume=wanted.reset_volume,
            contexts=(*_shared_of(registered, wanted.trigger), *wanted.contexts),
        )
        return build, await asyncio.to_thread(self._read, build), wanted.variables

    async def _stored(self, name: str) -> Stored[Registered]:
        stored = await self._builds.pipeline(name)
        if stored is None:
            known = ", ".join(each.value.name for each in await self._builds.registered())
            raise NotFound(
                f"no pipeline `{name}` is registered",
                hint=f"`crossfade pipeline apply FILE` registers one; known: {known or 'none'}",
            )
        return stored

    def _event(self, name: str, word: str) -> Event:
        return Event(f"pipeline/{name}", self._clock.now(), f"{word} by a command", {})


def _by_hand(registered: Registered, wanted: Start) -> Start:
    """Return what is asked for with what the trigger says.  Raises NotFound."""
    triggers = {each.name: each for each in triggers_of(registered.spec)}
    trigger = triggers.get(wanted.trigger)
    if trigger is None:
        raise NotFound(
            f"{registered.name} has no trigger `{wanted.trigger}`",
            hint=f"triggers: {', '.join(triggers) or 'none'}",
        )
    told = variables_by_hand(trigger, wanted.branch)
    variables = {each.name: each for each in trigger.variables} | as_variables(told)
    clone = trigger.kind is Kind.GIT
    return replace(wanted, variables={**variables, **wanted.variables}, clone=clone)


def _shared_of(registered: Registered, name: str) -> tuple[str, ...]:
    """Return the shared configurations of a trigger."""
    found = (each.shared for each in readable_triggers(registered) if each.name == name)
    return next(found, ())


def readable_triggers(registered: Registered) -> tuple[Trigger, ...]:
    """Return its triggers, () when another version has registered what this one cannot read."""
    try:
        return triggers_of(registered.spec)
    except InputError as error:
        facts = {"pipeline": registered.name, "error": str(error)}
        log.warning("triggers-unreadable", extra=facts)
        return ()


def as_variables(told: Mapping[str, str]) -> dict[str, Variable]:
    """Return what an event says as variables of a trigger."""
    return {name: Variable(name, value, Source.TRIGGER) for name, value in told.items()}


def build_of(registered: Registered) -> Build:
    """Return a build of the pipeline that has no number yet."""
    return Build(
        "0",
        registered.name,
        registered.text,
        0.0,
        definitions=registered.definitions,
        host_images=registered.host_images,
        hub=True,
    )
