"""A composition that is killed, as by a machine without memory, leaves nothing."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.leftovers import marked
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.state import Status
from crossfade.ports.runner import Order, RunId

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
SERVICES = {"a": {"image": "alpine", "command": "sleep 600"}}


@pytest.fixture
def runner(tmp_path):
    place = ImagePlace(*(str(tmp_path / name) for name in ("images", "known", "secrets")), "X_")
    return ProcessRunner(tmp_path / "runs", images=place)


async def until(condition):
    async with asyncio.timeout(20):
        while not (found := condition()):
            await asyncio.sleep(0.05)
    return found


def processes(tmp_path, name):
    """Return the processes of the run of this program."""
    (place,) = (tmp_path / "runs/7/runs").iterdir()
    found = marked(str(place))
    return [pid for pid in found if name in Path(f"/proc/{pid}/cmdline").read_text()]


async def started(runner, tmp_path, script="sleep 601\n"):
    run = RunId("7", 0, "step", 1)
    composition = Composition({"services": SERVICES})
    await runner.start(Order(run, script, image="alpine", composition=composition))
    await until(lambda: processes(tmp_path, "601") and processes(tmp_path, "600"))
    return run


async def test_services_go_when_what_keeps_them_is_killed(runner, tmp_path):
    run = await started(runner, tmp_path)
    (composer,) = processes(tmp_path, "composing import main")[-1:]

    os.kill(composer, signal.SIGKILL)

    async def ended():
        sight = await runner.look(run)
        return sight.status is not Status.RUNNING

    async with asyncio.timeout(20):
        while not await ended():
            await asyncio.sleep(0.05)
    await until(lambda: not processes(tmp_path, "sleep"))


async def test_a_run_that_is_stopped_ends_its_services(runner, tmp_path):
    run = await started(runner, tmp_path)

    await runner.stop(run, 5)

    assert processes(tmp_path, "sleep") == []


async def test_what_is_in_the_way_of_bubblewrap_is_said(tmp_path):
    runner = ProcessRunner(tmp_path / "runs", isolated=False)
    run = RunId("7", 0, "step", 1)

    await runner.start(Order(run, "true", image="alpine", composition=Composition({})))

    text = b"".join([each.data async for each in runner.output(run)]).decode()
    assert "a composition needs bubblewrap" in text
