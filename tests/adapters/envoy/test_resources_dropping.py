"""Users while the network to a cloud drops everything: nothing is refused, nothing is answered."""

import asyncio
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.adapters.envoy.process import running_edge


@dataclass
class Network:
    """A network namespace with a cable to this machine."""

    name: str
    here: str
    """Address of this machine on the cable."""
    there: str

    def ip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = shutil.which("ip") or "ip"
        return subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=20, check=False
        )

    def lay(self) -> str:
        """Make it; return why that cannot be done, or ""."""
        cable, end = f"{self.name}a", f"{self.name}b"
        for command in (
            f"netns add {self.name}",
            f"link add {cable} type veth peer name {end} netns {self.name}",
            f"addr add {self.here}/30 dev {cable}",
            f"link set {cable} up",
            f"-n {self.name} addr add {self.there}/30 dev {end}",
            f"-n {self.name} link set {end} up",
        ):
            done = self.ip(*command.split())
            if done.returncode != 0:
                return f"ip {command}: {done.stderr.strip()}"
        return ""

    def remove(self) -> None:
        self.ip("link", "del", f"{self.name}a")
        self.ip("netns", "del", self.name)

    def drop(self) -> None:
        """Let every answer of the cloud be lost, those that open connections too."""
        assert self.ip("-n", self.name, "route", "add", "blackhole", self.here).returncode == 0

    def mend(self) -> None:
        assert self.ip("-n", self.name, "route", "del", "blackhole", self.here).returncode == 0


@pytest.fixture
async def network(world) -> AsyncIterator[Network]:
    """The cloud gcp in a network of its own."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and `ip` (Debian package iproute2) to drop packets")
    part = f"10.213.{secrets.randbelow(256)}.{4 * secrets.randbelow(63)}"
    first, last = part.rsplit(".", 1)
    made = Network(
        f"cf{secrets.token_hex(3)}", f"{first}.{int(last) + 1}", f"{first}.{int(last) + 2}"
    )
    try:
        if why := made.lay():
            pytest.skip(f"network namespaces cannot be made here: {why}")
        cloud = world.clouds["gcp"]
        await cloud.kill()
        cloud.host, cloud.within = made.there, ("ip", "netns", "exec", made.name)
        await cloud.start()
        world.try_seconds = 0.5
        await world.send(aws=1, gcp=1, onprem=1)
        yield made
        await cloud.kill()
    finally:
        made.remove()


async def test_no_user_notices_that_the_network_to_a_cloud_drops_everything(world, network, until):
    async with world.users().running() as users:
        await until(lambda: users.names()["gcp"] > 20)
        network.drop()
        await until(lambda: lost(world, "gcp"))
        await asyncio.sleep(1)
        network.mend()
        mended = time.monotonic()
        await until(lambda: users.names(since=mended)["gcp"] > 20)

    assert users.failed() == []


async def test_posts_fail_for_three_seconds_at_most_when_a_network_drops_everything(
    world, network, until
):
    async with world.users(rate=100, method="POST", patience_seconds=2).running() as users:
        await until(lambda: users.names()["gcp"] > 20)
        network.drop()
        dropped = time.monotonic()
        await until(lambda: lost(world, "gcp"))
        await asyncio.sleep(3)

    assert users.failed(), "the network dropped nothing"
    assert max(each.due for each in users.failed()) - dropped < 3


async def test_two_edges_without_any_hub_carry_users_through_a_dropping_network(
    world, network, tmp_path, until
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
            network.drop()
            await until(lambda: lost(world, "gcp"))
            await asyncio.sleep(1)
            network.mend()
            mended = time.monotonic()
            await until(lambda: min(u.names(since=mended)["gcp"] for u in (first, second)) > 10)

    assert first.failed() == second.failed() == []


async def lost(world, name: str) -> bool:
    return name not in await world.healthy()


async def both_in_force(world) -> bool:
    status = await world.edges.status()
    return [edge.acknowledged for edge in status] == [world.number] * 2


async def serves(users) -> bool:
    await users.run(0.02)
    return not users.answers[-1].failed
