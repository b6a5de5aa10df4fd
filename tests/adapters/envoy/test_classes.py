"""What users meet when capacity is short: a part of them a plain 503, the others nothing at all."""

from collections import Counter
from dataclasses import replace

import pytest

from crossfade.adapters.envoy.classes import RETRY_AFTER_SECONDS, TURNED_AWAY, with_classes
from crossfade.core.traffic.priorities import ALL, OTHERS, Priority
from crossfade.core.traffic.split import HeaderMatch, MatchKind
from crossfade.ports.edge import EdgeClass

GOLD = Priority("gold", (HeaderMatch("X-Plan", "gold"),))
CRAWLERS = Priority("crawlers", (HeaderMatch("user-agent", "bot", MatchKind.PREFIX),))
MEMBERS = Priority("members", (HeaderMatch("member", "yes", cookie=True),))
EXPORTS = Priority("exports", path="/exports/")


async def told(world, *classes, **weights):
    plan = world.plan(**(weights or {"aws": 100, "gcp": 100}))
    route = replace(plan.routes[0], classes=tuple(classes))
    await world.edges.publish(replace(plan, routes=(route, *plan.routes[1:])))


async def send(world, until, *classes, **weights):
    await told(world, *classes, **weights)
    await until(world.in_force)


async def statuses(world, count, **kwargs):
    return Counter([(await world.get("/", **kwargs)).status_code for _ in range(count)])


async def test_who_is_turned_away_reads_why_and_when_to_come_back(world, until):
    await send(world, until, EdgeClass(ALL, 10_000))
    answer = await world.get("/")

    assert answer.status_code == 503
    assert answer.text == TURNED_AWAY
    assert answer.headers["retry-after"] == str(RETRY_AFTER_SECONDS)
    assert (await world.get("/", "POST")).status_code == 503


async def test_the_wanted_share_is_turned_away_and_the_others_are_served(world, until):
    await send(world, until, EdgeClass(ALL, 2500))
    users = world.users(rate=1000)
    await users.run(2.0)

    seen = Counter(each.status for each in users.answers)
    assert set(seen) == {200, 503}
    assert seen[503] / 2000 == pytest.approx(0.25, abs=0.04)


async def test_everybody_is_served_again_once_capacity_is_back(world, until):
    await send(world, until, EdgeClass(ALL, 10_000))
    assert (await world.get("/")).status_code == 503
    await send(world, until)

    assert await statuses(world, 50) == {200: 50}


async def test_the_lower_class_is_turned_away_before_the_higher_one(world, until):
    await send(world, until, EdgeClass(GOLD), EdgeClass(OTHERS, 10_000))

    assert await statuses(world, 20, headers={"x-plan": "gold"}) == {200: 20}
    assert await statuses(world, 20, headers={"x-plan": "free"}) == {503: 20}
    assert await statuses(world, 20) == {503: 20}


async def test_a_class_that_takes_the_rest_may_stand_above_others(world, until):
    await send(world, until, EdgeClass(OTHERS), EdgeClass(CRAWLERS, 10_000))

    assert await statuses(world, 20) == {200: 20}
    assert await statuses(world, 20, headers={"user-agent": "botnik"}) == {503: 20}


async def test_classes_are_told_by_cookie_and_by_path(world, until):
    away = 10_000
    await send(world, until, EdgeClass(MEMBERS), EdgeClass(EXPORTS, away), EdgeClass(OTHERS, away))

    assert await statuses(world, 5, headers={"cookie": "a=b; member=yes"}) == {200: 5}
    assert await statuses(world, 5, headers={"cookie": "member=no"}) == {503: 5}
    await send(world, until, EdgeClass(OTHERS), EdgeClass(EXPORTS, away))
    assert (await world.get("/exports/2026?all=1")).status_code == 503
    assert (await world.get("/exports")).status_code == 503
    assert (await world.get("/exportsandmore")).status_code == 200


async def test_what_is_turned_away_is_counted_by_class_and_is_no_failure_of_a_cloud(world, until):
    classes = (EdgeClass(GOLD), EdgeClass(OTHERS, 10_000))
    await send(world, until, *classes)
    await until(world.edges.sights)  # a first report, that others are compared with
    seen = await gather(world, until, 30)

    assert seen == {"gold": (30, 0), "others": (0, 30)}
    (sight,) = await world.edges.sights()
    assert all(each.failed == 0 and each.healthy for each in sight.targets)


async def gather(world, until, count):
    """Return served and turned away by class, over all reports until all requests are in."""
    found: dict[str, tuple[int, int]] = {}
    taken: set[float] = set()

    async def take():
        for sight in await world.edges.sights():
            if sight.at in taken:
                continue
            taken.add(sight.at)
            for each in sight.classes:
                served, away = found.get(each.priority, (0, 0))
                found[each.priority] = (served + each.served, away + each.turned_away)
        return sum(map(sum, found.values())) >= 2 * count

    await take()
    for _ in range(count):
        await world.get("/", headers={"x-plan": "gold"})
        await world.get("/")
        await take()
    await until(take)
    return found


async def test_a_plan_without_classes_costs_an_edge_no_route_more(world):
    (route,) = world.plan(aws=100).routes

    assert with_classes(route, ({"match": {}},)) == [{"match": {}}]
