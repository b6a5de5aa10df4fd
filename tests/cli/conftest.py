"""What tests of commands need."""

import asyncio
import contextlib
import io
import json
import random
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crossfade.base.secrets import Secret
from crossfade.cli.main import main
from crossfade.sandbox import ports, state
from crossfade.settings import load

PASSWORD = Secret("correct horse battery")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed with `--output json`."""
        return json.loads(self.out)


@pytest.fixture
def crossfade(capsys, tmp_path, monkeypatch):
    """Run `crossfade ARGUMENTS...` in this process, with a state folder of its own."""
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CROSSFADE_DATABASE_URL", raising=False)
    monkeypatch.delenv("CROSSFADE_PORT_BASE", raising=False)
    monkeypatch.setenv("CROSSFADE_IMAGE_BUILDER", "built-in")  # the same on every machine

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(list(arguments))
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@pytest.fixture
def left():
    """Find the processes that carry the mark of a run of this test."""

    def find(folder: Path) -> list[str]:
        found = []
        for each in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if str(folder / "state/pipelines").encode() in each.read_bytes():
                    found.append((each.parent / "cmdline").read_text())
        return [each for each in found if each]

    return find


@pytest.fixture
def free_port_base():
    """Find the first port of a sandbox of so many clouds on ports that are free now."""

    def find(clouds: int) -> int:
        names = [f"c{number}" for number in range(clouds)]
        for _ in range(200):
            base = random.randrange(5000, 16000, 200)  # noqa: S311 - spreads tests, no secret
            layout = state.new_layout(Path("/nowhere"), names, base)
            if all(ports.is_free(port) for port in layout.own_ports()):
                return base
        raise AssertionError("no free ports")

    return find


class WorldOnDisk:
    """An engine over clusters in memory, on the store that `crossfade` uses in the same test."""

    def __init__(self, folder: Path) -> None:
        from crossfade.base.clock import SteadyClock
        from crossfade.testing.clock import FakeClock
        from crossfade.testing.engine_world import EngineWorld

        self.url = f"sqlite:///{folder}/crossfade.db"
        self.world = EngineWorld(clock=FakeClock(SteadyClock().now()))

    def run(self, work):
        """Return what `work(world)` returns."""
        return asyncio.run(self._run(work))

    async def _run(self, work):
        from crossfade.adapters.store.sql import SqlStore

        store = await SqlStore.open(self.url)
        try:
            store.values = None  # who reads it shares nothing with others
            self.world.store = store
            self.world.start_hub()
            return await work(self.world)
        finally:
            await store.close()

    def deploy(self, **values):
        """Deploy to its end, and return the rollout."""
        return self.run(lambda world: world.deploy(values))

    def begin(self, **values):
        """Begin a rollout, and return it."""
        from crossfade.testing.builders import APP

        return self.run(lambda world: world.deployments.deploy(APP, values))

    def turn_until(self, condition):
        """Let the hub work until a condition on the newest rollout holds, and return it."""

        async def work(world):
            for _ in range(200):
                rollout = await world.rollout()
                if condition(rollout):
                    return rollout
                await world.turn()
            raise AssertionError(f"it did not come true: {rollout.state}")

        return self.run(work)


@pytest.fixture
def world(crossfade, tmp_path, monkeypatch):
    """The application `colors` on three clusters; charts are made in memory."""
    from crossfade.testing.fake_charts import FakeCharts

    monkeypatch.setattr("crossfade.wiring.HelmCharts", lambda _: FakeCharts("/charts/colors"))
    made = WorldOnDisk(tmp_path / "state")
    made.run(lambda world: world.prepare())
    return made


_APPS = []


def _app(services):
    """Return the one application of all hubs here: its schemas take half a second."""
    from crossfade.api.app import create_app

    if not _APPS:
        _APPS.append(create_app(services))
    _APPS[0].state.services = services
    return _APPS[0]


class Hub:
    """The API of a store, and its loops if they are wanted, in a thread of their own."""

    password = PASSWORD

    def __init__(self, settings, *, loops=False):
        from crossfade.api.server import listening
        from crossfade.testing.free_ports import free_port

        self.settings, port = settings, free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._socket = listening(port)
        self._ready, self._loops = threading.Event(), loops
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        assert self._ready.wait(30)

    async def _run(self):
        from crossfade.wiring_api import run_api

        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            with self._socket:
                async with asyncio.TaskGroup() as group:
                    if self._loops:
                        await self._lead(group)
                    await run_api(self.settings, self._socket, lambda _: self._ready.set())
        except asyncio.CancelledError:
            return

    async def _lead(self, group):
        from crossfade.wiring import run_hub

        leads = asyncio.Event()
        group.create_task(run_hub(self.settings, leads))
        await leads.wait()

    def end(self):
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(20)


@pytest.fixture
def in_memory(monkeypatch):
    """Charts and passwords of hubs are made in memory."""
    from crossfade.testing.fake_charts import FakeCharts
    from crossfade.testing.fake_passwords import FakePasswords

    monkeypatch.setattr("crossfade.wiring_api.ArgonPasswords", FakePasswords)
    monkeypatch.setattr("crossfade.adapters.passwords.ArgonPasswords", FakePasswords)
    monkeypatch.setattr("crossfade.wiring.HelmCharts", lambda _: FakeCharts("/charts/colors"))
    monkeypatch.setattr("crossfade.wiring_api.create_app", _app)
    monkeypatch.delenv("CROSSFADE_HUB", raising=False)


@pytest.fixture
def hub(world, in_memory, monkeypatch, crossfade):
    """A hub with the application `colors`, and an account `ann` that may do everything."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD.reveal()}\n"))
    crossfade("account", "add", "ann", "--role", "admin", "--password-stdin")
    started = Hub(load())
    yield started
    started.end()


@pytest.fixture
def signed_in(hub, crossfade, monkeypatch):
    """Who has signed in at the hub."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD.reveal()}\n"))
    ran = crossfade("login", hub.url, "--name", "ann", "--password-stdin")
    assert ran.code == 0, ran.err
    return hub


@pytest.fixture
def hubs():
    """What starts hubs."""
    return Hub


@pytest.fixture
def worlds_on_disk():
    """What makes worlds."""
    return WorldOnDisk
