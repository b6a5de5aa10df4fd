"""Users while the hub's process is killed or hangs in the middle of a failover."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.base.codec import to_json
from crossfade.testing.edge_page import EdgeStats
from crossfade.testing.edge_process import running_edge


class Hub:
    """A hub's process that publishes what `send` was given last."""

    def __init__(self, port: int, path: Path) -> None:
        self.port, self.path = port, path
        self.process: asyncio.subprocess.Process | None = None

    def send(self, world, **weights: int) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(to_json(world.plan(**weights))))
        draft.rename(self.path)

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(str(Path(__file__).with_name("hub.py")), str(self.port), str(self.path)),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@pytest.fixture
async def hub(world, tmp_path) -> AsyncIterator[Hub]:
    """A hub that takes over from the one in this process."""
    port = world.edges.port
    await world.edges.stop()
    made = Hub(port, tmp_path / "plan.json")
    made.send(world, aws=1, gcp=1, onprem=1)
    await made.start()
    yield made
    await made.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
async def test_no_user_notices_that_hub_and_cloud_are_lost_together(world, hub, until, how):
    hub.send(world, aws=1, gcp=1, onprem=2)
    async with world.users().running() as users:
        await until(lambda: shares(world, {"aws": 1, "gcp": 1, "onprem": 2}))
        hub.process.send_signal(how)
        await world.clouds["gcp"].kill()
        await until(lambda: lost(world, "gcp"))
        await hub.kill()
        hub.send(world, aws=3, gcp=0, onprem=1)
        await hub.start()
        await until(lambda: shares(world, {"aws": 3, "gcp": 0, "onprem": 1}))
        moved = time.monotonic()
        await asyncio.sleep(0.5)

    assert users.failed() == []
    assert users.names(since=moved)["aws"] > 2 * users.names(since=moved)["onprem"]


async def test_two_edges_need_no_hub_for_the_loss_of_a_cloud_and_its_return(
    world, hub, tmp_path, until
):
    """No hub process lives from before the cloud dies until long after it is back."""
    folder = tmp_path / "second"
    folder.mkdir()
    port = world.free_port()
    bootstrap = edge_bootstrap("edge-2", "127.0.0.1", hub.port, world.free_port(), port)
    async with running_edge(folder, bootstrap) as edge:
        stats = EdgeStats(edge.admin_url)
        await until(lambda: known(stats, {"aws", "gcp", "onprem"}))
        first, second = world.users(rate=100), world.users(rate=100)
        second.port = port
        await until(lambda: serves(second))
        second.answers.clear()
        await hub.kill()
        async with first.running(), second.running():
            await asyncio.sleep(0.5)
            await world.clouds["gcp"].kill()
            await until(lambda: lost(world, "gcp"))
            await until(lambda: known(stats, {"aws", "onprem"}))
            await asyncio.sleep(1)
            await world.clouds["gcp"].start()
            back = time.monotonic()
            await until(lambda: min(u.names(since=back)["gcp"] for u in (first, second)) > 20)
        await stats.close()

    assert first.failed() == second.failed() == []


async def known(stats, want: set[str]) -> bool:
    return {str(each.cluster) for each in await stats.read() if each.healthy} == want


async def serves(users) -> bool:
    await users.run(0.02)
    return not users.answers[-1].failed


async def shares(world, want: dict[str, int]) -> bool:
    return {str(each.cluster): each.weight for each in await world.figures()} == want


async def lost(world, name: str) -> bool:
    return name not in await world.healthy()
