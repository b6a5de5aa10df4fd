"""What is left of steps that run as processes, and what they cannot do to the machine."""

import asyncio
import os
from pathlib import Path

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.leftovers import marked
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.ports.runner import Order, RunId, Runner


@pytest.fixture(
    params=[
        False,
        pytest.param(
            True, marks=pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
        ),
    ],
    ids=["process", "boxed-process"],
)
def runner(request, tmp_path) -> ProcessRunner:
    return ProcessRunner(tmp_path / "runs", isolated=request.param)


def order(script: str, **more: object) -> Order:
    return Order(RunId("7", 0, "step", 1), script, **{"image": "alpine", **more})


async def ended(runner: Runner, wanted: Order) -> tuple[str, RunSight]:
    await runner.start(wanted)
    async with asyncio.timeout(20):
        text = b"".join([each.data async for each in runner.output(wanted.run)]).decode()
    sight = await runner.look(wanted.run)
    assert sight is not None
    return text, sight


def processes_below(folder: Path) -> list[str]:
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in environ.read_bytes():
                found.append(environ.parent.name)
        except OSError:
            continue
    return found


async def test_a_run_that_is_stopped_is_gone_with_everything_it_started(runner, tmp_path):
    wanted = order("sleep 300 &\nsetsid sleep 300 &\necho up\nsleep 300\n")
    await runner.start(wanted)
    async with asyncio.timeout(20):
        async for _ in runner.output(wanted.run):
            break

    async with asyncio.timeout(20):
        await runner.stop(wanted.run, 1.0)

    assert processes_below(tmp_path) == []
    assert (await runner.look(wanted.run)).status is not Status.RUNNING
    await runner.stop(wanted.run, 1.0)


async def test_what_a_run_leaves_behind_ends_when_it_is_forgotten(runner, tmp_path):
    wanted = order("setsid sleep 300 > /dev/null 2>&1 &\necho done\n")
    await ended(runner, wanted)
    await runner.forget(wanted.run)
    await runner.forget(wanted.run)

    place = next((tmp_path / "runs").glob("7/runs/*"))
    async with asyncio.timeout(10):
        while marked(str(place)):
            await asyncio.sleep(0.02)
    assert (await runner.look(wanted.run)).status is Status.SUCCEEDED


async def test_a_step_that_cannot_be_started_fails_with_the_reason_in_its_log(runner):
    text, sight = await ended(runner, order("true\n", environment={"BIG": "x" * 3_000_000}))

    assert "cannot be started" in text
    assert sight.status is Status.FAILED


async def test_a_flood_of_output_does_not_fill_the_disk(tmp_path):
    runner = ProcessRunner(tmp_path / "runs", most_bytes=100_000)
    wanted = order(
        "i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/zero; i=$((i+1)); sleep 0.02; done\n"
    )
    text, sight = await ended(runner, wanted)

    assert sight.status is Status.SUCCEEDED
    assert 100_000 <= len(text) < 2_000_000
    kept = next((tmp_path / "runs").glob("7/runs/*/output"))
    assert kept.stat().st_size < 3_000_000


async def test_a_run_whose_keeper_is_killed_is_gone_with_all_of_it_once_it_is_lost(
    runner, tmp_path
):
    wanted = order("setsid sleep 300 &\necho up\nsleep 300\n")
    await runner.start(wanted)
    async with asyncio.timeout(20):
        async for _ in runner.output(wanted.run):
            break
    os.kill(int(next((tmp_path / "runs").glob("7/runs/*/pid")).read_text()), 9)

    async with asyncio.timeout(20):
        while (sight := await runner.look(wanted.run)).status is Status.RUNNING:
            await asyncio.sleep(0.02)
    assert sight.status is Status.LOST
    assert processes_below(tmp_path) == []


async def test_what_steps_have_exported_makes_no_program_of_the_machine_run_another(
    runner, tmp_path
):
    planted = {
        "GIT_SSH_COMMAND": "touch owned",
        "LD_PRELOAD": "/nowhere.so",
        "BASH_ENV": "/nowhere",
        "PATH": "/nowhere",
        "GIT_TOKEN": "t0ken",
        "colour": "blue",
    }
    wanted = order(
        'git --version; echo "$GIT_SSH_COMMAND$LD_PRELOAD$BASH_ENV $GIT_TOKEN $colour"',
        image="",
        environment=planted,
    )

    text, sight = await ended(runner, wanted)

    assert sight.status is Status.SUCCEEDED
    assert text.startswith("git version")
    assert text.splitlines()[1:] == [" t0ken blue"]


@pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
async def test_what_a_step_installs_goes_into_its_home_and_is_found_there(tmp_path):
    runner = ProcessRunner(tmp_path / "runs", isolated=True)
    script = """set -e
mkdir -p "$NPM_CONFIG_PREFIX/bin"
printf '#!/bin/sh\\necho installed\\n' > "$NPM_CONFIG_PREFIX/bin/crossfade-tried"
chmod +x "$NPM_CONFIG_PREFIX/bin/crossfade-tried"
crossfade-tried
test -d "$HOME/.local/lib"
echo "pip may: $PIP_BREAK_SYSTEM_PACKAGES"
"""

    text, sight = await ended(runner, order(script))

    assert sight.status is Status.SUCCEEDED, text
    assert text.splitlines() == ["installed", "pip may: 1"]
