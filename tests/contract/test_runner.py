"""What every runner does, whatever it runs steps in."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from crossfade.adapters.images.engine import DOCKER, PODMAN, own_variables, why_not
from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.container import ContainerRunner
from crossfade.adapters.runners.containers import Containers
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.core.pipeline.composition import Composition, Probe
from crossfade.core.pipeline.orders import VOLUME
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.core.pipeline.work import Inside
from crossfade.ports.runner import Order, RunId, Runner, Serving
from crossfade.testing.fake_runner import FakeMachine, FakeRunner
from crossfade.testing.tool_image import make_tool_image

NEEDS_BUBBLEWRAP = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")


@dataclass
class Place:
    """A place where steps run, whoever watches."""

    open: Callable[[], Runner]
    """Returns one who watches; each knows of the runs of the others."""
    lose: Callable[[RunId], None]
    """Kills whoever keeps the run."""
    kill: Callable[[RunId], None]
    """Kills the step alone."""
    serves: bool = True
    """Whether it has services."""
    tidy: Callable[[], None] = lambda: None
    """Removes what nobody keeps, and sees that nothing else is left."""


def processes(tmp_path: Path, *, isolated: bool) -> Place:
    folder = tmp_path / "runs"

    def keeper(_: RunId) -> int:
        return int(next(folder.glob("7/runs/*/pid")).read_text())

    def kill_step(run: RunId) -> None:
        children = Path(f"/proc/{keeper(run)}/task/{keeper(run)}/children").read_text()
        os.kill(int(children.split()[0]), 9)

    images = ImagePlace(*(str(tmp_path / name) for name in ("images", "known", "secrets")), "X_")
    return Place(
        lambda: ProcessRunner(folder, isolated=isolated, images=images, abandoned_seconds=0.2),
        lambda run: os.kill(keeper(run), 9),
        kill_step,
        serves=isolated,
    )


class OnImages(ContainerRunner):
    """Steps of these tests do not say that they want the files of their images."""

    async def start(self, order: Order) -> None:
        await super().start(replace(order, inside=order.inside or Inside()))


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> ImagePlace:
    folder = tmp_path_factory.mktemp("tools")
    make_tool_image(folder, "alpine")
    return ImagePlace(*(str(folder / name) for name in ("images", "known", "secrets")), "X_")


def containers(tmp_path: Path, engine: str, images: ImagePlace) -> Place:
    folder = (tmp_path / "runs").resolve()
    where = Containers(engine, own_variables(), str(folder))

    def opened() -> OnImages:
        processes = ProcessRunner(folder, images=images, abandoned_seconds=0.2, containers=where)
        return OnImages(processes, where)

    def keeper() -> int:
        return int(next(folder.glob("7/runs/*/pid")).read_text())

    def kill(_: RunId) -> None:
        (place,) = folder.glob("7/runs/*")
        where.command.ask("kill", "--signal=KILL", *where.of(str(place)))

    def tidy() -> None:
        opened().sweep()
        assert where.runs() == frozenset()

    return Place(opened, lambda _: os.kill(keeper(), 9), kill, tidy=tidy)


def fake() -> Place:
    machine = FakeMachine()
    return Place(
        lambda: FakeRunner(machine),
        lambda run: machine.lose(machine.runs[run]),
        lambda run: machine.kill(machine.runs[run]),
    )


def pods(folder: Path, cloud) -> Place:
    harms = (cloud.take_away, cloud.kill_step)
    harm = (lambda run, act=act: act(cloud.pod(folder, run)) for act in harms)
    return Place(lambda: cloud.runner(folder), *harm)


@pytest.fixture(
    params=[
        "fake",
        "process",
        pytest.param("boxed-process", marks=NEEDS_BUBBLEWRAP),
        pytest.param("pod", marks=NEEDS_BUBBLEWRAP),
        "podman",
        "docker",
    ]
)
async def place(request, tmp_path) -> AsyncIterator[Place]:
    name = request.param
    if name == "pod":
        yield pods(tmp_path / "runs", cloud := request.getfixturevalue("step_cloud"))
        await cloud.close()
        return
    if name in (PODMAN, DOCKER):
        if why := why_not(name):
            pytest.skip(f"{name} cannot run containers here: {why}")
        found = containers(tmp_path, name, request.getfixturevalue("images"))
    else:
        isolated = name == "boxed-process"
        found = fake() if name == "fake" else processes(tmp_path, isolated=isolated)
    yield found
    found.tidy()
    # The kernel takes a moment over processes that have been killed.
    async with asyncio.timeout(10):
        while processes_of(tmp_path):
            await asyncio.sleep(0.01)


def processes_of(folder: Path) -> list[str]:
    found = []
    for environ in Path("/proc").glob("*/environ"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in environ.read_bytes():
                found.append(environ.parent.name)
    return found


@pytest.fixture
def runner(place) -> Runner:
    return place.open()


def order(script: str, key: str = "step", number: int = 1, **more: object) -> Order:
    values = {"image": "alpine", **more}
    return Order(RunId("7", 0, key, number), script, **values)


async def printed(runner: Runner, run: RunId) -> str:
    return b"".join([each.data async for each in runner.output(run)]).decode()


async def ended(runner: Runner, wanted: Order) -> tuple[str, RunSight]:
    await runner.start(wanted)
    async with asyncio.timeout(20):
        text = await printed(runner, wanted.run)
    sight = await runner.look(wanted.run)
    assert sight is not None
    return text, sight


async def test_a_run_that_was_never_started_is_not_there(runner):
    assert await runner.look(order("true").run) is None


async def test_a_run_prints_to_one_log_and_says_how_it_ended(runner):
    text, sight = await ended(runner, order("echo out\necho err >&2\nexit 3\n"))

    assert text == "out\nerr\n"
    assert (sight.status, sight.why) == (Status.FAILED, "exit code 3")


async def test_a_run_that_goes_well_has_succeeded(runner):
    assert (await ended(runner, order("true\n")))[1].status is Status.SUCCEEDED


async def test_output_comes_while_the_run_goes_on(runner):
    wanted = order("echo first\nwhile [ ! -e go ]; do sleep 0.02; done\n")
    await runner.start(wanted)
    async with asyncio.timeout(20):
        async for output in runner.output(wanted.run):
            assert output.data == b"first\n"
            break
    assert (await runner.look(wanted.run)).status is Status.RUNNING

    await ended(runner, order("touch go\n", key="other"))

    async with asyncio.timeout(20):
        await printed(runner, wanted.run)
    assert (await runner.look(wanted.run)).status is Status.SUCCEEDED


async def test_a_run_that_falls_silent_says_so_once(runner):
    wanted = order("echo first\nwhile [ ! -e go ]; do sleep 0.02; done\n")
    await runner.start(wanted)
    pieces = []
    async with asyncio.timeout(20):
        async for output in runner.output(wanted.run):
            pieces.append(output.data)
            if not output.data:
                await ended(runner, order("touch go\n", key="other"))

    assert pieces == [b"first\n", b""]


async def test_a_run_is_started_once_however_often_it_is_asked_for(runner):
    wanted = order("echo once >> count\n")
    await ended(runner, wanted)
    await ended(runner, wanted)

    assert (await ended(runner, order("cat count\n", number=2)))[0] == "once\n"


async def test_steps_of_a_build_share_the_workspace_and_others_do_not_see_it(runner):
    await ended(runner, order("echo mine > file\n"))

    assert (await ended(runner, order("cat file\n", key="next")))[0] == "mine\n"
    other = Order(RunId("8", 0, "step", 1), "ls file\n", image="alpine")
    assert (await ended(runner, other))[1].status is Status.FAILED


async def test_the_workspace_is_where_pipelines_expect_it(runner):
    await ended(runner, order(f"mkdir -p {VOLUME}/deep && echo x > {VOLUME}/deep/file\n"))

    assert (await ended(runner, order("cat file\n", number=2, directory=f"{VOLUME}/deep")))[
        0
    ] == "x\n"


async def test_a_run_has_its_variables_and_none_of_ours(runner, monkeypatch):
    monkeypatch.setenv("OURS", "private")
    wanted = order('echo "$GIVEN-$OURS-"\n', environment={"GIVEN": "a 'b' $c\nd"})

    assert (await ended(runner, wanted))[0] == "a 'b' $c\nd--\n"


async def test_exports_are_told_and_masked_ones_are_secret_from_their_line_on(runner):
    script = "cf_export A=1 B\ncf_export --mask T=tok-123\necho tok-123\n"
    wanted = order(script, environment={"B": "two words"})
    await runner.start(wanted)
    async with asyncio.timeout(20):
        outputs = [each async for each in runner.output(wanted.run)]
    sight = await runner.look(wanted.run)

    assert [(v.name, v.value, v.secret) for v in sight.exports] == [
        ("A", "1", False),
        ("B", "two words", False),
        ("T", "tok-123", True),
    ]
    assert all(each.secrets == ("tok-123",) for each in outputs if b"tok-123" in each.data)


async def test_a_word_that_is_no_variable_is_refused_by_cf_export(runner):
    text, sight = await ended(runner, order("set -e\ncf_export my-name=1\n"))

    assert "'my-name=1'" in text
    assert sight.status is Status.FAILED


async def test_a_run_may_clean_up_before_it_is_stopped(runner):
    script = "trap 'echo bye > last; exit 1' TERM\necho up\nwhile :; do sleep 0.05; done\n"
    wanted = order(script)
    await runner.start(wanted)
    async with asyncio.timeout(20):
        async for _ in runner.output(wanted.run):
            break
        await runner.stop(wanted.run, 10.0)

    assert (await ended(runner, order("cat last\n", number=2)))[0] == "bye\n"


async def test_a_run_that_does_not_listen_is_stopped_after_its_grace(runner):
    wanted = order("trap '' TERM\necho up\nwhile :; do sleep 0.05; done\n")
    await runner.start(wanted)
    async with asyncio.timeout(20):
        async for _ in runner.output(wanted.run):
            break
    began = time.monotonic()
    await runner.stop(wanted.run, 0.3)

    assert 0.2 < time.monotonic() - began < 10
    assert (await runner.look(wanted.run)).status is not Status.RUNNING


@pytest.mark.parametrize(("how", "status"), [("lose", Status.LOST), ("kill", Status.KILLED)])
async def test_a_run_that_is_killed_has_not_failed_by_itself(place, runner, how, status):
    wanted = order("echo up\nwhile [ ! -e go ]; do sleep 0.02; done\n")
    await runner.start(wanted)
    async with asyncio.timeout(20):
        async for _ in runner.output(wanted.run):
            break
        getattr(place, how)(wanted.run)
        await printed(runner, wanted.run)

    assert (await runner.look(wanted.run)).status is status


async def test_another_one_who_comes_later_sees_the_same_run(place, runner):
    script = "echo up\nwhile [ ! -e go ]; do sleep 0.02; done\ncf_export A=1\nexit 4\n"
    wanted = order(script, secrets=("hunter2",))
    await runner.start(wanted)
    heir = place.open()
    assert (await heir.look(wanted.run)).status is Status.RUNNING
    await ended(heir, order("touch go\n", key="other"))
    async with asyncio.timeout(20):
        told = [each async for each in heir.output(wanted.run) if each.data]
    sight = await heir.look(wanted.run)
    assert [each.data for each in told] == [b"up\n"]
    assert "hunter2" in told[0].secrets
    assert (sight.status, sight.why, len(sight.exports)) == (Status.FAILED, "exit code 4", 1)


DATABASE = {"services": {"db": {"image": "alpine", "command": "sleep 600"}}}


@pytest.fixture
def serving(place) -> Runner:
    if not place.serves:
        pytest.skip("has no services")
    return place.open()


def services(**more: object) -> Order:
    serving = Serving(600.0, outlives=True)
    values = {"composition": Composition(DATABASE), "serving": serving, **more}
    return order("", "services", **values)


async def stands(runner: Runner, run: RunId, *wanted: Status) -> Status:
    async with asyncio.timeout(20):
        while (sight := await runner.look(run)) is None or sight.status not in wanted:
            await asyncio.sleep(0.01)
    return sight.status


async def test_services_are_ready_and_go_on_until_they_are_stopped(place, serving):
    wanted = services()
    await serving.start(wanted)
    await stands(serving, wanted.run, Status.SERVING)

    heir = place.open()
    assert (await heir.look(wanted.run)).status is Status.SERVING
    async with asyncio.timeout(20):
        await heir.stop(wanted.run, 5.0)

    assert not (await serving.look(wanted.run)).status.alive


async def test_a_run_beside_services_finds_them_by_their_names(serving):
    wanted = services()
    await serving.start(wanted)
    await stands(serving, wanted.run, Status.SERVING)

    beside = order("getent hosts db\n", beside=wanted.run)
    alone = order("getent hosts db\n", key="alone")
    found = (await ended(serving, beside))[1], (await ended(serving, alone))[1]
    await serving.stop(wanted.run, 5.0)

    assert [each.status for each in found] == [Status.SUCCEEDED, Status.FAILED]


async def test_services_that_cannot_be_had_have_failed(serving):
    never = Probe(("false",), "alpine", period_seconds=0.01, failures=2)
    _, sight = await ended(serving, services(composition=Composition(DATABASE, ready=never)))

    assert (sight.status, sight.why) == (Status.FAILED, "exit code 1")


async def test_services_whose_keeper_is_killed_are_lost(place, serving):
    wanted = services()
    await serving.start(wanted)
    await stands(serving, wanted.run, Status.SERVING)

    place.lose(wanted.run)

    assert await stands(serving, wanted.run, Status.LOST, Status.FAILED) is Status.LOST


async def test_services_end_by_themselves_when_their_time_is_over(serving):
    wanted = services(serving=Serving(0.3, outlives=True))
    await serving.start(wanted)

    assert await stands(serving, wanted.run, Status.LOST, Status.FAILED) is Status.LOST
