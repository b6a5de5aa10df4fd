"""The real loops together, in real time, over a store and clusters in memory."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Conflict, Unavailable
from crossfade.core.analysis.spec import Analysis
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.core.rollout.state import Outcome, Phase
from crossfade.engine import leadership
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.engine.hub import Hub, HubPorts, read_ahead
from crossfade.engine.leadership import LEASE, Leadership
from crossfade.engine.loops import convergence, failover, rollouts
from crossfade.engine.records import Records
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_measurements import FakeSources
from crossfade.testing.fake_name_servers import FakeNameServers
from crossfade.testing.fake_notifier import FakeGates, FakeNotifier

QUICK = application(SetWeight(50), Pause(0.05), analysis=Analysis(judge=None))


class LockedAtTimes:
    """A store in memory that can be told to be locked."""

    def __init__(self, store):
        self.store, self.locked = store, False

    def __getattr__(self, name):
        if self.locked:
            raise Unavailable("the store cannot write: the disk is full", hint="free some space")
        return getattr(self.store, name)


@pytest.fixture
def world():
    """A fleet; the clock of commands and hubs is the real one."""
    world = EngineWorld()
    world.clock = SteadyClock()
    return world


def new_hub(world, holder="here/1/1"):
    leads = Leadership(world.store, world.clock, holder)

    async def lead():
        lease = await leads.acquire()
        ports = HubPorts(
            world.store,
            world.store,
            world.connections,
            world.edges,
            world.connections,
            FakeGates(),
            FakeNotifier(),
            FakeSources(world.measurements),
            world.clock,
            FakeNameServers("example.com"),
        )
        return Hub(ports, leads, lease.epoch)

    return lead()


@asynccontextmanager
async def running(world):
    hub = await new_hub(world)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(hub.run())
        try:
            yield hub
        finally:
            task.cancel()


async def ended(world, seconds=10.0):
    async with asyncio.timeout(seconds):
        while (rollout := await world.rollout()).active:
            await asyncio.sleep(0.01)
    return rollout


async def settled(store, seconds=1.0):
    """Wait until the hub has had nothing to write for so long."""
    before = None
    while before != (before := await store.sequence()):
        await asyncio.sleep(seconds)


async def test_a_deployment_goes_to_every_cluster_and_users_follow(world, until):
    async with running(world):
        await world.prepare(QUICK)
        await world.deployments.deploy(APP, {"colour": "blue"})
        assert (await ended(world)).state.outcome is Outcome.SUCCEEDED

        async def planned():
            return world.weights() == {"aws": 100, "gcp": 100, "onprem": 100}

        await until(planned)
        second = await world.deployments.deploy(APP, {"colour": "yellow"})
        assert (await ended(world)).state.outcome is Outcome.SUCCEEDED
    for cluster in world.clusters.values():
        assert cluster.shares(APP) == {second.canary.id: 100}


async def test_a_command_of_another_process_is_seen_at_once(world, monkeypatch):
    """The loops would look by themselves only after an hour."""
    monkeypatch.setattr(convergence, "SETTLED_SECONDS", 3600.0)
    monkeypatch.setattr(failover, "LOOK_SECONDS", 3600.0)
    monkeypatch.setattr(rollouts, "IDLE_SECONDS", 3600.0)
    async with running(world):
        await world.prepare(QUICK)
        await world.deployments.deploy(APP, {"colour": "blue"})
        await ended(world)
        await settled(world.store)
        rollout = await world.deployments.deploy(APP, {"colour": "green"})
        async with asyncio.timeout(5):
            while (APP, rollout.canary.id) not in world.clusters["aws"].revisions:
                await asyncio.sleep(0.002)


async def test_a_slow_cluster_delays_no_other(world, until):
    async with running(world):
        await world.prepare(QUICK)
        rollout = await world.deployments.deploy(APP, {"colour": "blue"})
        world.clusters["gcp"].faults.seconds = 3600.0
        for name in ("aws", "onprem"):

            async def there(cluster=world.clusters[name]):
                return (APP, rollout.canary.id) in cluster.revisions

            await until(there, 2.0)


async def test_a_full_disk_loses_nothing_and_the_work_goes_on_when_it_is_free_again(world, until):
    store = world.store
    async with running(world):
        await world.prepare(QUICK)
        await world.deployments.deploy(APP, {"colour": "blue"})
        await ended(world)
    locked = LockedAtTimes(store)
    world.store = locked
    async with running(world):
        rollout = await world.deployments.deploy(APP, {"colour": "yellow"})

        async def begun():
            return (APP, rollout.canary.id) in world.clusters["aws"].revisions

        await until(begun)
        locked.locked = True
        await asyncio.sleep(0.5)
        locked.locked = False
        assert (await ended(world)).state.outcome is Outcome.SUCCEEDED


async def test_a_hub_whose_lease_was_taken_ends_and_says_why(world, monkeypatch):
    monkeypatch.setattr(leadership, "RENEW_SECONDS", 0.05)
    hub = await new_hub(world, "elsewhere/1/1")
    await world.store.release(LEASE, "elsewhere/1/1")
    await world.store.acquire(LEASE, "usurper/1/1", world.clock.now(), 60.0)

    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(5):
            await hub.run()
    assert raised.value.subgroup(Conflict) is not None


async def test_a_hub_that_was_replaced_cannot_move_users(world):
    await world.prepare(QUICK)
    old = await new_hub(world)
    await world.store.release(LEASE, "here/1/1")
    await new_hub(world, "there/1/1")
    rollout = await world.deployments.deploy(APP, {"colour": "blue"})
    async with asyncio.TaskGroup() as group:
        task = group.create_task(old.run())
        await asyncio.sleep(0.3)
        task.cancel()

    assert (await world.rollout()) == rollout
    assert rollout.state.phase is Phase.INSTALLING
    assert all(not cluster.routes for cluster in world.clusters.values())


async def test_two_hubs_on_one_store_are_one_too_many(world):
    await new_hub(world, "elsewhere/1/1")
    with pytest.raises(Conflict, match="another hub runs"):
        await new_hub(world)


async def test_first_looks_at_many_applications_do_not_read_their_rollouts_one_by_one(world):
    await world.prepare(QUICK)
    await world.deployments.deploy(APP, {"colour": "blue"})
    records, read = Records(CachedDocuments(world.store)), []
    await read_ahead(records)
    whole, world.store.get = world.store.get, lambda *key: read.append(key)

    record = (await records.application(APP)).value
    found = await records.rollout(record)
    world.store.get = whole

    assert found is not None
    assert read == []
