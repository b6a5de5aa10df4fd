"""The hub brings builds to their end: each once, as many side by side as pipelines allow."""

import asyncio
from contextlib import asynccontextmanager, nullcontext

import pytest

from crossfade.adapters.pipelines.graphs import Choice, read_graph
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import NotFound
from crossfade.core.pipeline.state import Answer
from crossfade.engine.loops.builds import BuildLoop, BuildPorts
from crossfade.engine.loops.keyed import KeyedLoop
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.records import Builds, Registered
from crossfade.engine.pipelines.starting import Registry, Start
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.ports.documents import Event
from crossfade.testing.fake_runner import FakeMachine, FakeRunner
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.pipeline_kills import MemoryLogs

STEP = "  work: {image: alpine, commands: ['while [ ! -e go ]; do sleep 0.01; done', echo done]}\n"


class World:
    def __init__(self, tools=lambda _: True):
        self.store, self.machine, self.clock = FakeStore(), FakeMachine(), SteadyClock()
        self.builds = Builds(self.store)
        self.registry = Registry(self.builds, self.clock, self.graph)
        self.commands = BuildCommands(self.builds, self.clock)
        self.tools = tools
        self.pages = {}

    def graph(self, build):
        return read_graph(
            build.text, "", "the file", with_clone=False, choice=Choice(build.template)
        )

    async def register(self, spec: str = "", name: str = "shop/web", steps: str = STEP):
        inner = "".join(f"  {line}\n" for line in steps.splitlines())
        text = f"version: '1.0'\nkind: pipeline\nmetadata: {{name: {name}}}\nspec:\n{spec}"
        text += f"  steps:\n{inner}" if steps else ""
        graph = read_graph(text, "", "the file", with_clone=False)
        await self.registry.register(Registered(name, text, spec=graph.pipeline.spec))

    async def start(self, name="shop/web", **more):
        return (await self.registry.start(Start(name, **more))).id

    def go(self, build):
        self.machine.volume(build)["/codefresh/volume/go"] = ""

    async def result(self, build):
        return (await self.builds.state(build)).value.result

    async def until(self, build, *results):
        async with asyncio.timeout(10):
            while await self.result(build) not in results:
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def hub(self):
        ports = BuildPorts(
            Surroundings(
                self.builds,
                FakeRunner(self.machine),
                MemoryLogs(),
                self.clock,
                self.tools,
                fetch=self.pages.__getitem__,
            ),
            self.graph,
            lambda _: nullcontext(),
        )
        work = BuildLoop(Builds(self.store), ports)
        loop = KeyedLoop("builds", work.keys, work.reconcile)
        work.on_end = loop.poke
        async with asyncio.TaskGroup() as group:
            task = group.create_task(loop.run())
            try:
                yield loop
            finally:
                task.cancel()


@pytest.fixture
def world():
    return World()


async def test_a_build_that_is_left_to_the_hub_is_run_to_its_end(world):
    await world.register()
    build = await world.start()
    world.go(build)

    async with world.hub():
        await world.until(build, "success")

    assert len(world.machine.started) == 1


async def test_the_next_hub_goes_on_where_a_killed_one_was(world):
    await world.register()
    build = await world.start()
    async with world.hub():
        await world.until(build, "running")
        while not world.machine.started:
            await asyncio.sleep(0.01)
    world.go(build)

    async with world.hub():
        await world.until(build, "success")

    assert len(world.machine.started) == 1


async def test_a_build_waits_for_its_place_and_gets_it_when_another_one_ends(world):
    await world.register("  concurrency: 1\n")
    first, second = await world.start(), await world.start()
    async with world.hub():
        await world.until(first, "running")
        assert await world.result(second) == "pending"
        world.go(first)
        await world.until(first, "success")
        await world.until(second, "running")


