"""The loops of a running hub tell channels what happens, at once."""

import asyncio
from dataclasses import replace

from crossfade.base.clock import SteadyClock
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.spec import Analysis
from crossfade.core.rollout.notifications import Notification, Occasion, SlackChannel
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.engine.hub import Hub, HubPorts
from crossfade.engine.leadership import Leadership
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_measurements import FakeSources
from crossfade.testing.fake_name_servers import FakeNameServers
from crossfade.testing.fake_notifier import FakeGates, FakeNotifier

TEAM = Notification("team", SlackChannel(SecretRef("slack-url")))
QUICK = application(SetWeight(50), Pause(0.05), analysis=Analysis(judge=None))


async def test_a_rollout_is_told_from_begin_to_end_while_it_happens(until):
    world, notifier = EngineWorld(), FakeNotifier()
    world.clock = SteadyClock()
    leads = Leadership(world.store, world.clock, "here/1/1")
    lease = await leads.acquire()
    store, connections = world.store, world.connections
    ports = HubPorts(
        store,
        store,
        connections,
        world.edges,
        connections,
        FakeGates(),
        notifier,
        FakeSources(world.measurements),
        world.clock,
        FakeNameServers("example.com"),
    )
    hub = Hub(ports, leads, lease.epoch)

    def told(occasion):
        async def check():
            return occasion in [message.occasion for _, message in notifier.sent]

        return check

    async with asyncio.TaskGroup() as group:
        running = group.create_task(hub.run())
        await world.prepare(replace(QUICK, notifications=(TEAM,)))
        await world.deployments.deploy(APP, {"colour": "yellow"})
        await until(told(Occasion.STARTED), 10.0)
        await until(told(Occasion.SUCCEEDED), 15.0)
        running.cancel()
