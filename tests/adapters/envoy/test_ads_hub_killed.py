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

from crossfade.base.codec import to_json


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


async def shares(world, want: dict[str, int]) -> bool:
    return {str(each.cluster): each.weight for each in await world.figures()} == want


async def lost(world, name: str) -> bool:
    return name not in await world.healthy()
