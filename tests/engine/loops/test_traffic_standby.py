"""A standby runs small, grows when it is needed, and a rollout goes through it all the same."""

from dataclasses import replace

import pytest

from crossfade.core.application import Placement
from crossfade.core.rollout.spec import SetWeight
from crossfade.core.rollout.state import Outcome
from crossfade.core.traffic.destinations import Mode
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld

WARM = Placement(mode=Mode.WARM_STANDBY, orders={"gcp": 1, "onprem": 1}, pod_capacity=50)


async def ready(placement=WARM, *steps):
    world, spec = EngineWorld(requests_per_second=40), application(*steps)
    await world.prepare(replace(spec, placement=placement))
    rollout = await world.deploy({"colour": "blue", "replicaCount": 8})
    await turns(world, 10)
    return world, rollout


async def turns(world, count):
    for _ in range(count):
        await world.turn()
        for cluster in world.clusters.values():
            for _, revision in tuple(cluster.revisions):
                cluster.start_pods(revision)


def scales(world):
    return {
        name: {each.scale for each in cluster.revisions.values()}
        for name, cluster in world.clusters.items()
    }


async def test_standbys_run_small_from_the_first_deployment_on():
    world, rollout = await ready()

    assert rollout.state.outcome is Outcome.SUCCEEDED
    assert scales(world) == {"aws": {100}, "gcp": {25}, "onprem": {25}}
    assert world.weights() == {"aws": 100, "gcp": 0, "onprem": 0}


async def test_a_standby_grows_when_the_one_that_serves_is_lost_and_people_read_of_it():
    world, _ = await ready(replace(WARM, pod_capacity=20))
    aws = world.clusters["aws"]
    aws.faults.unreachable = aws.faults.gateway_down = True
    await turns(world, 60)

    assert max(scales(world)["gcp"]) > 25
    assert world.weights()["aws"] == 0
    assert (await world.queries.records.users())[APP].value.shed == 0
    told = [each.reason for each in await world.store.events(f"users/{APP}")]
    assert any("gcp grows from 25 %" in each for each in told), told


async def test_the_next_revision_comes_out_in_small_standbys_too():
    world, _ = await ready(WARM, SetWeight(20), SetWeight(50))
    rollout = await world.deploy({"colour": "yellow", "replicaCount": 8})

    assert rollout.state.outcome is Outcome.SUCCEEDED, rollout.state
    await turns(world, 30)
    assert scales(world) == {"aws": {100}, "gcp": {25}, "onprem": {25}}


@pytest.mark.parametrize("mode", [Mode.WARM_STANDBY, Mode.PILOT_LIGHT])
async def test_a_new_hub_keeps_the_size_that_the_old_one_has_decided(mode):
    world, _ = await ready(replace(WARM, mode=mode, pod_capacity=20))
    aws = world.clusters["aws"]
    aws.faults.unreachable = aws.faults.gateway_down = True
    await turns(world, 60)
    before = scales(world)
    world.start_hub()
    await turns(world, 5)

    assert scales(world) == before
