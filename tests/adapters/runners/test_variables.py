"""Variables of a step are the step's: nothing that keeps it, on the machine itself, is steered."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.leftovers import marked
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.adapters.runners.variables import MOST, read_variables, write_variables
from crossfade.base.json_value import Json
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.core.pipeline.work import Inside
from crossfade.ports.runner import Order, RunId
from crossfade.testing.tool_image import make_tool_image

NEEDS_BUBBLEWRAP = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
STEERING = {
    "LD_LIBRARY_PATH": "/nowhere",
    "LD_BIND_NOW": "1",
    "BASH_ENV": "/nowhere",
    "ENV": "/nowhere",
    "PYTHONPATH": "/nowhere",
    "GIT_EXEC_PATH": "/nowhere",
    "PATH": "/nowhere",
    "IFS": "/",
}
OTHERS = {"my-name": "kept", "a.b": "c", "LINES": "one\ntwo\n", "EMPTY": "", "UMLAUT": "ü \udcff"}
GIVEN = {**STEERING, **OTHERS}
SERVICES: Json = {"services": {"db": {"image": "alpine", "command": "/bin/sleep 602"}}}


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> ImagePlace:
    folder = tmp_path_factory.mktemp("tools")
    make_tool_image(folder, "alpine")
    images, known, secrets = (str(folder / name) for name in ("images", "known", "secrets"))
    return ImagePlace(images, known, secrets, "X_")


@pytest.fixture(
    params=[
        "process",
        *(pytest.param(each, marks=NEEDS_BUBBLEWRAP) for each in ("boxed", "image", "services")),
    ]
)
def started(request, tmp_path, images):
    """Return how a runner is started with an order, and the two."""
    runner = ProcessRunner(tmp_path / "runs", isolated=request.param != "process", images=images)
    more = {
        "image": {"inside": Inside()},
        "services": {"composition": Composition(SERVICES, host_images=("alpine",))},
    }.get(request.param, {})
    return runner, replace(order("true\n"), **more)


def order(script: str, **more: object) -> Order:
    return Order(RunId("7", 0, "step", 1), script, **{"image": "alpine", **more})


async def ended(runner: ProcessRunner, wanted: Order) -> tuple[bytes, RunSight]:
    await runner.start(wanted)
    async with asyncio.timeout(30):
        text = b"".join([each.data async for each in runner.output(wanted.run)])
    sight = await runner.look(wanted.run)
    assert sight is not None
    return text, sight


async def said(runner: ProcessRunner, wanted: Order) -> str:
    return (await ended(runner, wanted))[0].decode()


def variables(environ: bytes) -> dict[str, str]:
    words = environ.decode(errors="surrogateescape").split("\0")
    return dict(each.split("=", 1) for each in words if each)


def of(pid: int) -> dict[str, str]:
    return variables(Path(f"/proc/{pid}/environ").read_bytes())


def keeps(pid: int) -> bool:
    """Return whether a process is outside of the box, and not the step itself."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    numbers = next(line for line in status if line.startswith("NSpid:")).split()[1:]
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return len(numbers) == 1 and not words[1].endswith(b"tools/.script")


async def test_nothing_that_keeps_a_step_has_the_variables_of_the_step(started, tmp_path):
    runner, wanted = started
    given = {**GIVEN, "PATH": "/bin:/nowhere"} if wanted.inside else GIVEN
    wanted = replace(wanted, script="echo up\nwhile [ ! -e go ]; do :; done\n", environment=given)
    await runner.start(wanted)
    async with asyncio.timeout(30):
        async for each in runner.output(wanted.run):
            if b"up" in each.data:
                break
    (place,) = (tmp_path / "runs/7/runs").iterdir()
    keepers = [pid for pid in marked(str(place)) if keeps(pid)]
    seen = {name for pid in keepers for name, value in of(pid).items() if GIVEN.get(name) == value}
    told = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in keepers)
    (runner.volume("7") / "go").touch()
    _, sight = await ended(runner, wanted)

    assert int((place / "pid").read_text()) in keepers
    assert sight.status is Status.SUCCEEDED
    assert seen == set()
    assert b"one\ntwo" not in told


async def test_a_step_sees_each_of_its_variables_as_it_was_given(started):
    runner, wanted = started
    script = "PATH=/usr/bin:/bin\ncat /proc/$$/environ\n"
    given = {**GIVEN, "PATH": "/bin:/nowhere"} if wanted.inside else GIVEN
    text, sight = await ended(runner, replace(wanted, script=script, environment=given))

    seen = variables(text)
    path = seen.pop("PATH")
    assert sight.status is Status.SUCCEEDED
    assert {name: value for name, value in GIVEN.items() if name != "PATH"}.items() <= seen.items()
    assert "/nowhere" in path.split(":")


async def test_a_step_is_told_when_nobody_reads_what_it_writes_or_a_file_is_too_large(started):
    runner, wanted = started
    script = "while read -r name value; do [ $name != SigIgn: ] || echo $value; done"
    text, _ = await ended(runner, replace(wanted, script=f"{script} < /proc/$$/status\n"))

    ignored = [each for each in signal.Signals if int(text, 16) & 1 << (each - 1)]
    assert ignored == []


async def test_a_step_sees_no_password_of_those_who_fetch_its_image(started, monkeypatch):
    monkeypatch.setenv("X_REGISTRY_PROD", "pa55")
    runner, wanted = started
    script = "cat /proc/1/environ /proc/$$/environ\n"
    wanted = replace(wanted, script=script, passwords={"X_REGISTRY_OTHER": "w0rd"})
    text, _ = await ended(runner, wanted)

    if not runner.isolated:
        pytest.skip("without a box it sees every process of its user")
    assert b"pa55" not in text
    assert b"w0rd" not in text


async def test_files_with_variables_go_with_their_run(started, tmp_path):
    runner, wanted = started
    wanted = replace(wanted, environment={"TOKEN": "t0ken-of-the-step"})
    await ended(runner, wanted)
    await runner.forget(wanted.run)

    left = (each for each in (tmp_path / "runs").rglob("*") if each.is_file())
    assert [each for each in left if b"t0ken-of-the-step" in each.read_bytes()] == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"A": "x" * 200_000}, "'A' is too long"),
        ({"A": "x\0y"}, "NUL"),
        ({f"N{i}": "x" * 100_000 for i in range(60)}, "together"),
        ({f"N{i}": "" for i in range(MOST + 1)}, f"at most {MOST}"),
    ],
    ids=["long", "nul", "all", "many"],
)
async def test_a_step_whose_variables_no_program_takes_fails_with_the_reason(started, given, why):
    runner, wanted = started
    text, sight = await ended(runner, replace(wanted, environment=given))

    assert sight.status is Status.FAILED
    assert why in text.decode()


async def test_as_many_variables_as_are_allowed_can_be_given(started):
    runner, wanted = started
    given = {f"N{i}": str(i) for i in range(MOST - 20)}
    script = "echo $N0 $N1 $N2000\n"

    assert await said(runner, replace(wanted, script=script, environment=given)) == "0 1 2000\n"


def test_what_was_written_is_read_as_it_was_and_by_nobody_else(tmp_path):
    write_variables(tmp_path / "file", GIVEN)

    assert read_variables(tmp_path / "file") == GIVEN
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
