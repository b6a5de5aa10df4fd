"""A person empties a cluster, and fills it again; never the last one that serves."""

import pytest

from crossfade.base.errors import NotFound, UnsafePlan
from crossfade.engine.failover_status import failover_history, failover_status
from crossfade.engine.records import Records
from crossfade.testing.builders import CLUSTERS

ALL = dict.fromkeys(CLUSTERS, 100)


async def turns(world, count):
    for _ in range(count):
        await world.turn()


async def standing(world, name="gcp"):
    found = await failover_status(Records(world.store), world.clock.now())
    return next(each for each in found.clusters if each.cluster == name)


async def test_users_of_a_drained_cluster_go_elsewhere_and_its_pods_stay(world):
    gcp = world.clusters["gcp"]
    before = dict(gcp.revisions)
    await world.commands.drain_cluster("gcp")
    await turns(world, 3)

    assert world.weights() == ALL | {"gcp": 0}
    assert gcp.revisions == before
    found = await standing(world)
    assert (found.standing, found.empty) == ("drained", True)


async def test_a_restored_cluster_gets_its_users_back_step_by_step(world):
    await world.commands.drain_cluster("gcp")
    await turns(world, 4)
    await world.commands.restore_cluster("gcp")
    seen = []
    for _ in range(60):
        await world.turn()
        seen.append((await standing(world)).users["colors"])

    assert list(dict.fromkeys(seen)) == [0.33, 1.66, 8.33, 16.66, 33.33]
    assert world.weights() == ALL


async def test_what_draining_does_is_told_before_it_is_done(world):
    (effect,) = await world.commands.effects_of_draining("gcp")

    assert effect.application == "colors"
    assert effect.percent == pytest.approx(33.3, abs=0.1)
    assert effect.to == ("aws", "onprem")
    assert world.weights() == ALL


async def test_the_last_cluster_that_serves_is_never_drained(world):
    await world.commands.drain_cluster("gcp")
    await turns(world, 4)
    await world.commands.drain_cluster("aws")
    await turns(world, 4)

    with pytest.raises(UnsafePlan, match="it is the last copy"):
        await world.commands.drain_cluster("onprem")
    assert world.weights()["onprem"] == 100


async def test_who_is_dead_is_nobody_to_drain_to(world):
    for name in ("aws", "onprem"):
        faults = world.clusters[name].faults
        faults.unreachable = faults.gateway_down = True
    await turns(world, 20)

    with pytest.raises(UnsafePlan):
        await world.commands.drain_cluster("gcp")


async def test_draining_twice_is_draining_once(world):
    await world.commands.drain_cluster("gcp")
    before = len(await world.store.events("cluster/gcp"))
    await world.commands.drain_cluster("gcp")

    assert len(await world.store.events("cluster/gcp")) == before


async def test_a_cluster_that_leaves_the_fleet_takes_its_drain_along(world):
    (gcp,) = [each.cluster for each in await world.queries.fleet() if each.cluster.name == "gcp"]
    await world.commands.drain_cluster("gcp")
    await world.commands.remove_cluster("gcp")
    await world.commands.add_cluster(gcp)

    assert await Records(world.store).find_wish("gcp") is None


@pytest.mark.parametrize("ask", ["drain_cluster", "restore_cluster", "effects_of_draining"])
async def test_a_cluster_that_there_is_not_is_named_with_those_there_are(world, ask):
    with pytest.raises(NotFound) as refused:
        await getattr(world.commands, ask)("azure")

    assert "aws, gcp, onprem" in refused.value.hint


async def test_while_a_cluster_recovers_the_time_left_is_told(world):
    faults = world.clusters["gcp"].faults
    faults.unreachable = faults.gateway_down = True
    await turns(world, 10)
    assert (await standing(world)).standing == "out"
    faults.unreachable = faults.gateway_down = False
    for _ in range(60):
        await world.turn()
        found = await standing(world)
        if found.standing == "recovering":
            break

    assert 0 <= found.seconds_left <= 2.0
    assert found.users == {"colors": 0.0}


async def test_the_history_of_a_cluster_is_all_that_was_decided_of_it(world):
    await world.commands.drain_cluster("gcp")
    await turns(world, 2)
    told = [each.reason for each in await failover_history(Records(world.store), "gcp")]

    assert told[0] == "added to the fleet"
    assert "drained by a person" in told
    with pytest.raises(NotFound):
        await failover_history(Records(world.store), "azure")
