"""Steps in containers, where an engine works: what is theirs alone."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from crossfade.adapters.images import engine as engines
from crossfade.adapters.images.engine import DOCKER, PODMAN, own_variables, why_not
from crossfade.adapters.runners.container import ContainerRunner
from crossfade.adapters.runners.containers import Containers, Network
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.lock import is_held
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.base.errors import Unavailable
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.state import Status
from crossfade.core.pipeline.work import Inside
from crossfade.ports.runner import Order, RunId
from crossfade.testing.tool_image import make_tool_image

SPIN = "echo up\nwhile :; do sleep 0.05; done\n"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools")
    make_tool_image(folder, "tools:root")
    make_tool_image(
        folder, "tools:user", more='USER 1000\nWORKDIR /etc\nCMD ["/bin/ls", "passwd"]\n'
    )
    make_tool_image(folder, "tools:bare", more="ENV PATH=/nowhere\n")
    return ImagePlace(*(str(folder / name) for name in ("images", "known", "secrets")), "X_")


class Place:
    """A folder of builds, its engine, and runners that come and go."""

    def __init__(self, folder, images, engine, network=Network.OWN):
        self.folder, self.images = folder.resolve(), images
        self.where = Containers(engine, own_variables(), str(self.folder), network)

    def open(self):
        processes = ProcessRunner(self.folder, images=self.images, containers=self.where)
        return ContainerRunner(processes, self.where)

    async def kill_keeper(self):
        (file,) = self.folder.glob("7/runs/*/pid")
        os.killpg(int(file.read_text()), 9)
        async with asyncio.timeout(10):
            while is_held(file.with_name("lock")):
                await asyncio.sleep(0.01)

    def containers(self):
        text = f"label=dev.crossfade.folder={self.folder}"
        return self.where.command.ask("ps", "-aq", "--filter", text).split()


@pytest.fixture(params=[PODMAN, DOCKER])
def place(request, tmp_path, images):
    if why := why_not(request.param):
        pytest.skip(f"{request.param} cannot run containers here: {why}")
    found = Place(tmp_path / "runs", images, request.param)
    yield found
    found.open().sweep()
    assert found.where.runs() == frozenset()


def order(script, image="tools:root", **more):
    values = {"inside": Inside(), "image": image, **more}
    return Order(RunId("7", 0, values.pop("key", "step"), 1), script, **values)


async def ended(runner, wanted):
    await runner.start(wanted)
    async with asyncio.timeout(30):
        text = b"".join([each.data async for each in runner.output(wanted.run)]).decode()
    return text, await runner.look(wanted.run)


async def begun(runner, wanted):
    await runner.start(wanted)
    async with asyncio.timeout(30):
        async for each in runner.output(wanted.run):
            if b"up\n" in each.data:
                return


async def test_a_step_sees_the_files_of_its_image_and_none_of_the_machine(place):
    script = 'echo "$FROM_IMAGE"\nls /\n[ ! -e /usr/share ] && echo alone\n'
    text, sight = await ended(place.open(), order(script))

    assert sight.status is Status.SUCCEEDED, text
    assert text.splitlines()[0] == "yes"
    assert text.endswith("alone\n")


async def test_a_user_of_the_image_who_is_not_root_works_in_the_workspace(place):
    runner = place.open()
    await ended(runner, order("mkdir -p cloned/in\ntouch cloned/in/file\n", "", key="clone"))
    script = "id -u\ncat sensitive/.kube/config\necho x > made\ncf_export A=1\ntouch $HOME/it\n"
    script += "touch cloned/in/more\necho more > cloned/in/file\n"
    wanted = order(script, "tools:user", kubeconfig="clusters\n")
    text, sight = await ended(runner, wanted)

    assert (text, sight.status) == ("1000\nclusters\n", Status.SUCCEEDED)
    assert [each.name for each in sight.exports] == ["A"]


async def test_without_commands_the_image_runs_as_it_says(place):
    inside = Inside(runs_script=False, own_directory=True)
    text, sight = await ended(place.open(), order("", "tools:user", inside=inside))

    assert (text, sight.status) == ("passwd\n", Status.SUCCEEDED)


async def test_an_image_that_is_nowhere_fails_the_step_with_ways_out(place):
    text, sight = await ended(place.open(), order("true\n", "127.0.0.1:1/none:1"))

    assert (sight.status, sight.why) == (Status.FAILED, "exit code 126: it cannot be executed")
    assert "the image 127.0.0.1:1/none:1 is neither here nor to be had" in text
    assert "hint: `crossfade image pull`" in text


async def test_a_shell_that_the_image_does_not_have_is_told(place):
    bash = {"shell": "bash"}
    text, sight = await ended(place.open(), order("true\n", **bash))

    assert sight.status is Status.FAILED
    assert "bash" in text


async def test_a_lost_run_leaves_no_container_beside_its_next_one(place):
    runner, wanted = place.open(), order(SPIN)
    await begun(runner, wanted)
    assert len(place.containers()) == 1
    await place.kill_keeper()

    assert (await runner.look(wanted.run)).status is Status.LOST
    assert place.containers() == []


async def test_whoever_comes_after_a_killed_hub_removes_what_nobody_keeps(place):
    await begun(place.open(), order(SPIN))
    await place.kill_keeper()
    heir, kept = place.open(), order("true\n", key="next")
    assert len(place.containers()) == 1

    await ended(heir, kept)

    await heir.forget(kept.run)
    assert place.containers() == []


async def test_containers_of_a_run_that_another_hub_keeps_are_left_alone(place):
    runner, wanted = place.open(), order(SPIN)
    await begun(runner, wanted)

    place.open().sweep()

    assert (await runner.look(wanted.run)).status is Status.RUNNING
    await runner.stop(wanted.run, 0.5)
    assert place.containers() == []


async def test_a_stopped_step_ends_at_once_when_it_has_nothing_to_clean_up(place):
    runner, wanted = place.open(), order(SPIN)
    await begun(runner, wanted)
    async with asyncio.timeout(15):
        await runner.stop(wanted.run, 60.0)

    assert not (await runner.look(wanted.run)).status.alive


@pytest.mark.parametrize("network", list(Network))
async def test_services_are_found_by_their_names_and_end_with_their_step(place, network):
    runner = Place(place.folder, place.images, place.where.engine, network).open()
    document = {"services": {"db": {"image": "tools:root", "command": "sleep 600"}}}
    wanted = order("getent hosts db >/dev/null\n", composition=Composition(document))

    text, sight = await ended(runner, wanted)

    assert sight.status is Status.SUCCEEDED, text
    await runner.forget(wanted.run)
    assert place.containers() == []


async def test_a_step_of_our_own_sees_the_machine(place):
    text, _ = await ended(place.open(), order("pwd\n", "", inside=None))

    assert text == f"{place.folder}/7/volume\n"


async def test_an_engine_that_does_not_answer_fails_no_step(tmp_path, images, monkeypatch):
    (tmp_path / "podman").write_text("#!/bin/sh\necho 'no daemon' >&2\nexit 125\n")
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    runner = Place(tmp_path / "runs", images, PODMAN).open()

    with pytest.raises(Unavailable, match="no engine works here: podman: no daemon"):
        await runner.start(order("true\n"))
    assert await runner.look(order("").run) is None
    assert engines.answer(PODMAN) == "no daemon"
    assert not Path(tmp_path / "runs").exists()


STUB = """#!/bin/sh
cd '{folder}'
echo "$@" >> told
case $1 in
  ps) [ -e gone ] || echo abc ;;
  rm) touch gone ;;
  image) echo '[{{"Id": "1", "Config": {{}}}}]' ;;
  run) while :; do sleep 0.05; done ;;
