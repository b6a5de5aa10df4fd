"""Applications that share clusters: whoever is less important has what the others leave."""

from dataclasses import replace

import pytest

from crossfade.base.ids import ApplicationName
from crossfade.core.application import Placement
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.engine_world import EngineWorld

SHOP = ApplicationName("shop")


async def sharing(capacity, requests_per_second):
    """Return a world with 300 users a second, and so many of a less important application."""
    made = EngineWorld(
        capacities=dict.fromkeys(CLUSTERS, capacity),
        beside={SHOP: requests_per_second},
        users_follow=True,
    )
    spec = replace(application(), placement=Placement(priority=1))
    await made.prepare(spec)
    route = replace(spec.route, host="shop.localhost", service="shop")
    await made.commands.apply(replace(spec, name=SHOP, route=route, placement=Placement()))
    for name in made.applications:
        await made.deploy({"colour": "blue"}, application_name=name)
    await seconds(made, 20)
    return made


async def seconds(world, count):
    for _ in range(count):
        await world.turn(1.0)


async def users(world):
    return {name: each.value for name, each in (await world.queries.records.users()).items()}


async def test_nobody_is_turned_away_for_users_of_others_who_may_come():
    """The plan of the important ones has room for a tenth more, of which there are none."""
    world = await sharing(capacity=140, requests_per_second=120)

    found = await users(world)

    assert found[APP].demand > 300
    assert found[SHOP].shed == 0


async def test_nobody_is_turned_away_for_users_of_others_who_have_left():
    world = await sharing(capacity=120, requests_per_second=180)
    assert (await users(world))[SHOP].shed > 5000

    world.requests_per_second = 0
    await seconds(world, 15)

    assert (await users(world))[SHOP].shed == 0


async def test_users_whom_others_leave_no_room_for_are_turned_away_all_and_told():
    world = await sharing(capacity=150, requests_per_second=120)
    lost = world.clusters["aws"]
    lost.faults.unreachable = lost.faults.gateway_down = True
    await seconds(world, 30)

    found = await users(world)
    sent = sum(world.sent("edge-1", SHOP).values()) * (1 - world.refused("edge-1", SHOP))

    assert found[APP].shed == 0
    assert (found[SHOP].frozen, sent) == (False, pytest.approx(0, abs=0.05))
    assert found[SHOP].shedding.turned_away > 1000
    said = [each.reason for each in await world.queries.records.events("users/shop")]
    assert any("turn" in each for each in said), said
    lost.faults.unreachable = lost.faults.gateway_down = False
    await seconds(world, 60)
    assert (await users(world))[SHOP].shed == 0
