"""Steps that stand elsewhere are read once for a build, whoever dies meanwhile."""

import pytest

from crossfade.adapters.pipelines.graphs import Choice, read_graph
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.engine.pipelines.templates import settled
from crossfade.ports.runner import RunId
from crossfade.testing.fake_runner import FakeMachine, FakeRunner
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.pipeline_kills import MemoryLogs
from crossfade.testing.virtual_time import LoopClock

STEPS = "version: '1.0'\nsteps: {say: {image: alpine, commands: [echo]}}\n"
AT_ADDRESS = "{location: url, url: 'https://example.com/${{PLACE}}.yml'}"
IN_REPOSITORY = "{repo: team/app, context: github}"


def graph(build):
    return read_graph(build.text, "", "the file", with_clone=False, choice=Choice(build.template))


class World:
    def __init__(self, template):
        self.text = f"kind: pipeline\nmetadata: {{name: a}}\nspec: {{specTemplate: {template}}}\n"
        self.store, self.machine = FakeStore(), FakeMachine()
        self.builds, self.fetched = Builds(self.store), []
        self.around = Surroundings(
            self.builds,
            FakeRunner(self.machine),
            MemoryLogs(),
            LoopClock(),
            lambda _: True,
            secrets=FakeSecrets(git_github="tok-123"),
            fetch=self.fetch,
        )

    def fetch(self, address):
        self.fetched.append(address)
        return STEPS

    async def build(self):
        wanted = Build("0", "a", self.text, 0.0)
        given = {"PLACE": Variable("PLACE", "here", Source.RUN)}
        commands = BuildCommands(self.builds, LoopClock())
        return await commands.create(wanted, graph(wanted), given)


async def test_what_stands_at_an_address_is_read_once_and_kept():
    async def story():
        world = World(AT_ADDRESS)
        build, first = await settled(world.around, await world.build(), graph)
        again, second = await settled(world.around, build, graph)
        kept = (await world.builds.build(build.id)).value
        return world, (build, again, kept), (first, second)

    world, builds, graphs = await story()
    assert world.fetched == ["https://example.com/here.yml"]
    assert [each.template for each in builds] == [STEPS] * 3
    assert all("say" in each.units for each in graphs)
    assert graphs[0].pipeline.name == "a"


async def test_an_address_that_does_not_answer_is_told_as_a_reason():
    def silent(address):
        raise Unavailable(f"{address} cannot be read: no route", hint="check it")

    async def story():
        world = World(AT_ADDRESS)
        around = Surroundings(
            world.builds, world.around.runner, MemoryLogs(), LoopClock(), str, fetch=silent
        )
        await settled(around, await world.build(), graph)

    with pytest.raises(InputError, match=r"here\.yml cannot be read: no route"):
        await story()


async def test_a_repository_is_read_with_the_token_of_its_context_which_is_not_told():
    async def story():
        world = World(IN_REPOSITORY)
        with pytest.raises(InputError) as error:
            await settled(world.around, await world.build(), graph)
        return world.machine.started, world.machine.runs, str(error.value)

    started, runs, said = await story()
    assert started == [RunId("1", 0, "specTemplate", 1)]
    order = runs[started[0]].order
    assert order.environment["GIT_TOKEN"] == "tok-123"
    assert order.secrets == ("tok-123",)
    assert "https://github.com/team/app.git" in order.script
    assert "tok-123" not in order.script + said


async def test_a_reading_that_is_lost_with_its_machine_is_done_again(monkeypatch):
    async def story():
        world = World(IN_REPOSITORY)
        begin = world.machine.begin

        def lost(order, now):
            begin(order, now)
            world.machine.lose(world.machine.runs[order.run])

        monkeypatch.setattr(world.machine, "begin", lost)
        with pytest.raises(InputError, match="could not be read"):
            await settled(world.around, await world.build(), graph)
        return [run.number for run in world.machine.started]

    assert await story() == [1, 2, 3]
