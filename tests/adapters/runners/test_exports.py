"""What a run exports is bounded, wherever it runs, and cannot hold up who reads it."""

import asyncio
import errno
import os
import subprocess

import pytest

from crossfade.adapters.runners.exports import EXPORTS, MASKED, TOO_MUCH, exports
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.adapters.runners.run_files import tail
from crossfade.base.errors import Unavailable
from crossfade.core.pipeline.state import Status
from crossfade.ports.runner import Order, RunId


@pytest.fixture
def place(tmp_path):
    for name in (EXPORTS, MASKED):
        (tmp_path / name).touch()
    return tmp_path


async def test_what_is_written_later_is_seen_at_once(place):
    assert (await exports(place)).variables == ()
    (place / EXPORTS).write_text("A=1\nT=tok\n")
    (place / MASKED).write_text("T\n")

    found = await exports(place)

    assert [(each.name, each.value) for each in found.variables] == [("A", "1"), ("T", "tok")]
    assert (found.secrets, found.whole) == (("tok",), True)


async def test_of_what_is_too_much_there_are_whole_lines_and_it_says_so(place):
    (place / EXPORTS).write_text("FIRST=1\n" + f"LARGE={'x' * 5_000_000}\n")

    found = await exports(place)

    assert ([each.name for each in found.variables], found.whole) == (["FIRST"], False)


@pytest.mark.parametrize("planted", ["mkfifo", "mkdir", "ln -s /etc/passwd"])
async def test_a_run_that_spoils_its_file_has_exported_nothing_and_nobody_waits(place, planted):
    (place / EXPORTS).unlink()
    subprocess.run([*planted.split(), str(place / EXPORTS)], check=True)

    async with asyncio.timeout(5):
        assert (await exports(place)).variables == ()


async def test_a_file_that_its_step_lets_nobody_read_stops_no_build(place, monkeypatch):
    def refused(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", path)  # root may read all

    monkeypatch.setattr(os, "open", refused)

    assert (await exports(place)).variables == ()


async def ended(runner, script):
    run = RunId("7", 0, "step", 1)
    await runner.start(Order(run, script, image="alpine"))
    async with asyncio.timeout(30):
        printed = b"".join([each.data async for each in runner.output(run)])
        return printed, await runner.look(run)


async def test_a_step_that_exports_without_end_fails_and_says_what_to_do(tmp_path):
    script = "head -c 6000000 /dev/zero | tr '\\0' x >> $CF_EXPORT_FILE\necho up\n"
    printed, sight = await ended(ProcessRunner(tmp_path / "runs"), script)

    assert printed == b"up\n"
    assert (sight.status, sight.why) == (Status.FAILED, TOO_MUCH)


@pytest.mark.parametrize("name", ["code", "pid", "output"])
@pytest.mark.parametrize("how", ["mkfifo", "echo no number >"])
async def test_a_step_that_spoils_the_files_of_its_run_holds_nobody_up(tmp_path, name, how):
    """Without a box it gets at them."""
    script = f"cd $(dirname $CF_EXPORT_FILE)\nrm -f {name}\n{how} {name}\n"
    runner = ProcessRunner(tmp_path / "runs", isolated=False)
    _, sight = await ended(runner, script)

    assert not sight.status.alive
    assert os.path.isdir(tmp_path / "runs/7/runs")


def test_what_a_step_printed_is_not_left_out_when_the_machine_has_no_more_files(place, monkeypatch):
    (place / "output").write_text("last words\n")

    def refused(path, *_):
        raise OSError(errno.EMFILE, "Too many open files", path)

    with monkeypatch.context() as busy:
        busy.setattr(os, "open", refused)
        with pytest.raises(Unavailable, match="Too many open files"):
            tail(place / "output", 0)
    assert tail(place / "output", 0) == b"last words\n"
