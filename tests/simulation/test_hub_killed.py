"""A hub that is killed at any moment changes nothing in the end: the next one goes on."""

import copy

import pytest

from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.core.rollout.state import Outcome
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_cluster import HubKilled

STEPS = (SetWeight(10), Pause(1.0), SetWeight(50))
GOOD, BAD = {"colour": "yellow"}, {"colour": "red"}


@pytest.fixture(params=[GOOD, BAD], ids=["promoted", "rolled-back"])
async def begun(request):
    """Blue serves everywhere, and a rollout begins; tests work on copies."""
    world = EngineWorld()
    await world.prepare(application(*STEPS))
    first = await world.deploy({"colour": "blue"})
    assert first.state.outcome is Outcome.SUCCEEDED
    rollout = await world.deployments.deploy(APP, request.param)
    if request.param is BAD:
        world.error_rates[rollout.canary.id] = 0.5
    world.start_hub()
    return world


def new_copy(begun):
    world = copy.deepcopy(begun)
    world.start_hub()
    return world


async def finish(world):
    """
    Turn until all is over and drained; a hub that dies on the way is replaced by a new one.

    Returns how many died, and what users and clusters are left with.
    """
    kills, calm = 0, 0
    for _ in range(300):
        try:
            await world.turn()
        except HubKilled:
            kills += 1
            for cluster in world.clusters.values():
                cluster.faults.kill_before = cluster.faults.kill_after = None
            world.start_hub()
        calm += not (await world.rollout()).active
        if calm > 14:
            break
    clusters = world.clusters.items()
    return kills, (
        (await world.rollout()).state.outcome,
        {name: cluster.shares(APP) for name, cluster in clusters},
        {name: sorted(key[1] for key in cluster.revisions) for name, cluster in clusters},
        world.weights(),
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("moment", "every"), [("kill_after", 1), ("kill_before", 4)])
async def test_killed_after_every_commit_and_before_some(begun, moment, every):
    """Before a commit is after the one before it and the acts between, which are killed below."""
    world = new_copy(begun)
    _, end = await finish(world)
    commits = world.hub.documents.commits
    assert commits > 20
    for number in range(1, commits + 1, every):
        world = new_copy(begun)
        setattr(world.hub.documents, moment, number)

        assert await finish(world) == (1, end), f"{moment} of commit {number}"


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
async def test_killed_before_and_after_every_act_in_a_cluster(begun, moment):
    undisturbed = new_copy(begun)
    _, end = await finish(undisturbed)
    for name, cluster in undisturbed.clusters.items():
        count = len(cluster.acts) - len(begun.clusters[name].acts)
        assert count >= 3
        for number in range(1, count + 1):
            world = new_copy(begun)
            setattr(world.clusters[name].faults, moment, number)

            assert await finish(world) == (1, end), f"{moment} of act {number} on {name}"
