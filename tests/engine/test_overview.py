"""The first screen says what is true, and to nobody more than they may see."""

from dataclasses import replace

import pytest

from crossfade.core.access.roles import Grant, Identity, Role
from crossfade.core.application import Route, Source
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.engine.figures import Count, Figures
from crossfade.engine.overview import Overviews, overview
from crossfade.engine.records import Records, save_rollout
from crossfade.testing.builders import application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_store import FakeStore

ADMIN = Identity("admin", (Grant(Role.ADMIN),))


@pytest.fixture
async def world():
    world = EngineWorld()
    await world.prepare(application(SetWeight(10), Pause()))
    await world.deploy({})
    return world


async def look(world, identity=ADMIN, figures=None):
    at = world.clock.now()
    return await overview(Records(world.store), identity, (figures or Figures()).now(at), at)


async def test_every_cloud_is_told_with_its_share_and_what_runs_there(world):
    seen = await look(world)

    assert [each.name for each in seen.clusters] == ["aws", "gcp", "onprem"]
    assert sum(each.share for each in seen.clusters) == pytest.approx(100, abs=0.2)
    assert {each.measured for each in seen.clusters} == {False}
    assert all(card.revisions[0].pods == "3/3" for card in seen.clusters)
    assert (seen.applications, seen.serving, seen.needs, seen.moving) == (1, 1, (), ())


async def test_shares_are_those_that_were_counted_once_any_were(world):
    figures = Figures()
    counts = [Count("colors", "aws", 30, 3, {}), Count("colors", "gcp", 10, 0, {})]
    figures.add(world.clock.now(), counts)

    seen = await look(world, figures=figures)

    assert [each.share for each in seen.clusters] == [75.0, 25.0, 0.0]
    assert all(each.measured for each in seen.clusters)
    assert seen.rps == 40.0
    assert seen.failed_rps == 3.0


async def test_a_rollout_that_waits_is_both_moving_and_a_need(world):
    await world.deployments.deploy("colors", {"colour": "yellow"})
    for _ in range(60):
        await world.turn()

    seen = await look(world)

    (moving,) = seen.moving
    assert (moving.percent, moving.steps) == (10.0, 2)
    assert [each.application for each in seen.needs] == ["colors"]
    assert any(each.moving for each in seen.clusters[0].revisions)


async def test_a_lost_cloud_is_an_urgent_need_and_has_no_users(world):
    world.clusters["aws"].faults.gateway_down = True
    world.clusters["aws"].faults.unreachable = True
    for _ in range(40):
        await world.turn()

    seen = await look(world)

    assert seen.needs[0].urgent
    assert seen.needs[0].cluster == "aws"
    assert seen.clusters[0].share == 0.0
    assert seen.clusters[0].since is not None


async def test_a_cloud_that_comes_back_moves_and_needs_nobody(world):
    world.clusters["aws"].faults.gateway_down = True
    for _ in range(40):
        await world.turn()
    world.clusters["aws"].faults.gateway_down = False
    for _ in range(60):
        await world.turn()
        seen = await look(world)
        if not seen.needs:
            break

    assert seen.needs == ()
    assert [each.cluster for each in seen.returning] == ["aws"]
    assert seen.returning[0].percent < 100


async def test_nothing_of_other_applications_or_clusters_is_in_it_nor_in_any_sum(world):
    other = replace(
        application(),
        name="shapes",
        route=Route("shapes.localhost", "shapes"),
        source=Source("/charts/shapes"),
    )
    await world.commands.apply(other)
    figures = Figures()
    figures.add(world.clock.now(), [Count("colors", "aws", 30, 3, {})])
    mine = Identity("eve", (Grant(Role.VIEWER, "shapes", "gcp"),))

    seen = await look(world, mine, figures)

    assert [each.name for each in seen.clusters] == ["gcp"]
    assert (seen.applications, seen.serving, seen.rps) == (1, 0, 0.0)
    assert "colors" not in str(seen)
    assert "aws" not in str(seen)


async def test_what_is_kept_for_others_is_given_only_to_who_may_see_the_same(world):
    overviews = Overviews(Records(world.store), Figures())
    now = world.clock.now()
    mine = Identity("eve", (Grant(Role.VIEWER, "shapes", "gcp"),))
    token = Identity("admin", (Grant(Role.ADMIN),), within=(Grant(Role.VIEWER, "shapes", "gcp"),))

    whole = await overviews.of(ADMIN, now)

    assert await overviews.of(Identity("ann", (Grant(Role.ADMIN),)), now) is whole
    for each in (mine, token):
        assert [card.name for card in (await overviews.of(each, now)).clusters] == ["gcp"]
    assert await overviews.of(ADMIN, now + 1) is not whole


async def test_many_different_rights_take_no_memory_without_end(world):
    overviews = Overviews(Records(world.store), Figures())
    for number in range(120):
        await overviews.of(Identity("x", (Grant(Role.VIEWER, f"a{number}"),)), 1.0)

    assert len(overviews._kept) <= 50


async def test_a_hub_of_this_process_is_asked_before_the_store(world):
    figures = Figures(records=Records(world.store))
    nothing = Records(FakeStore())

    seen = await Overviews(nothing, figures).of(ADMIN, world.clock.now())

    assert len(seen.clusters) == 3


async def test_in_waves_the_percent_that_moves_is_that_of_all_users_not_of_one_cloud(world):
    await world.deployments.deploy("colors", {"colour": "yellow"})
    for _ in range(60):
        await world.turn()
    records = Records(world.store)
    (stored,) = await records.rollouts_of([each.value for each in await records.applications()])
    clusters = {
        name: replace(each, percent=90.0 if name == "aws" else 0.0)
        for name, each in stored.value.state.clusters.items()
    }
    state = replace(stored.value.state, clusters=clusters)
    await world.store.commit((save_rollout(stored, replace(stored.value, state=state)),))

    (moving,) = (await look(world)).moving

    assert moving.percent == pytest.approx(30, abs=0.5)
