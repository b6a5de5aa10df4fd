"""Environments: launched once, one of a name, and nothing left of one that does not start."""

import asyncio

import pytest

from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.runtime import RunnerKind, Runtime
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.environments import Environments, Launch
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.testing.fake_build import graph_from, step
from crossfade.testing.fake_runner import FakeMachine, FakeRunner
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.virtual_time import LoopClock, simulated

UP = {"services": {"web": {"image": "alpine"}}}


class World:
    def __init__(self):
        self.store, self.machine = FakeStore(), FakeMachine()
        self.runner, self.asked = FakeRunner(self.machine), []
        self.environments = Environments(self.store, self.runner_of, LoopClock())

    def runner_of(self, runtime):
        self.asked.append(runtime)
        return self.runner

    async def build(self, variables=None, runtime=None):
        graph = graph_from({"steps": {"a": step()}})
        commands = BuildCommands(Builds(self.store), LoopClock())
        return await commands.create(
            Build("0", "p", "", 0.0, runtime=runtime or Runtime()), graph, variables or {}
        )

    async def launch(self, once, seconds=600.0, name="review"):
        printed = []
        wanted = Launch(name, "1", once, seconds, UP, variables={"A": "b"})
        return await self.environments.launch(wanted, printed.append)

    def alive(self):
        return [each.order.run for each in self.machine.alive()]


def told(story):
    async def world():
        found = World()
        await found.build()
        return await story(found)

    return simulated(world())


def test_an_environment_is_launched_once_however_often_it_is_asked_for():
    async def story(world):
        first = await world.launch("1.0/up@1")
        again = await world.launch("1.0/up@1")
        return first, again, world.alive(), await world.environments.all()

    first, again, alive, (only,) = told(story)
    assert first == again
    assert alive == [first.run]
    assert (only.status, only.environment.pipeline) == ("up", "p")


def test_one_of_the_same_name_is_ended_first():
    async def story(world):
        await world.launch("1.0/up@1")
        second = await world.launch("2.0/up@1")
        return second, world.alive(), await world.environments.all()

    second, alive, (only,) = told(story)
    assert alive == [second.run]
    assert only.environment.once == "2.0/up@1"


@pytest.mark.parametrize("between", [0.0, 0.01, 0.03])
@pytest.mark.parametrize("there", [False, True])
def test_of_two_that_are_launched_at_once_both_come_up_and_the_later_one_stays(between, there):
    async def story(world):
        if there:
            await world.launch("0.0/up@1")
        async with asyncio.TaskGroup() as group:
            first = group.create_task(world.launch("1.0/up@1"))
            await asyncio.sleep(between)
            second = group.create_task(world.launch("2.0/up@1"))
        return first.result(), second.result(), world.alive(), await world.environments.all()

    first, second, alive, (only,) = told(story)
    assert (first.once, second.once) == ("1.0/up@1", "2.0/up@1")
    assert alive == [only.environment.run]
    assert only.environment in ((second,) if between or not there else (first, second))
    assert only.status == "up"


def test_one_that_does_not_come_up_is_waited_for_only_so_long_and_is_told_who_replaced_it(
    monkeypatch,
):
    monkeypatch.setattr("crossfade.testing.fake_runner._READY_SECONDS", 500.0)

    async def story(world):
        async with asyncio.TaskGroup() as group:
            first = group.create_task(failing(world))
            await asyncio.sleep(1)
            second = group.create_task(world.launch("2.0/up@1"))
        return first.result(), second.result(), world.alive(), await world.environments.all()

    async def failing(world):
        with pytest.raises(Conflict, match="replaced by build 1 before it was up") as error:
            await world.launch("1.0/up@1")
        return error.value.hint

    hint, second, alive, (only,) = told(story)
    assert "environment_name" in hint
    assert alive == [second.run] == [only.environment.run]


def test_one_whose_launcher_died_before_its_start_keeps_nobody_waiting():
    async def story(world):
        await world.launch("1.0/up@1")
        (seen,) = await world.environments.all()
        world.machine.runs.clear()  # saved, and never started
        await asyncio.sleep(11)
        return seen, await world.launch("2.0/up@1"), world.alive()

    _, second, alive = told(story)
    assert alive == [second.run]


def test_it_ends_by_itself_when_its_time_is_over_and_is_launched_anew():
    async def story(world):
        first = await world.launch("1.0/up@1", seconds=60)
        await asyncio.sleep(61)
        (ended,) = await world.environments.all()
        again = await world.launch("1.0/up@1", seconds=60)
        return first, ended.status, again, world.alive()

    first, status, again, alive = told(story)
    assert status == "ended"
    assert (first.number, again.number) == (1, 2)
    assert alive == [again.run]


def test_nothing_is_left_of_one_that_does_not_start(monkeypatch):
    monkeypatch.setattr(
        "crossfade.testing.fake_runner._is_never_ready", lambda order: order.serving is not None
    )

    async def story(world):
        with pytest.raises(InputError, match="environment review does not start"):
            await world.launch("1.0/up@1")
        return world.alive(), await world.environments.all()

    assert told(story) == ([], ())


def test_nothing_is_left_of_one_whose_step_is_ended_before_it_is_up():
    async def story(world):
        async with asyncio.TaskGroup() as group:
            launching = group.create_task(world.launch("1.0/up@1"))
            await asyncio.sleep(0.01)
            launching.cancel()
        return world.alive(), await world.environments.all()

    assert told(story) == ([], ())


def test_it_is_kept_seen_and_ended_where_the_steps_of_its_build_run():
    async def world():
        found = World()
        await found.build(runtime=Runtime(RunnerKind.CONTAINER))
        await found.launch("1.0/up@1")
        await found.environments.all()
        await found.environments.logs("review", str)
        await found.environments.end("review")
        return found.asked

    assert {each.runner for each in simulated(world())} == {RunnerKind.CONTAINER}


def test_what_is_not_there_cannot_be_ended_and_known_ones_are_named():
    async def story(world):
        await world.launch("1.0/up@1")
        with pytest.raises(NotFound) as error:
            await world.environments.end("other")
        await world.environments.end("review")
        return error.value.hint, world.alive()

    hint, alive = told(story)
    assert "known: review" in hint
    assert alive == []


def test_secrets_of_its_build_are_masked_in_its_log():
    async def world():
        found = World()
        await found.build({"T": Variable("T", "tok-123", Source.RUN, secret=True)})
        environment = await found.launch("1.0/up@1")
        found.machine.runs[environment.run].shell.output = b"the token is tok-123\n"
        printed = []
        await found.environments.logs("review", printed.append)
        return "".join(printed)

    assert simulated(world()) == "the token is ***\n"


def test_the_log_of_services_that_never_pause_ends_and_has_what_was_there():
    async def story(world):
        environment = await world.launch("1.0/up@1")
        shell, printed = world.machine.runs[environment.run].shell, []
        shell.output = b"first\n"

        async def prints_always():
            while True:
                shell.output += "ü".encode()
                await asyncio.sleep(0.001)

        async with asyncio.TaskGroup() as group:
            service = group.create_task(prints_always())
            async with asyncio.timeout(5):
                await world.environments.logs("review", printed.append)
            service.cancel()
        return "".join(printed)

    assert told(story).startswith("first\nü")


def test_its_composition_may_use_the_host_images_of_the_build():
    async def story(world):
        environment = await world.launch("1.0/up@1")
        return world.machine.runs[environment.run].order

    order = told(story)
    assert order.composition == Composition(UP)
    assert (order.environment, order.serving.outlives) == ({"A": "b"}, True)
