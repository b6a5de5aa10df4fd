"""Environments: compositions that a step has launched, and that go on when its build has ended."""

import asyncio
import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import Conflict, InputError, NotFound, ungrouped
from crossfade.base.json_value import Json
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.masking import Mask
from crossfade.core.pipeline.runtime import Runtime
from crossfade.core.pipeline.state import Status
from crossfade.core.pipeline.work import VOLUME
from crossfade.engine.pipelines.records import Builds
from crossfade.engine.records import Stored
from crossfade.engine.retries import again_on_conflict
from crossfade.ports.documents import Documents, Event, Remove, Save
from crossfade.ports.runner import Order, RunId, Runner, Serving

ENVIRONMENT = "environment"
GRACE_SECONDS = 5.0
_LOOK_SECONDS = 0.05
_OTHERS_SECONDS = 120.0
"""So long is another build given to bring one of the same name up."""
_BEGINS_SECONDS = 10.0
"""So long may pass between what is saved and the start of its processes."""
_SILENCE_SECONDS = 2.0
"""So long the last lines of a start are waited for."""
_NEWS_SECONDS, _NEWS_BYTES = 1.0, 32 * 1024
"""What comes so late and in so small pieces is printed just now: some services never pause."""

Printed = Callable[[str], None]
Runners = Callable[[Runtime], Runner]
"""Gives what keeps environments of builds that run so; always something of this machine."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One composition that goes on by itself."""

    name: str
    build: str
    """The build that has launched it; it lives in that one's workspace."""
    pipeline: str
    at: float
    """When it was launched, in seconds since the Unix epoch."""
    until: float
    """It ends by itself then."""
    once: str
    """Of one key it is launched once."""
    number: int = 1
    """Counts its starts."""
    runtime: Runtime = field(default_factory=Runtime)
    """Where the steps of its build run."""

    @property
    def run(self) -> RunId:
        """Return the run that serves it."""
        return RunId(self.build, 0, f"environment {self.name} {self.once}", self.number)


@dataclass(frozen=True, slots=True)
class Launch:
    """What is to be launched."""

    name: str
    build: str
    once: str
    seconds: float
    """How long it goes on."""
    composition: Json = None
    directory: str = VOLUME
    """Where its paths begin."""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """An environment and how it stands."""

    environment: Environment
    status: str
    """`starting`, `up` or `ended`."""


def _replaced(environment: Environment, other: Environment) -> Conflict:
    return Conflict(
        f"environment {environment.name} was replaced by build {other.build} before it was up",
        hint="give builds that are to run side by side an `environment_name` each",
    )


_decoder = codecs.getincrementaldecoder("utf-8")
_STATUS = {Status.RUNNING: "starting", Status.SERVING: "up"}


