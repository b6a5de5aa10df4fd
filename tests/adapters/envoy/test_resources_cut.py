"""A cluster that is cut off for a drill: edges find nobody there, and somebody again afterwards."""

import asyncio
import time
from dataclasses import replace

from crossfade.ports.edge import Way


async def cut(world, name: str, *, way: Way = Way.CUT) -> None:
    plan = world.plan(aws=100, gcp=100, onprem=100)
    route = plan.routes[0]
    targets = tuple(replace(t, way=way if t.cluster == name else Way.OPEN) for t in route.targets)
    await world.edges.publish(replace(plan, routes=(replace(route, targets=targets),)))


async def test_x(world, until):
    world.try_seconds = 0.5
    async with world.users().running() as users:
        await until(lambda: users.names()["gcp"] > 20)
        t0 = time.monotonic()
        await cut(world, "gcp", way=Way.FAILING)
        await asyncio.sleep(1)
        for f in await world.figures():
            print(f)
        for s in await world.edges.sights():
            print(s)
        print(users.names(since=t0 + 0.1))
        await cut(world, "gcp")
        await until(lambda: lost(world, "gcp"), seconds=2)
        t1 = time.monotonic()
        print("lost after", t1 - t0)
        await asyncio.sleep(2)
        print(users.names(since=t1 + 0.2))
        for f in await world.figures():
            print(f)
        for s in await world.edges.sights():
            print(s)
        t2 = time.monotonic()
        await cut(world, "gcp", way=Way.OPEN)
        await until(lambda: users.names(since=t2)["gcp"] > 0)
        t3 = time.monotonic()
        print("back after", t3 - t2)
        await asyncio.sleep(0.5)
        print(users.names(since=t3))
    print(len(users.failed()), len(users.answers), max(a.seconds for a in users.answers))
    assert 0


async def lost(world, name):
    return name not in await world.healthy()


async def test_post(world, until):
    async with world.users(method="POST").running() as users:
        await until(lambda: users.names()["gcp"] > 20)
        t0 = time.monotonic()
        await cut(world, "gcp", way=Way.FAILING)
        await asyncio.sleep(1)
        for f in await world.figures():
            print(f)
        for s in await world.edges.sights():
            print(s)
        print(users.names(since=t0 + 0.1))
        await cut(world, "gcp")
        await until(lambda: lost(world, "gcp"), seconds=2)
        await asyncio.sleep(1)
    print(len(users.failed()), len(users.answers), max(a.seconds for a in users.answers))
    assert 0
