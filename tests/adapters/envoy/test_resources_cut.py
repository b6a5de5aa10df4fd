"""A cluster that is cut off for a drill: edges find nobody there, and somebody again afterwards."""

import asyncio
import time
from dataclasses import replace

import pytest

from crossfade.ports.edge import Way


async def shut(world, way: Way) -> None:
    """Publish a plan in which the way to gcp is like this."""
    plan = world.plan(aws=100, gcp=100, onprem=100)
    route = plan.routes[0]
    targets = tuple(replace(t, way=way if t.cluster == "gcp" else Way.OPEN) for t in route.targets)
    await world.edges.publish(replace(plan, routes=(replace(route, targets=targets),)))


async def lost(world) -> bool:
    return "gcp" not in await world.healthy()


async def tried(world) -> int:
    """Return how many users' requests have met the cluster that is cut off, so far."""
    return next(each.errors for each in await world.figures() if each.cluster == "gcp")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_requests_meet_a_dead_cloud_and_users_do_not_notice(world, until, method):
    async with world.users(method=method).running() as users:
        await until(lambda: users.names()["gcp"] > 20)
        await shut(world, Way.FAILING)
        await until(lambda: tried(world))
        await until(lambda: lost(world))
        await shut(world, Way.CUT)
        await until(world.in_force)
        left = time.monotonic()
        await asyncio.sleep(0.5)
        assert users.names(since=left)["gcp"] == 0
        await shut(world, Way.OPEN)
        opened = time.monotonic()
        await until(lambda: users.names(since=opened)["gcp"])

    assert users.failed() == []
    assert time.monotonic() - opened < 2


async def test_a_cloud_that_is_cut_off_stays_left_out_though_its_gateway_answers(world, until):
    await shut(world, Way.CUT)
    await until(lambda: lost(world))
    for _ in range(20):
        await asyncio.sleep(0.05)
        assert await lost(world)


async def test_what_users_get_is_counted_and_not_how_often_it_was_tried(world, until):
    """Of a lost cloud users get nothing; of an application that fails everywhere they do."""

    async def failed() -> int:
        sights = await world.edges.sights()
        return sum(each.failed for sight in sights for each in sight.answers)

    counted: list[tuple[float, int, int]] = []

    async def count() -> None:
        while True:
            for sight in await world.edges.sights():
                if not counted or counted[-1][0] != sight.at:
                    counted.append(
                        (
                            sight.at,
                            sum(each.requests for each in sight.answers),
                            sum(each.failed for each in sight.answers),
                        )
                    )
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count())
        async with world.users(rate=100).running() as users:
            await until(lambda: users.names()["gcp"] > 20)
            await shut(world, Way.FAILING)
            await until(lambda: tried(world))
            await until(lambda: lost(world))
            await shut(world, Way.CUT)
            await asyncio.sleep(1)
        await asyncio.sleep(0.5)
        counting.cancel()
    assert users.failed() == []
    assert sum(each[2] for each in counted) == 0
    requests = sum(each[1] for each in counted)
    assert requests == pytest.approx(len(users.answers), rel=0.15)

    for cloud in world.clouds.values():
        await cloud.become(500)
    await world.get("/")
    await until(failed)
