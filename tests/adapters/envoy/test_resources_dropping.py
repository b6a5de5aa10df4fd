"""Users while the network to a cloud drops everything: nothing is refused, nothing is answered."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.testing.edge_process import running_edge
from crossfade.testing.network import Network, NoNetwork, network


@pytest.fixture
async def cut_network(world) -> AsyncIterator[Network]:
    """The cloud gcp in a network of its own."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(network())
        except NoNetwork as error:
            pytest.skip(str(error))
        await move(world.clouds["gcp"], made)
        world.try_seconds = 0.5
        await world.send(aws=1, gcp=1, onprem=1)
        yield made
        await world.clouds["gcp"].kill()


async def test_no_user_notices_that_the_network_to_a_cloud_drops_everything(
    world, cut_network, until
):
    async with world.users().running() as users:
        await until(lambda: users.names()["gcp"] > 20)
        cut_network.drop()
        await until(lambda: lost(world, "gcp"))
        await asyncio.sleep(1)
        cut_network.mend()
        mended = time.monotonic()
        await until(lambda: users.names(since=mended)["gcp"] > 20)

    assert users.failed() == []


async def test_no_user_of_many_notices_that_two_of_three_clouds_are_dropped(
    world, cut_network, until
):
    """In one moment more of them find no connection than second tries are allowed in any case."""
    await move(world.clouds["aws"], cut_network)
    await world.send(aws=1, gcp=1, onprem=1)
    async with world.users(rate=1000).running() as users:
        await until(lambda: min(users.names()["aws"], users.names()["gcp"]) > 500)
        cut_network.drop()
        await until(lambda: lost(world, "aws"))
        await until(lambda: lost(world, "gcp"))

    assert users.failed() == []


async def test_posts_fail_for_three_seconds_at_most_when_a_network_drops_everything(
    world, cut_network, until
):
    async with world.users(rate=100, method="POST", patience_seconds=2).running() as users:
        await until(lambda: users.names()["gcp"] > 20)
        cut_network.drop()
        dropped = time.monotonic()
        await until(lambda: lost(world, "gcp"))
        await asyncio.sleep(3)

    assert users.failed(), "the network dropped nothing"
    assert max(each.due for each in users.failed()) - dropped < 3


async def test_two_edges_without_any_hub_carry_users_through_a_dropping_network(
    world, cut_network, tmp_path, until
):
    folder = tmp_path / "second"
    folder.mkdir()
    port = world.free_port()
    bootstrap = edge_bootstrap("edge-2", "127.0.0.1", world.edges.port, world.free_port(), port)
    async with running_edge(folder, bootstrap):
        await until(lambda: both_in_force(world))
        first, second = world.users(rate=100), world.users(rate=100)
        second.port = port
        await until(lambda: serves(second))
        second.answers.clear()
        await world.edges.stop()
        async with first.running(), second.running():
            await until(lambda: min(users.names()["gcp"] for users in (first, second)) > 10)
            cut_network.drop()
            await until(lambda: lost(world, "gcp"))
            await asyncio.sleep(1)
            cut_network.mend()
            mended = time.monotonic()
            await until(lambda: min(u.names(since=mended)["gcp"] for u in (first, second)) > 10)

    assert first.failed() == second.failed() == []


async def move(cloud, network: Network) -> None:
    """Have a cloud start anew in this network."""
    await cloud.kill()
    cloud.host, cloud.within = network.there, network.within
    await cloud.start()


async def lost(world, name: str) -> bool:
    return name not in await world.healthy()


async def both_in_force(world) -> bool:
    status = await world.edges.status()
    return [edge.acknowledged for edge in status] == [world.number] * 2


async def serves(users) -> bool:
    await users.run(0.02)
    return not users.answers[-1].failed