esac
"""


async def test_the_engine_is_told_to_remove_a_lost_run_before_the_next_one(
    tmp_path, images, monkeypatch
):
    (tmp_path / "podman").write_text(STUB.format(folder=tmp_path))
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    place = Place(tmp_path / "runs", images, PODMAN)
    runner, wanted, told = place.open(), order("true\n", "other:1"), tmp_path / "told"
    await runner.start(wanted)
    async with asyncio.timeout(30):
        while "\nrun " not in told.read_text():
            await asyncio.sleep(0.01)
    await place.kill_keeper()

    assert (await runner.look(wanted.run)).status is Status.LOST
    assert "rm --force --volumes --time=0 abc" in told.read_text().splitlines()


SECRET = "s3cret of 'it' $HOME"


async def test_a_secret_in_a_command_is_on_no_command_line_of_the_engine(place):
    service = {"image": "tools:root", "command": ["sh", "-c", "sleep 600", f"--key={SECRET}"]}
    script = 'echo "got $1"; while [ ! -e go ]; do sleep 0.1; done'
    inside = Inside(("/bin/sh", "-c", script, "x", f"--token={SECRET}"), (), False)
    composition = Composition({"services": {"db": service}})
    wanted = order("true\n", inside=inside, secrets=(SECRET,), composition=composition)
    runner = place.open()
    await runner.start(wanted)
    seen = set()
    async with asyncio.timeout(60):
        async for each in runner.output(wanted.run):
            if b"got" in each.data:
                assert f"got --token={SECRET}\n".encode() in each.data
                for file in Path("/proc").glob("[0-9]*/cmdline"):
                    with contextlib.suppress(OSError):
                        seen.add(file.read_bytes())
                (place.folder / "7/volume/go").touch()
    sight = await runner.look(wanted.run)

    assert sight.status is Status.SUCCEEDED
    engine = [each for each in seen if b"\0run\0" in each and b"--entrypoint=" in each]
    assert len(engine) >= 2
    assert not any(b"s3cret" in each for each in engine)


async def test_an_image_without_a_shell_runs_and_people_are_told_of_the_secret(place):
    arguments = ("s3cret-word",)
    inside = Inside(("/bin/ls",), arguments, False)
    wanted = order("", "tools:bare", inside=inside, secrets=("s3cret-word",))
    text, _ = await ended(place.open(), wanted)

    assert "warning: its command has a secret" in text
