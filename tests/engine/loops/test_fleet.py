"""Clusters are lost and found by several answers in a row, and by both of their signals."""

import asyncio

import pytest

from crossfade.core.fleet.cluster import Cluster
from crossfade.engine.loops import fleet
from crossfade.engine.loops.fleet import Fleet
from crossfade.engine.records import Records
from crossfade.testing.engine_world import EngineWorld


@pytest.fixture
def loop(world):
    return Fleet(Records(world.store), world.connections, world.connections, world.clock)


async def summary(world, name="gcp"):
    return (await Records(world.store).find_health(name)).value.summary


async def look(loop, times, name="gcp"):
    for _ in range(times):
        loop.clock.advance(1.0)
        await loop.reconcile(name)


@pytest.mark.parametrize(
    ("unreachable", "gateway_down", "expected"),
    [
        (True, False, "api-down"),
        (False, True, "data-plane-down"),
        (True, True, "lost"),
        (False, False, "healthy"),
    ],
)
async def test_only_a_cluster_with_both_signals_down_is_lost(
    world, loop, unreachable, gateway_down, expected
):
    faults = world.clusters["gcp"].faults
    faults.unreachable, faults.gateway_down = unreachable, gateway_down
    await look(loop, 3)

    assert await summary(world) == expected


async def test_one_answer_that_is_missing_means_nothing(world, loop):
    faults = world.clusters["gcp"].faults
    for _ in range(5):
        faults.unreachable = faults.gateway_down = True
        await look(loop, 2)
        faults.unreachable = faults.gateway_down = False
        await look(loop, 1)

    assert await summary(world) == "healthy"


async def test_one_answer_does_not_bring_a_cluster_back(world, loop):
    faults = world.clusters["gcp"].faults
    faults.unreachable = faults.gateway_down = True
    await look(loop, 3)
    faults.unreachable = faults.gateway_down = False
    await look(loop, 1)
    assert await summary(world) == "lost"
    await look(loop, 1)

    assert await summary(world) == "healthy"
    assert (await Records(world.store).find_health("gcp")).value.back_at == world.clock.now()


async def test_refused_credentials_are_trouble_of_the_api_and_are_told(world, loop):
    world.clusters["gcp"].faults.denied = True
    await look(loop, 3)
    health = (await Records(world.store).find_health("gcp")).value

    assert health.summary == "api-down"
    assert "credentials are refused" in health.api.detail


async def test_a_cluster_that_hangs_is_no_answer_within_the_deadline(world, loop, monkeypatch):
    monkeypatch.setattr(fleet, "API_DEADLINE_SECONDS", 0.01)
    monkeypatch.setattr(fleet, "DATA_PLANE_DEADLINE_SECONDS", 0.01)
    world.clusters["gcp"].faults.seconds = 3600.0
    async with asyncio.timeout(5):
        await look(loop, 3)

    assert await summary(world) == "lost"
    assert "no answer in" in (await Records(world.store).find_health("gcp")).value.api.detail


async def test_a_cluster_whose_gateway_is_not_known_yet_is_judged_by_its_api():
    world = EngineWorld()
    await world.commands.add_cluster(Cluster("gcp", "gcp", "/kubeconfig"))
    loop = Fleet(Records(world.store), world.connections, world.connections, world.clock)
    await look(loop, 1)
    assert await summary(world) == "healthy"
    world.clusters["gcp"].faults.unreachable = True
    await look(loop, 3)

    assert await summary(world) == "lost"


async def test_turns_are_in_the_history_and_single_failures_are_not(world, loop):
    faults = world.clusters["gcp"].faults
    before = await world.store.sequence()
    faults.unreachable = faults.gateway_down = True
    await look(loop, 2)
    assert await world.store.sequence() == before
    await look(loop, 1)
    await look(loop, 20)
    events = await world.store.events("cluster/gcp")

    assert await world.store.sequence() == before + 1
    assert events[-1].facts == {"before": "healthy", "after": "lost"}
    assert events[-1].reason.startswith("lost: ")


async def test_a_new_hub_knows_what_the_old_one_had_found(world, loop):
    faults = world.clusters["gcp"].faults
    faults.unreachable = faults.gateway_down = True
    await look(loop, 3)
    new = Fleet(Records(world.store), world.connections, world.connections, world.clock)
    await look(new, 1)

    assert await summary(world) == "lost"


async def test_a_cluster_that_has_left_is_no_error(loop):
    assert await loop.reconcile("azure") > 0
    assert await loop.keys() == ["aws", "gcp", "onprem"]