class Environments:
    """Commands on environments."""

    def __init__(self, documents: Documents, runners: Runners, clock: Clock) -> None:
        self._documents, self._runners, self._clock = documents, runners, clock
        self._builds = Builds(documents)

    async def all(self) -> tuple[Seen, ...]:
        """Return all environments by name, also those that have ended and were not cleared away."""
        found = []
        for document in await self._documents.list(ENVIRONMENT):
            environment = from_json(Environment, document.body)
            found.append(Seen(environment, await self._status(environment)))
        return tuple(found)

    async def _status(self, environment: Environment) -> str:
        sight = await self._runners(environment.runtime).look(environment.run)
        return "ended" if sight is None else _STATUS.get(sight.status, "ended")

    async def launch(self, wanted: Launch, printed: Printed) -> Environment:
        """
        Return the environment once it is up; one of this name that goes on is ended first.

        One that another build starts just now is waited for before.  What it prints meanwhile is
        handed to `printed`.  Raises InputError when it does not start, Conflict when another one
        took its place before it was up.  When we are cancelled it is ended, unless it was up.
        """
        environment = await self._begun(wanted, printed)
        build = (await self._builds.build(wanted.build)).value
        composition = Composition(wanted.composition, host_images=build.host_images)
        order = Order(
            environment.run,
            "",
            directory=wanted.directory,
            environment=wanted.variables,
            image="alpine",
            composition=composition,
            serving=Serving(wanted.seconds, outlives=True),
        )
        try:
            await self._runners(environment.runtime).start(order)
            try:
                await self._until_up(environment, printed)
            except BaseExceptionGroup as errors:
                raise ungrouped(errors) from None
        except (InputError, asyncio.CancelledError) as error:
            other = await asyncio.shield(self._given_up(environment))
            if other is not None and isinstance(error, InputError):
                raise _replaced(environment, other) from error
            raise
        await self._gone_if_replaced(environment)
        return environment

    async def _given_up(self, environment: Environment) -> Environment | None:
        """End one that was not up; return the one that has its place, if another one has."""
        stored = await self._find(environment.name)
        mine = stored is not None and stored.value == environment
        if stored is not None and mine:
            await self._end(stored)
            return None
        await self._stop(environment)
        return stored.value if stored is not None else None

    async def _gone_if_replaced(self, environment: Environment) -> None:
        """End one that came up after another one had taken its place: who took it found nothing."""
        stored = await self._find(environment.name)
        if stored is None or stored.value.run != environment.run:
            await self._stop(environment)

    async def _begun(self, wanted: Launch, printed: Printed) -> Environment:
        """Return the saved environment that is to run, whoever has saved it."""

        async def begun() -> Environment:
            await self._until_others_are_up(wanted, printed)
            return await self._saved(wanted)

        return await again_on_conflict(begun)

    async def _until_others_are_up(self, wanted: Launch, printed: Printed) -> None:
        """Wait for one of this name that another build starts just now, but not for ever."""
        until, told = self._clock.now() + _OTHERS_SECONDS, ""
        while self._clock.now() < until:
            stored = await self._find(wanted.name)
            if stored is None or stored.value.once == wanted.once:
                return
            other = stored.value
            sight = await self._runners(other.runtime).look(other.run)
            begins = sight is None and self._clock.now() - other.at < _BEGINS_SECONDS
            if not begins and (sight is None or sight.status is not Status.RUNNING):
                return
            if told != other.once:
                printed(f"waits until {other.name}, which build {other.build} starts, is up\n")
                told = other.once
            await asyncio.sleep(_LOOK_SECONDS)

    async def _saved(self, wanted: Launch) -> Environment:
        stored = await self._find(wanted.name)
        now = self._clock.now()
        if stored is not None and stored.value.once == wanted.once:
            if await self._status(stored.value) != "ended":
                return stored.value
            number = stored.value.number + 1
            again = replace(stored.value, number=number, at=now, until=now + wanted.seconds)
            await self._save(stored.version, again, "launched again")
            return again
        if stored is not None:
            await self._end(stored)
        build = (await self._builds.build(wanted.build)).value
        fresh = Environment(
            wanted.name,
            build.id,
            build.pipeline,
            now,
            now + wanted.seconds,
            wanted.once,
            runtime=build.runtime,
        )
        await self._save(0, fresh, f"launched by build {build.id}")
        return fresh

    async def _until_up(self, environment: Environment, printed: Printed) -> None:
        silent = asyncio.Event()

        async def follow() -> None:
            runner, decoder = self._runners(environment.runtime), _decoder("replace")
            async for output in runner.output(environment.run):
                if output.data:
                    silent.clear()
                    printed(decoder.decode(output.data))
                else:
                    silent.set()
            silent.set()

        async with asyncio.TaskGroup() as group:
            following = group.create_task(follow())
            while (status := await self._status(environment)) == "starting":  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(_LOOK_SECONDS)
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    await silent.wait()
            except TimeoutError:
                pass  # it goes on printing, which is its own affair
            following.cancel()
        if status == "ended":
            raise InputError(
                f"environment {environment.name} does not start",
                hint="see what it printed above",
            )

    async def logs(self, name: str, printed: Printed) -> None:
        """Hand over what an environment has printed until now, without secrets of its build."""
        stored = await self._known(name)
        state = (await self._builds.state(stored.value.build)).value
        told = [*state.variables.values(), *(each.variable for each in state.exports)]
        mask = Mask(each.value for each in told if each.secret)
        runner, decoder = self._runners(stored.value.runtime), _decoder("replace")
        until = self._clock.now() + _NEWS_SECONDS
        async for output in runner.output(stored.value.run):
            printed(mask.feed(decoder.decode(output.data)))
            is_news = len(output.data) < _NEWS_BYTES and self._clock.now() > until
            if is_news or not output.data:
                break
        printed(mask.feed(decoder.decode(b"", final=True)))
        printed(mask.finish())

    async def end(self, name: str) -> None:
        """End an environment with all that it has started.  Raises NotFound."""
        await self._end(await self._known(name))

    async def _end(self, stored: Stored[Environment]) -> None:
        await self._stop(stored.value)
        name = stored.value.name
        change = Remove(ENVIRONMENT, name, stored.version)
        await self._documents.commit((change,), (self._event(name, "ended"),))

    async def _stop(self, environment: Environment) -> None:
        runner = self._runners(environment.runtime)
        await runner.stop(environment.run, GRACE_SECONDS)
        await runner.forget(environment.run)

    async def _known(self, name: str) -> Stored[Environment]:
        stored = await self._find(name)
        if stored is None:
            known = ", ".join(each.name for each in await self._documents.list(ENVIRONMENT))
            raise NotFound(
                f"there is no environment `{name}`",
                hint=f"`crossfade pipeline environment list` shows them; known: {known or 'none'}",
            )
        return stored

    async def _find(self, name: str) -> Stored[Environment] | None:
        document = await self._documents.get(ENVIRONMENT, name)
        if document is None:
            return None
        return Stored(from_json(Environment, document.body), document.version)

    async def _save(self, version: int, environment: Environment, reason: str) -> None:
        change = Save(ENVIRONMENT, environment.name, version, to_json(environment))
        await self._documents.commit((change,), (self._event(environment.name, reason),))

    def _event(self, name: str, reason: str) -> Event:
        return Event(f"{ENVIRONMENT}/{name}", self._clock.now(), reason, {})
