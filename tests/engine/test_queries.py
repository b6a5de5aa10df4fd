"""What people see is what is, and following a rollout ends when that rollout does."""

from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise

import pytest

from crossfade.base.errors import NotFound
from crossfade.core.rollout.state import Outcome
from crossfade.engine import queries
from crossfade.testing.builders import APP
from crossfade.testing.engine_world import EngineWorld

YELLOW, RED = {"colour": "yellow"}, {"colour": "red"}


@pytest.fixture(autouse=True)
def _look_often(monkeypatch):
    monkeypatch.setattr(queries, "WATCH_SECONDS", 0.0)


async def test_the_fleet_shows_health_version_and_what_runs_there(world):
    views = await world.queries.fleet()

    assert [(v.cluster.name, v.health, v.version, v.applications) for v in views] == [
        (name, "healthy", "v1.32.0", 1) for name in ("aws", "gcp", "onprem")
    ]


async def test_a_cluster_that_was_never_probed_is_not_called_healthy():
    world = EngineWorld()
    await world.prepare()

    assert {each.health for each in await world.queries.fleet()} == {"unknown"}


async def test_trouble_of_a_cluster_is_told_in_its_own_words(world):
    world.clusters["gcp"].faults.unreachable = True
    for _ in range(4):
        await world.turn()
    view = (await world.queries.fleet())[1]

    assert view.health == "api-down"
    assert "no answer" in view.detail


async def test_a_rollout_shows_what_each_cluster_confirms_and_how_many_users_it_gets(
    world, turn_until
):
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda rollout: rollout.state.level(10))
    view = await world.queries.rollout(APP)

    assert {each.percent for each in view.clusters} == {10}
    assert {each.user_percent for each in view.clusters} == {33.3}
    assert {each.canary_pods for each in view.clusters} == {"1/1"}, "enough for 10 %"
    assert view.step in {"0/2", "1/2"}


async def test_a_cluster_that_was_not_looked_at_confirms_nothing():
    world = EngineWorld()
    await world.prepare()
    await world.deployments.deploy(APP, YELLOW)
    (view, *_) = (await world.queries.rollout(APP)).clusters

    assert (view.percent, view.user_percent, view.trouble) == (None, 0.0, "not looked at yet")


async def test_rollouts_of_one_application_come_newest_first(world):
    await world.deploy(YELLOW)

    assert [each.number for each in await world.queries.rollouts(APP)] == [2, 1]
    assert [each.number for each in await world.queries.rollouts()] == [2]


async def test_an_unknown_application_is_told_from_one_without_rollouts():
    world = EngineWorld()
    await world.prepare()

    assert await world.queries.rollouts(APP) == ()
    assert await world.queries.rollouts() == ()
    with pytest.raises(NotFound, match="nothing"):
        await world.queries.rollouts("nothing")
    with pytest.raises(NotFound, match="no rollout yet"):
        await world.queries.rollout(APP)


async def test_watching_shows_each_change_once_and_ends_with_the_rollout(world):
    await world.deployments.deploy(APP, YELLOW)
    views = []
    async for view in world.queries.watch(APP):
        views.append(view)
        await world.turn()
        assert len(views) < 200

    assert views[-1].rollout.state.outcome is Outcome.SUCCEEDED
    assert all(one != next_one for one, next_one in pairwise(views))


async def test_watching_what_is_over_shows_it_once(world):
    assert [view.rollout.number async for view in world.queries.watch(APP)] == [1]


async def test_watching_a_rollout_that_is_superseded_ends_by_saying_so(world):
    """A script that waits for its own rollout must not take the next one's fate for it."""
    first = await world.deployments.deploy(APP, YELLOW)
    views = []
    async with aclosing(world.queries.watch(APP)) as watch:
        async for view in watch:
            views.append(view)
            if len(views) == 1:
                await world.deployments.deploy(APP, RED)

    assert {view.rollout.number for view in views} == {first.number}
    assert views[-1].rollout.state.outcome is Outcome.SUPERSEDED


async def test_the_record_tells_what_serves(world):
    record = await world.queries.record(APP)

    assert [each.split.shares for each in record.wanted.values()] == [{record.active.id: 100}] * 3
    with pytest.raises(NotFound):
        await world.queries.record("nothing")


async def test_a_cluster_that_the_application_is_not_placed_on_is_not_its_concern(world):
    cluster = replace((await world.queries.fleet())[0].cluster, labels={"tier": "test"})
    await world.commands.add_cluster(cluster)
    record = await world.queries.record(APP)
    placed = replace(record.spec.placement, match_labels={"tier": "test"})
    await world.commands.apply(replace(record.spec, placement=placed))

    assert [each.cluster for each in (await world.queries.rollout(APP)).clusters] == ["aws"]
    assert [each.applications for each in await world.queries.fleet()] == [1, 0, 0]