async def test_a_frozen_pipeline_runs_again_once_it_says_so(world):
    await world.register("  concurrency: 0\n")
    build = await world.start()
    world.go(build)
    async with world.hub() as loop:
        await asyncio.sleep(0.1)
        assert await world.result(build) == "pending"
        await world.register("  concurrency: 1\n")
        loop.poke()
        await world.until(build, "success")


async def test_a_newer_build_of_a_branch_ends_the_older_one(world):
    await world.register("  terminationPolicy: [{type: branch, event: onCreate}]\n")
    old, other = await world.start(branch="main"), await world.start(branch="else")
    async with world.hub() as loop:
        await world.until(old, "running")
        new = await world.start(branch="main")
        loop.poke()
        await world.until(old, "terminated")
        world.go(new)
        await world.until(new, "success")
        assert await world.result(other) == "running"


async def test_a_build_that_never_began_can_be_ended(world):
    await world.register("  concurrency: 0\n")
    build = await world.start()
    await world.commands.terminate(build, "no longer wanted")
    async with world.hub():
        await world.until(build, "terminated")

    assert not world.machine.started


async def test_children_end_with_a_build_that_says_so(world):
    await world.register(
        "  terminationPolicy: [{type: annotation, event: onTerminate, key: cf_predecessor}]\n"
    )
    await world.register(name="shop/child")
    parent = await world.start()
    child = await world.start("shop/child", parent=parent)
    async with world.hub() as loop:
        await world.until(child, "running")
        await world.until(parent, "running")
        await world.commands.terminate(parent, "no longer wanted")
        await world.until(parent, "terminated")
        loop.poke()
        await world.until(child, "terminated")


async def test_an_approval_is_waited_for_and_taken_in(world):
    await world.register(steps="  ask: {type: pending-approval}\n")
    build = await world.start()
    async with world.hub():
        await world.until(build, "pending-approval")
        await world.commands.answer(build, "ask", Answer(approved=True, by="ann"))
        await world.until(build, "success")


async def test_a_build_that_this_hub_cannot_run_fails_with_the_reason():
    world = World(tools=lambda name: name != "sh")
    await world.register(steps="  a: {image: nobody/knows, commands: [echo]}\n")
    build = await world.start()
    async with world.hub():
        await world.until(build, "failure")

    state = (await world.builds.state(build)).value
    assert "nobody/knows" in state.units[""].reason


async def test_of_one_key_there_is_one_build(world):
    await world.register()

    assert await world.start(once="k") == await world.start(once="k")
    assert await world.start(once="l") == "2"


async def test_a_pipeline_that_is_not_registered_cannot_be_started(world):
    with pytest.raises(NotFound, match="shop/nothing"):
        await world.start("shop/nothing")


async def test_a_pipeline_of_another_version_keeps_nobody_waiting(world):
    await world.register()
    event = Event("pipeline/odd", 0.0, "registered", {})
    odd = Registered("odd", "", spec={"concurrency": "as many as fit"})
    await world.builds.register(None, odd, event)
    build = await world.start()
    world.go(build)

    async with world.hub():
        await world.until(build, "success")


async def test_a_pipeline_that_stands_elsewhere_is_read_when_its_build_runs(world):
    where = "  specTemplate: {location: url, url: 'https://a.b/c.yml'}\n"
    world.pages["https://a.b/c.yml"] = f"version: '1.0'\nsteps:\n{STEP}"
    await world.register(where, steps="")
    build = await world.start()
    world.go(build)

    async with world.hub():
        await world.until(build, "success")

    assert [run.key for run in world.machine.started] == ["work"]


async def test_a_pipeline_whose_steps_cannot_be_read_fails_with_the_reason(world):
    where = "  specTemplate: {location: url, url: 'https://a.b/${{NOPE}}'}\n"
    await world.register(where, steps="")
    build = await world.start()

    async with world.hub():
        await world.until(build, "failure")

    assert "reference without a value" in (await world.builds.state(build)).value.units[""].reason
