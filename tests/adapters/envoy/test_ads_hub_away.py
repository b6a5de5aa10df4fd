"""Edges while the hub is away: users are served, clouds fail over, and nothing starts anew."""

import asyncio
import os
import signal
import time

import httpx
import pytest

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.base.errors import Conflict, InputError
from crossfade.ports.edge import EdgeStatus
from crossfade.testing.edge_process import running_edge


async def restart_hub(world) -> None:
    port = world.edges.port
    await world.edges.stop()
    world.edges = AdsEdges(port, tuning=world.tuning)
    await world.edges.start()


async def test_a_cloud_that_dies_while_the_hub_is_away_costs_no_request(world, until):
    async with world.users().running() as users:
        await world.edges.stop()
        await world.clouds["gcp"].kill()
        await until(lambda: lost(world, "gcp"))
        await restart_hub(world)
        await world.send(aws=1, gcp=0, onprem=1)
        await world.clouds["gcp"].start()
        await world.send(aws=1, gcp=1, onprem=1)
        back = time.monotonic()
        await until(lambda: users.names(since=back)["gcp"] > 5)

    assert users.failed() == []


async def test_a_new_hub_with_the_same_plan_resets_nothing(world, until):
    plan = world.plan(aws=1, gcp=1, onprem=1)
    await world.edges.publish(plan)
    await until(world.in_force)
    await world.clouds["gcp"].kill()
    await world.users().run(0.2)
    await until(lambda: lost(world, "gcp"))
    before = {f.cluster: (f.requests, f.healthy) for f in await world.figures()}
    updates = await counters(world)

    await restart_hub(world)
    await world.edges.publish(plan)
    await until(world.in_force)

    assert {f.cluster: (f.requests, f.healthy) for f in await world.figures()} == before
    assert await counters(world) == updates, "the edge was sent what it had"


async def test_an_edge_keeps_its_configuration_until_a_new_hub_has_a_plan(world, until):
    await restart_hub(world)
    await until(lambda: connected(world))
    status = await world.edges.status()

    assert [edge.acknowledged for edge in status] == [0]
    assert (await world.get("/")).status_code == 200


async def test_an_edge_that_was_cut_off_gets_the_plan_it_missed(world, until):
    port = world.edges.port
    await world.edges.stop()
    world.edges = AdsEdges(port, tuning=world.tuning)
    await world.edges.publish(world.plan(onprem=1))
    await world.edges.start()
    await until(world.in_force)

    assert {(await world.get("/")).json()["name"] for _ in range(6)} == {"onprem"}


async def test_a_second_hub_on_the_same_port_is_told_so(world):
    second = AdsEdges(world.edges.port)

    with pytest.raises(Conflict, match="the port is taken"):
        await second.start()


async def test_a_plan_with_one_host_for_two_applications_is_refused_whole(world):
    plan = world.plan(onprem=1)
    (route,) = plan.routes
    world.extra = (route.__class__("shapes", route.host, "/", 0.5, route.targets),)
    with pytest.raises(InputError, match="same host"):
        await world.edges.publish(world.plan(onprem=1))

    assert {(await world.get("/")).json()["name"] for _ in range(9)} == {"aws", "gcp", "onprem"}


async def test_what_envoy_refuses_is_reported_in_its_words_and_harms_no_user(world, until):
    plan = world.plan(aws=1, gcp=1)
    (route,) = plan.routes
    bad = route.__class__("shapes", "shapes.localhost", "no-slash\n", 0.5, route.targets)
    world.extra = (bad,)
    async with world.users().running() as users:
        await world.edges.publish(world.plan(aws=1, gcp=1))
        await until(lambda: refused(world))
        await asyncio.sleep(0.2)
        (status,) = await world.edges.status()
        world.extra = ()
        await world.send(onprem=1)

    assert "path" in status.refused.lower(), status
    assert status.acknowledged == 1
    assert users.failed() == []


async def lost(world, name: str) -> bool:
    return name not in await world.healthy()


async def refused(world) -> bool:
    return any(edge.refused for edge in await world.edges.status())


async def connected(world) -> bool:
    return bool(await world.edges.status())


async def counters(world) -> dict[str, str]:
    """Return how often the edge took up configuration."""
    async with httpx.AsyncClient() as client:
        page = await client.get(f"{world.edge.admin_url}/stats?filter=update_success|lds.*added")
    return dict(line.split(": ") for line in page.text.splitlines())


async def test_an_edge_whose_port_was_taken_serves_once_it_is_free(world, tmp_path, until):
    folder = tmp_path / "second"
    folder.mkdir()
    bootstrap = edge_bootstrap(
        "edge-2", "127.0.0.1", world.edges.port, world.free_port(), world.port
    )
    async with running_edge(folder, bootstrap):
        await until(lambda: refused(world))
        words = {status.edge: status.refused for status in await world.edges.status()}
        assert "in use" in words["edge-2"]
        os.kill(world.edge.pid, signal.SIGTERM)
        await until(lambda: only(world, "edge-2"))
        assert (await world.get("/")).status_code == 200


async def only(world, edge: str) -> bool:
    return await world.edges.status() == (EdgeStatus(edge, world.number, ""),)
