"""What this hub sees of each cluster by itself: its API server and its data plane."""

import asyncio

import pytest

from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.signals import Vote, vote
from crossfade.engine.loops import fleet
from crossfade.engine.loops.fleet import Fleet
from crossfade.engine.records import Records
from crossfade.testing.engine_world import EngineWorld


@pytest.fixture
def loop(world):
    return Fleet(Records(world.store), world.connections, world.connections, world.clock)


async def look(loop, times, name="gcp"):
    for _ in range(times):
        loop.clock.advance(1.0)
        await loop.reconcile(name)
    return loop.seen[name]


async def test_nothing_is_asked_of_an_api_server_after_three_failures(world, loop):
    await look(loop, 2)
    world.clusters["gcp"].faults.unreachable = True

    assert (await look(loop, 2)).reach.up
    assert not (await look(loop, 1)).reach.up
    world.clusters["gcp"].faults.unreachable = False
    assert not (await look(loop, 1)).reach.up
    assert (await look(loop, 1)).reach.up


async def test_an_api_server_is_voted_down_only_after_half_a_minute(world, loop):
    """That nothing can be asked of it holds a rollout; that users leave takes more."""
    await look(loop, 2)
    world.clusters["gcp"].faults.unreachable = True
    watched = await look(loop, 24)
    assert vote(watched.api, world.clock.now(), 16.0) is Vote.UP
    watched = await look(loop, 6)

    assert vote(watched.api, world.clock.now(), 16.0) is Vote.DOWN


async def test_refused_credentials_are_trouble_of_the_api_and_are_told(world, loop):
    world.clusters["gcp"].faults.denied = True
    watched = await look(loop, 3)

    assert not watched.reach.up
    assert "credentials are refused" in watched.reach.detail


async def test_a_cluster_that_hangs_is_no_answer_within_the_deadline(world, loop, monkeypatch):
    monkeypatch.setattr(fleet, "API_DEADLINE_SECONDS", 0.01)
    monkeypatch.setattr(fleet, "DATA_PLANE_DEADLINE_SECONDS", 0.01)
    world.clusters["gcp"].faults.seconds = 3600.0
    async with asyncio.timeout(5):
        watched = await look(loop, 3)

    assert "no answer in" in watched.reach.detail
    assert vote(watched.data_plane, world.clock.now(), 5.0) is Vote.DOWN


async def test_a_cluster_whose_gateway_is_not_known_yet_has_no_data_plane_to_see():
    world = EngineWorld()
    await world.commands.add_cluster(Cluster("gcp", "gcp", "/kubeconfig"))
    loop = Fleet(Records(world.store), world.connections, world.connections, world.clock)

    assert (await look(loop, 1)).data_plane.heard_at is None


async def test_a_new_hub_takes_nothing_for_well_that_the_old_one_had_found_dead(world):
    gcp = world.clusters["gcp"].faults
    gcp.unreachable = gcp.gateway_down = True
    for _ in range(10):
        await world.turn()
    new = Fleet(Records(world.store), world.connections, world.connections, world.clock)
    watched = await look(new, 1)

    assert not watched.reach.up
    assert vote(watched.data_plane, world.clock.now(), 5.0) is Vote.DOWN


async def test_a_cluster_that_has_left_is_no_error_and_is_forgotten(world, loop):
    await look(loop, 1)
    assert await loop.reconcile("azure") > 0
    await world.commands.remove_cluster("gcp")

    assert await loop.keys() == ["aws", "onprem"]
    assert "gcp" not in loop.seen
