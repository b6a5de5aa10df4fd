"""Old builds stay in the list with their results; only how each decision came goes."""

import pytest

from crossfade.adapters.pipelines.graphs import read_graph
from crossfade.core.pipeline.run import decide
from crossfade.core.pipeline.state import Answer, Seen
from crossfade.core.rollout.retention import KEEP_SECONDS
from crossfade.engine.loops.build_retention import KEY, BuildRetention
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.records import DECIDED, Build, Builds
from crossfade.ports.documents import Event
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_store import FakeStore

TEXT = "version: '1.0'\nsteps:\n  ask: {type: pending-approval}\n"


class World:
    def __init__(self):
        self.store, self.clock = FakeStore(), FakeClock()
        self.builds = Builds(self.store)
        self.commands = BuildCommands(self.builds, self.clock)
        self.graph = read_graph(TEXT, "", "the file", with_clone=False)
        self.loop = BuildRetention(self.builds, self.store, self.clock, 0)

    async def build(self, *, ended=True):
        build = await self.commands.create(Build("0", "p", TEXT, 0.0), self.graph, {})
        await self.turn(build)
        if ended:
            await self.commands.answer(build.id, "ask", Answer(approved=True, by="ann"))
            await self.turn(build)
        return build.id

    async def turn(self, build):
        stored = await self.builds.state(build.id)
        wishes = (await self.builds.wishes(build)).value
        decision = decide(self.graph, stored.value, Seen(answers=wishes.answers), self.clock.now())
        event = Event(f"build/{build.id}", self.clock.now(), decision.reason, {DECIDED: []})
        await self.builds.save_state(build, stored, decision.want, event)

    async def events(self, build):
        return await self.store.events(f"build/{build}")


@pytest.fixture
def world():
    return World()


async def test_decisions_of_old_builds_go_and_what_people_did_stays(world):
    old, newest = await world.build(), await world.build()
    before = await world.events(newest)
    world.clock.advance(KEEP_SECONDS + 1)

    for _ in range(2):
        await world.loop.reconcile(KEY)

    kept = [each.reason for each in await world.events(old)]
    assert kept == ["asked for: p", "ask: approved by ann"]
    assert (await world.builds.state(old)).value.result == "success"
    assert await world.events(newest) == before, "the newest build of a pipeline stays whole"


async def test_builds_that_are_young_or_go_on_keep_everything(world):
    going_on = await world.build(ended=False)
    world.clock.advance(KEEP_SECONDS + 1)
    young, _ = await world.build(), await world.build()
    before = [await world.events(each) for each in (going_on, young)]

    await world.loop.reconcile(KEY)

    assert [await world.events(each) for each in (going_on, young)] == before
