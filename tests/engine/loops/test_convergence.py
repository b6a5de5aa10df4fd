"""One cluster is brought to what is wanted of it, whatever happened to it meanwhile."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Unavailable
from crossfade.core.rollout.state import Outcome
from crossfade.engine.loops.convergence import REFUSED_SECONDS, Convergence
from crossfade.engine.records import Records
from crossfade.testing.builders import APP, application
from crossfade.testing.fake_cluster import FakeRouter

YELLOW = {"colour": "yellow"}
DRAIN_SECONDS = application().strategy.drain_seconds


@pytest.fixture
def loop(world):
    return Convergence(Records(world.store), world.store, world.connections, world.clock)


async def turns(world, count):
    for _ in range(count):
        await world.turn()


async def report_of(world, cluster):
    return (await Records(world.store).find_report(APP, cluster)).value


async def test_what_was_deleted_by_hand_is_put_back(world):
    gcp = world.clusters["gcp"]
    serving = dict(gcp.revisions)
    gcp.revisions.clear()
    await turns(world, 4)

    assert gcp.revisions.keys() == serving.keys()


async def test_a_route_that_was_deleted_by_hand_is_put_back(world):
    gcp = world.clusters["gcp"]
    serving = gcp.shares(APP)
    gcp.routes.clear()
    gcp.follow_route()
    await turns(world, 4)

    assert gcp.shares(APP) == serving
    assert world.weights()["gcp"] == 100


async def test_an_installation_that_was_cut_off_is_finished(world):
    rollout = await world.deployments.deploy(APP, YELLOW)
    await turns(world, 1)
    world.clusters["gcp"].leave_half_done(rollout.canary.id)

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED
    assert world.clusters["gcp"].revisions[APP, rollout.canary.id].installed


async def test_leftovers_of_a_rollout_that_went_back_are_removed_after_draining(world):
    rollout = await world.deployments.deploy(APP, YELLOW)
    world.error_rates[rollout.canary.id] = 0.9
    ended = await world.until_ended()
    assert ended.state.outcome is Outcome.ROLLED_BACK
    drained = world.clock.now() + DRAIN_SECONDS
    while world.clock.now() < drained + 3:
        await world.turn()
        if world.clock.now() < ended.state.phase_since + 4.0:
            assert all((APP, rollout.canary.id) in c.revisions for c in world.clusters.values())

    assert all((APP, rollout.canary.id) not in c.revisions for c in world.clusters.values())


async def test_a_slow_answer_about_the_route_shortens_no_draining(world, loop, monkeypatch):
    gcp, read = world.clusters["gcp"], FakeRouter.read
    rollout = await world.deployments.deploy(APP, YELLOW)
    world.error_rates[rollout.canary.id] = 0.9
    await world.until_ended()
    gcp.served.clear()
    await loop.reconcile(f"{APP}@gcp")

    async def confirmed_late(router, *asked):
        world.clock.advance(DRAIN_SECONDS + 1)
        gcp.follow_route()
        return await read(router, *asked)

    with monkeypatch.context() as patch:
        patch.setattr(FakeRouter, "read", confirmed_late)
        await loop.reconcile(f"{APP}@gcp")
    await loop.reconcile(f"{APP}@gcp")

    assert (APP, rollout.canary.id) in gcp.revisions


async def test_nothing_is_removed_while_what_serves_has_no_ready_pod(world):
    old = (await world.queries.record(APP)).active
    strategy = replace(application().strategy, keep_old_seconds=0.0)
    await world.commands.apply(replace(application(), strategy=strategy))
    rollout = await world.deploy(YELLOW)
    gcp = world.clusters["gcp"]
    gcp.stop_pods(rollout.canary.id, "crashes")
    await turns(world, 40)
    assert (APP, old.id) in gcp.revisions
    assert (APP, old.id) not in world.clusters["aws"].revisions
    gcp.start_pods(rollout.canary.id)
    await turns(world, 4)

    assert (APP, old.id) not in gcp.revisions


async def test_a_route_of_a_newer_hub_is_left_alone(world):
    """As after a restore of the store from an old backup."""
    gcp = world.clusters["gcp"]
    key, route = next(iter(gcp.routes.items()))
    gcp.routes[key] = replace(route, epoch=route.epoch + 5)
    gcp.follow_route()
    acts = len(gcp.acts)
    await turns(world, 5)

    assert len(gcp.acts) == acts
    assert "not ours to change" in (await report_of(world, "gcp")).trouble


async def test_a_look_that_shows_nothing_new_is_not_saved(world):
    await turns(world, 2)
    before = await world.store.sequence()
    await turns(world, 10)

    assert await world.store.sequence() == before


async def test_a_cluster_that_is_back_is_looked_at_before_it_gets_users(world):
    """Nothing about it may have changed; still it must be seen that nothing has."""
    gcp = world.clusters["gcp"]
    gcp.faults.unreachable = gcp.faults.gateway_down = True
    await turns(world, 10)
    before = (await report_of(world, "gcp")).looked_at
    gcp.faults.unreachable = gcp.faults.gateway_down = False
    await turns(world, 60)
    health = (await Records(world.store).find_health("gcp")).value

    assert (await report_of(world, "gcp")).looked_at >= health.back_at > before
    assert world.weights()["gcp"] == 100


async def test_a_cluster_that_refuses_what_serves_is_asked_again_after_a_while(world):
    gcp = world.clusters["gcp"]
    ((_, revision),) = gcp.revisions
    gcp.revisions.clear()
    gcp.refused[revision] = "exceeded quota"
    await turns(world, 10)
    assert "exceeded quota" in (await report_of(world, "gcp")).of(revision).trouble
    assert gcp.acts.count(f"install {revision}") == 2
    gcp.refused.clear()
    await world.turn(REFUSED_SECONDS)
    await turns(world, 5)

    assert gcp.shares(APP) == {revision: 100}
    assert world.weights()["gcp"] == 100


async def test_a_gateway_that_is_not_there_is_no_error_but_gets_no_users(world):
    world.clusters["gcp"].gateways.clear()
    await turns(world, 14)

    assert world.weights() == {"aws": 100, "onprem": 100}
    assert (await report_of(world, "gcp")).address is None


async def test_a_cluster_that_is_silent_is_told_to_the_loop_and_changes_no_report(world, loop):
    before = await report_of(world, "gcp")
    world.clusters["gcp"].faults.unreachable = True
    with pytest.raises(Unavailable):
        await loop.reconcile("colors@gcp")
    assert await report_of(world, "gcp") == before


@pytest.mark.parametrize("key", ["colors@azure", "other@aws"])
async def test_what_has_left_meanwhile_is_no_error(world, loop, key):
    assert await loop.reconcile(key) > 0


async def test_every_application_is_looked_at_in_each_of_its_clusters(world, loop):
    assert await loop.keys() == ["colors@aws", "colors@gcp", "colors@onprem"]


async def test_trouble_of_pods_is_told_in_the_words_of_the_cluster(world):
    world.clusters["gcp"].pods_start = False
    rollout = await world.deployments.deploy(APP, YELLOW)
    await turns(world, 6)
    world.clusters["gcp"].stop_pods(rollout.canary.id, "image not found")
    await turns(world, 4)

    assert (await report_of(world, "gcp")).trouble == "image not found"
    assert "image not found" in (await world.rollout()).state.reason
