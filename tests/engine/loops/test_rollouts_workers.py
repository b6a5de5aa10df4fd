"""Applications without users are rolled out by their pods, beside the old ones or in place."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.spec import Analysis
from crossfade.core.rollout.spec import Kind, SetWeight, Strategy
from crossfade.core.rollout.state import Outcome
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld

BLUE, YELLOW = {"colour": "blue"}, {"colour": "yellow"}


def worker(**more):
    steps = (SetWeight(34), SetWeight(67))
    strategy = Strategy(steps, kind=Kind.ROLLING, keep_old_seconds=0.0, **more)
    return replace(application(), route=None, strategy=strategy, analysis=Analysis(judge=None))


@pytest.fixture
async def beside():
    world = EngineWorld()
    await world.prepare(worker())
    await world.deploy(BLUE)
    return world


async def test_a_worker_is_replaced_a_part_of_its_pods_at_a_time(beside):
    old = (await beside.queries.record(APP)).active
    aws = beside.clusters["aws"]
    rollout = await beside.deployments.deploy(APP, YELLOW)
    most, least = 0, 3
    while (await beside.rollout()).active:
        await beside.turn()
        running = [
            each.ready_pods
            for (_, revision), each in aws.revisions.items()
            if revision in {old.id, rollout.canary.id}
        ]
        most, least = max(most, sum(running)), min(least, sum(running))
    for _ in range(20):
        await beside.turn()

    assert (await beside.rollout()).state.outcome is Outcome.SUCCEEDED
    assert least >= 3, "there are never fewer workers than before"
    assert most < 6, "nor twice as many"
    assert [revision for _, revision in aws.revisions] == [rollout.canary.id]
    assert not aws.routes
    assert beside.weights() == {}


async def test_a_worker_that_does_not_come_up_is_taken_back(beside):
    old = (await beside.queries.record(APP)).active
    for cluster in beside.clusters.values():
        cluster.pods_start = False
    await beside.deployments.deploy(APP, YELLOW)
    ended = await beside.until_ended(turns=1500)
    for _ in range(20):
        await beside.turn()

    assert ended.state.outcome is Outcome.ROLLED_BACK
    for cluster in beside.clusters.values():
        assert [revision for _, revision in cluster.revisions] == [old.id]


async def test_pods_are_replaced_in_place_by_percentages():
    world = EngineWorld()
    await world.prepare(worker(in_place=True))
    await world.deploy(BLUE)
    rollout = await world.deploy(YELLOW)

    rolled = [act for act in world.clusters["aws"].acts if rollout.canary.id in act]
    assert rollout.state.outcome is Outcome.SUCCEEDED
    assert [act.split()[-1] for act in rolled if act.startswith("roll")] == ["0", "34", "67", "100"]
