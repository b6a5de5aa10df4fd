"""Services of a build that nobody runs any more."""

import asyncio
from dataclasses import replace

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.claim import claimed
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.leftovers import marked
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.state import Status
from crossfade.ports.runner import Order, RunId, Serving

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
SERVICES = Composition({"services": {"db": {"image": "alpine", "command": "sleep 600"}}})
STAY_SECONDS = 0.2
SERVICES_RUN, STEP = RunId("7", 0, "services", 1), RunId("7", 0, "step", 1)


@pytest.fixture
def runner(tmp_path):
    place = ImagePlace(*(str(tmp_path / name) for name in ("images", "known", "secrets")), "X_")
    return ProcessRunner(tmp_path / "runs", images=place, abandoned_seconds=STAY_SECONDS)


async def stands(runner, status, run=SERVICES_RUN):
    async with asyncio.timeout(20):
        while (await runner.look(run)).status is not status:
            await asyncio.sleep(0.02)


async def test_services_of_a_build_end_soon_after_nobody_runs_it_and_no_step_is_left(
    runner, tmp_path
):
    with claimed(tmp_path / "runs", "7"):
        order = Order(
            SERVICES_RUN, "", image="alpine", composition=SERVICES, serving=Serving(600.0)
        )
        await runner.start(Order(STEP, "while [ ! -e go ]; do sleep 0.02; done\n", image="alpine"))
        await runner.start(order)
        await stands(runner, Status.SERVING)
    await asyncio.sleep(5 * STAY_SECONDS)
    assert (await runner.look(SERVICES_RUN)).status is Status.SERVING, "a step may need them"

    (runner.volume("7") / "go").touch()

    await stands(runner, Status.LOST)
    assert not [each for run in (tmp_path / "runs/7/runs").iterdir() for each in marked(str(run))]


async def test_services_that_start_anew_are_where_steps_have_found_them(runner):
    found = []
    for number in (1, 2):
        run = replace(SERVICES_RUN, number=number)
        serving = Serving(600.0, outlives=True)
        await runner.start(Order(run, "", image="alpine", composition=SERVICES, serving=serving))
        await stands(runner, Status.SERVING, run)
        asking = replace(STEP, number=number)
        await runner.start(Order(asking, "getent hosts db\n", image="alpine", beside=run))
        found.append([each.data async for each in runner.output(asking)])
        await runner.stop(run, 5.0)

    assert found[0] == found[1]
    assert b"db" in found[0][0]
