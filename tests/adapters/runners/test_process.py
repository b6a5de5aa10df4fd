"""What is left of steps that run as processes, and what they cannot do to the machine."""

import asyncio
import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.leftovers import marked
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.base.errors import Unavailable
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


FLOOD = "echo begun; i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/zero; i=$((i+1)); done\n"


async def test_a_flood_of_output_does_not_fill_the_disk(tmp_path):
    runner = ProcessRunner(tmp_path / "runs", most_bytes=100_000)
    text, sight = await ended(runner, order(FLOOD))

    assert sight.status is Status.SUCCEEDED
    assert text.startswith("begun")
    assert 100_000 <= len(text) < 101_000


async def test_a_flood_that_nobody_watches_does_not_fill_the_disk_either(tmp_path):
    wanted = order(FLOOD)
    await ProcessRunner(tmp_path / "runs", most_bytes=100_000).start(wanted)
    kept = next((tmp_path / "runs").glob("7/runs/*/output"))
    async with asyncio.timeout(20):
        while not (kept.parent / "drained").exists():
            assert kept.stat().st_size < 101_000
            await asyncio.sleep(0.005)

    text, sight = await ended(ProcessRunner(tmp_path / "runs"), wanted)
    assert sight.status is Status.SUCCEEDED
    assert text.startswith("begun")
    assert 100_000 <= len(text) < 101_000


async def test_what_a_run_prints_at_last_is_not_lost(runner):
    lines = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; kill -9 $$\n"
    text, sight = await ended(runner, order(lines))
    assert sight.status is Status.KILLED
    assert "line 2998\nline 2999\n" in text


async def test_what_a_run_leaves_behind_does_not_keep_it_from_ending(runner, tmp_path):
    text, sight = await ended(runner, order("setsid sleep 300 &\necho done\n"))
    assert (text, sight.status) == ("done\n", Status.SUCCEEDED)
    assert processes_below(tmp_path) == []


async def test_a_run_whose_output_nobody_keeps_any_more_is_run_again(runner, tmp_path):
    wanted = order("echo up; sleep 0.1; while sleep 0.01; do echo on; done\n")
    await runner.start(wanted)
    async with asyncio.timeout(20):
        async for _ in runner.output(wanted.run):
            break
    (drain,) = runner._drains  # it carries no mark
    os.killpg(drain, 9)
    _, sight = await ended(runner, wanted)
    assert sight.status is Status.LOST


ON_A_FULL_DISK = """
import asyncio, sys
from pathlib import Path
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.ports.runner import Order, RunId

async def main():
    runner, run = ProcessRunner(Path(sys.argv[1]) / "runs", isolated=False), RunId("7", 0, "s", 1)
    await runner.start(Order(run, "head -c 3000000 /dev/zero; echo end >&2; exit 0", image="x"))
    async with asyncio.timeout(20):
        count = sum([len(each.data) async for each in runner.output(run)])
    sight = await runner.look(run)
    print(count > 100_000, sight.status, sight.why)

asyncio.run(main())
"""


async def test_a_run_on_a_full_disk_has_failed_with_the_reason(tmp_path):
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    script = 'mount -t tmpfs -o size=1m none "$1"; exec "$2" -c "$3" "$1"'
    try:
        subprocess.run([*command, "mount -t tmpfs none /mnt"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs `unshare` and mounts for users")
    done = subprocess.run(
        [*command, script, "sh", str(tmp_path), sys.executable, ON_A_FULL_DISK],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("True failed what it printed could not be kept"), done


@contextlib.contextmanager
def no_more_open_files():
    """Let this process open no file more than it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (os.open("/", os.O_RDONLY), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_step_that_needs_what_is_not_here_says_what_and_not_that_a_disk_is_full(tmp_path):
    runner = ProcessRunner(tmp_path / "runs", isolated=False)
    wanted = order("true\n", volumes=(("/codefresh/volume/a", "/b"),))
    text, sight = await ended(runner, wanted)
    assert "`volumes` needs bubblewrap" in text
    assert (sight.status, sight.why) == (
        Status.FAILED,
        "exit code 126: it cannot be executed",
    )


async def test_a_machine_that_can_open_no_file_just_now_is_asked_again(runner, tmp_path):
    wanted = order("echo up; sleep 0.3; exit 3\n")
    with no_more_open_files(), pytest.raises(Unavailable, match="Too many open files"):
        await runner.start(wanted)
    assert list((tmp_path / "runs/7/runs").iterdir()) == []
    await runner.start(wanted)
    with no_more_open_files():
        with pytest.raises(Unavailable, match="Too many open files"):
            await runner.look(wanted.run)
        with pytest.raises(Unavailable, match="Too many open files"):
            _ = [each async for each in runner.output(wanted.run)]
        with pytest.raises(Unavailable, match="Too many open files"):
            await runner.stop(wanted.run, 1.0)
    text, sight = await ended(runner, wanted)
    assert (text, sight.status, sight.why) == ("up\n", Status.FAILED, "exit code 3")


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
