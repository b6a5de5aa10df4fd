"""Builds are made when the clock says so: each time once, whoever is killed."""

import pytest

from crossfade.adapters.pipelines.graphs import read_graph
from crossfade.engine.loops.crons import Crons
from crossfade.engine.pipelines.records import Builds, Registered
from crossfade.engine.pipelines.starting import Registry
from crossfade.ports.documents import Event
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_store import FakeStore

TEXT = """version: '1.0'
kind: pipeline
metadata: {name: shop/web}
spec:
  cronTriggers:
    - {type: cron, name: hourly, expression: '0 * * * *', message: tick}
    - {type: cron, name: off, expression: '0 * * * *', disabled: true}
  steps:
    a: {image: alpine, commands: [echo]}
"""
HOUR = 3600.0
KEY = "shop/web#hourly"


@pytest.fixture
async def world():
    return await World().begin()


class World:
    def __init__(self):
        self.store, self.clock = FakeStore(), FakeClock(10 * HOUR + 60)
        self.builds = Builds(self.store)
        self.registry = Registry(self.builds, self.clock, self.graph)

    def graph(self, _):
        return read_graph(TEXT, "", "the file", with_clone=False)

    async def begin(self):
        spec = self.graph(None).pipeline.spec
        await self.registry.register(Registered("shop/web", TEXT, spec=spec))
        return self

    def hub(self):
        return Crons(Builds(self.store), self.registry, self.clock)

    async def count(self):
        return len(await self.builds.all())


async def test_only_triggers_that_are_on_are_looked_at(world):
    assert await world.hub().keys() == [KEY]


async def test_a_pipeline_of_another_version_keeps_nobody_waiting(world):
    odd = Registered("odd", "", spec={"cronTriggers": "every now and then"})
    await world.builds.register(None, odd, Event("pipeline/odd", 0.0, "registered", {}))

    assert await world.hub().keys() == [KEY]


async def test_a_pipeline_that_is_registered_waits_for_its_first_time(world):
    pause = await world.hub().reconcile(KEY)

    assert await world.count() == 0
    assert pause <= 30


async def test_a_build_is_made_at_its_time_and_once(world):
    hub = world.hub()
    await hub.reconcile(KEY)
    world.clock.advance(HOUR)
    for _ in range(3):
        await hub.reconcile(KEY)
    await world.hub().reconcile(KEY)

    (build,) = await world.builds.all()
    variables = (await world.builds.state(build.id)).value.variables
    assert build.trigger == "hourly"
    assert variables["EVENT_MESSAGE"].value == "tick"
    assert variables["EVENT_TIMESTAMP"].value == str(int(11 * HOUR))


async def test_times_that_no_hub_was_there_for_are_made_up_for_once(world):
    await world.hub().reconcile(KEY)
    world.clock.advance(50 * HOUR)
    await world.hub().reconcile(KEY)
    await world.hub().reconcile(KEY)

    assert await world.count() == 1


async def test_a_hub_that_dies_before_it_notes_the_time_makes_no_second_build(world):
    hub = world.hub()
    await hub.reconcile(KEY)
    world.clock.advance(HOUR)
    dying = Crons(_without_notes(world), world.registry, world.clock)
    with pytest.raises(RuntimeError):
        await dying.reconcile(KEY)
    await world.hub().reconcile(KEY)

    assert await world.count() == 1


def _without_notes(world):
    class Dying(Builds):
        async def save_moment(self, *_):
            raise RuntimeError("killed")

    return Dying(world.store)
