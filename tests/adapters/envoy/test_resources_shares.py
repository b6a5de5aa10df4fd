"""What users meet while shares change: the wanted shares, at once, and nothing breaks."""

import asyncio
import time
from dataclasses import replace

import pytest

from crossfade.base.ids import ApplicationName
from crossfade.ports.edge import EdgePlan


async def shares(world, count: int = 200) -> dict[str, float]:
    users = world.users(rate=1000)
    await users.run(count / 1000)
    assert users.failed() == []
    names = users.names()
    return {name: names[name] / names.total() for name in names}


@pytest.mark.parametrize(
    "weights",
    [
        {"aws": 70, "gcp": 20, "onprem": 10},
        {"aws": 1, "gcp": 1, "onprem": 2},
        {"aws": 1000, "gcp": 0, "onprem": 3000},
        {"aws": 0, "gcp": 0, "onprem": 1},
    ],
    ids=str,
)
async def test_each_cloud_gets_its_share_of_users(world, weights):
    await world.send(**weights)
    await asyncio.sleep(0.1)  # each cloud's first probe

    got = await shares(world, 400)

    total = sum(weights.values())
    for name, weight in weights.items():
        assert got.get(name, 0.0) == pytest.approx(weight / total, abs=0.02)


async def test_when_a_cloud_dies_the_others_take_over_in_proportion(world, until):
    await world.send(aws=60, gcp=10, onprem=30)
    await world.clouds["aws"].become(503)
    await until(lambda: probe_failed(world, "aws"))

    assert await shares(world, 400) == pytest.approx({"gcp": 0.25, "onprem": 0.75}, abs=0.02)


async def test_shares_keep_being_right_when_they_change_while_a_cloud_is_dead(world, until):
    await world.clouds["aws"].kill()
    await until(lambda: probe_failed(world, "aws"))
    await world.send(aws=98, gcp=1, onprem=1)

    assert await shares(world) == pytest.approx({"gcp": 0.5, "onprem": 0.5}, abs=0.02)


async def test_many_changes_in_a_row_are_all_in_force_at_once(world):
    """Envoy by itself collects changes for a second."""
    for index in range(10):
        one, other = ("aws", "gcp") if index % 2 else ("gcp", "aws")
        await world.send(**{one: 1, other: 0, "onprem": 0})
        await until_only(world, one, seconds=0.25)


async def until_only(world, name: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (await world.get("/")).json()["name"] != name:
        assert time.monotonic() < deadline, f"users are not at {name} in time"


async def test_all_users_can_be_moved_at_once_to_clouds_that_had_none(world):
    async with world.users(rate=400).running() as users:
        for _ in range(6):
            await world.send(aws=1, gcp=0, onprem=0)
            await asyncio.sleep(0.1)
            await world.send(aws=0, gcp=1, onprem=1)
            await asyncio.sleep(0.1)

    assert users.failed() == []
    assert set(users.names()) == {"aws", "gcp", "onprem"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_requests_in_flight_survive_that_their_cloud_leaves(world, until, method):
    await world.send(aws=1, gcp=0, onprem=0)
    users = world.users(rate=100, method=method, path="/?ms=2000")
    async with asyncio.TaskGroup() as group:
        group.create_task(users.run(0.1))
        await until(lambda: in_flight(world, 6))
        await world.send(gcp=1)

    assert users.failed() == []
    assert users.names()["aws"] >= 6


async def test_requests_in_flight_survive_that_their_application_leaves(world, until):
    users = world.users(rate=100, method="POST", path="/?ms=2000")
    async with asyncio.TaskGroup() as group:
        group.create_task(users.run(0.1))
        await until(lambda: in_flight(world, 6))
        world.number += 1
        await world.edges.publish(EdgePlan(world.number, ()))
        await until(world.in_force)
        assert (await world.get("/")).status_code == 404

    assert [answer.status for answer in users.answers].count(200) >= 6
    assert {answer.status for answer in users.answers} <= {200, 404}


async def in_flight(world, count: int) -> bool:
    return sum(each.active for each in await world.figures()) >= count


async def test_users_of_one_application_do_not_notice_that_another_comes_and_goes(world):
    (colors,) = world.plan(aws=1, gcp=1, onprem=1).routes
    shapes = replace(colors, application=ApplicationName("shapes"), host="shapes.localhost")
    async with world.users(rate=400).running() as users:
        for extra in ((shapes,), (), (shapes,)):
            world.extra = extra
            await world.send(aws=1, gcp=1, onprem=1)
            await asyncio.sleep(0.1)

    assert users.failed() == []


async def test_a_changed_probe_is_taken_up_without_a_failed_request(world):
    """The Envoy cluster is made anew: it is used only once its first probes are in."""
    async with world.users(rate=400).running() as users:
        for path in ("/ready", "/livez", "/healthz"):
            plan = world.plan(aws=1, gcp=1, onprem=1)
            (route,) = plan.routes
            await world.edges.publish(replace(plan, routes=(replace(route, probe_path=path),)))
            await asyncio.sleep(0.2)

    assert users.failed() == []


async def probe_failed(world, name: str) -> bool:
    return any(f.cluster == name and f.trouble == "probe" for f in await world.figures())
