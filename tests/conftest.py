"""A whole sandbox cloud inside the test's own process, for every suite that needs a cluster."""

import asyncio
import base64
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Conflict
from crossfade.base.ids import ClusterName
from crossfade.core.fleet.cluster import Cluster
from crossfade.testing.postgres_server import PostgresServer, postgres_server

if TYPE_CHECKING:
    from crossfade.adapters.kubernetes.client import KubeApi
    from crossfade.adapters.runners.pod import PodRunner
    from crossfade.adapters.runners.pods.options import PodOptions
    from crossfade.ports.runner import RunId
    from crossfade.sandbox.kube.direct_client import DirectClient
    from crossfade.sandbox.kube.kubelet.service import Kubelet
    from crossfade.sandbox.kube.server.gate import Gate
    from crossfade.sandbox.state import Layout
    from crossfade.testing.kube_api import KubeApi as PlainApi

TOKEN = "secret-of-the-test"

# How long an example takes says how busy the machine is; what must be fast has a test of its own.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that all tests of this process share; each makes its own database."""
    with ExitStack() as ended:
        try:
            server = ended.enter_context(postgres_server())
        except FileNotFoundError as error:
            pytest.skip(f"PostgreSQL is not installed: {error}")
        yield server


@dataclass
class SandboxCloud:
    """What a test does with the cloud."""

    folder: Path
    cluster: Cluster
    """As Crossfade's fleet knows it."""
    client: "DirectClient"
    """Past HTTP, for what a test arranges itself."""
    gate: "Gate"
    kubelet: "Kubelet"
    """Its one node."""
    gateway_port: int
    metrics_url: str
    loop: asyncio.AbstractEventLoop
    """Where it lives: that of the test, unless tests share the cloud."""
    _port: int
    _authority: str

    def write_kubeconfig(self, token: str = TOKEN, port: int | None = None) -> None:
        """Write the kubeconfig, with wrong credentials or a wrong port if asked to."""
        data = base64.b64encode(self._authority.encode()).decode()
        server = f"https://127.0.0.1:{port or self._port}"
        Path(self.cluster.kubeconfig).write_text(
            f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{server}", certificate-authority-data: {data}}}}}]
users: [{{name: u, user: {{token: {token}}}}}]
contexts: [{{name: test, context: {{cluster: c, user: u}}}}]
"""
        )


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until_true(
    condition: Callable[[], Awaitable[bool]], seconds: float = 20.0, step: float = 0.02
) -> None:
    """Wait for a condition, looked at every `step` seconds; fail when it is not true in time."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(step)


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Wait for an async condition with a deadline."""
    return until_true


@asynccontextmanager
async def _sandbox_cloud(folder: Path) -> AsyncIterator[SandboxCloud]:
    from crossfade.base.clock import SteadyClock
    from crossfade.sandbox import certificates
    from crossfade.sandbox.cloud import furnish
    from crossfade.sandbox.gateway.controller import Gateway
    from crossfade.sandbox.gateway.envoy import Place
    from crossfade.sandbox.kube.api import open_api
    from crossfade.sandbox.kube.controllers import run_controllers
    from crossfade.sandbox.kube.direct_client import DirectClient
    from crossfade.sandbox.kube.housekeeping import run_housekeeping
    from crossfade.sandbox.kube.kubelet.capacity import Capacity
    from crossfade.sandbox.kube.kubelet.service import Kubelet
    from crossfade.sandbox.kube.server.app import ApiServer
    from crossfade.sandbox.kube.server.run import Listen, Listening
    from crossfade.sandbox.state import CloudPorts

    clock = SteadyClock()
    authority = certificates.new_authority(clock.now())
    certificates.write_server(authority, "test", folder, clock.now())
    api = open_api(folder / "objects.journal", clock)
    client = DirectClient(api)
    kubelet = Kubelet(client, "test-node-0", Capacity(), folder / "kubelet")
    server = ApiServer(api, TOKEN, kubelet.log_reader)
    listening = Listening(server, Listen(0, folder / "server.crt", folder / "server.key"))
    ports = CloudPorts(0, free_port(), free_port())
    place = Place("test-gateway", folder / "gateway", ports.gateway, ports.gateway_admin)
    gateway = Gateway(client, place, clock, {})
    await furnish(client, ports)
    async with asyncio.TaskGroup() as group:
        serving = [
            group.create_task(work)
            for work in (
                listening.run(),
                run_controllers(client, clock),
                run_housekeeping(api, authority.pem),
                kubelet.run(),
                gateway.run(),
            )
        ]
        async with asyncio.timeout(20):
            for started in (listening.started, kubelet.ready, gateway.ready):
                await started.wait()
        cloud = SandboxCloud(
            folder=folder,
            cluster=Cluster("test", "test", str(folder / "kubeconfig")),
            client=client,
            gate=server.gate,
            kubelet=kubelet,
            gateway_port=ports.gateway,
            metrics_url=f"http://127.0.0.1:{ports.gateway_admin}/stats/prometheus",
            loop=asyncio.get_running_loop(),
            _port=listening.port,
            _authority=authority.pem,
        )
        cloud.write_kubeconfig()
        yield cloud
        server.gate.set(0, api_partition=False)
        for task in serving:
            task.cancel()


@pytest.fixture(scope="session")
def start_cloud() -> Callable[[Path], AbstractAsyncContextManager[SandboxCloud]]:
    """Start clouds, each in a folder of its own."""
    return _sandbox_cloud


@pytest.fixture
async def sandbox_cloud(tmp_path: Path) -> AsyncIterator[SandboxCloud]:
    """A cloud with API, controllers, kubelet and gateway."""
    async with _sandbox_cloud(tmp_path) as cloud:
        yield cloud


@pytest.fixture
async def api(sandbox_cloud: SandboxCloud) -> "AsyncIterator[KubeApi]":
    """The cloud's API, as the adapters ask it."""
    from crossfade.adapters.kubernetes.client import KubeApi

    opened = KubeApi(sandbox_cloud.cluster)
    yield opened
    await opened.close()


@dataclass
class StepCloud:
    """One or more clouds; runners of it know of each other's runs."""

    layout: "Layout"
    names: tuple[str, ...]
    runners: "list[PodRunner]" = field(default_factory=list)

    def clusters(self) -> tuple[Cluster, ...]:
        """Return the clouds as clusters of a fleet."""
        config = str(self.layout.kubeconfig)
        return tuple(Cluster(ClusterName(each), each, config) for each in self.names)

    def runner(self, folder: Path, options: "PodOptions | None" = None) -> "PodRunner":
        """Return one who runs steps of builds in a folder."""
        from crossfade.adapters.runners.pod import PodRunner
        from crossfade.adapters.runners.pods.homes import Homes
        from crossfade.adapters.runners.pods.options import PodOptions
        from crossfade.adapters.runners.pods.records import PodRecords
        from crossfade.adapters.runners.process import ProcessRunner

        async def clusters() -> Sequence[Cluster]:
            return self.clusters()

        here = ProcessRunner(folder)
        wanted = PodOptions(idle_seconds=600.0) if options is None else options
        homes = Homes(PodRecords(folder), wanted, clusters, here.volume)
        self.runners.append(PodRunner(homes, here, SteadyClock()))
        return self.runners[-1]

    async def close(self) -> None:
        """Close the connections of all runners."""
        while self.runners:
            await self.runners.pop().close()

    def api(self, cloud: str) -> "PlainApi":
        """Return a plain view of a cloud; close it."""
        from crossfade.testing.kube_api import KubeApi as PlainApi

        return PlainApi(self.layout.kubeconfig, cloud)

    def pod(self, folder: Path, run: "RunId") -> tuple[str, str]:
        """Return cloud and name of the pod of a run."""
        from crossfade.adapters.runners.pods.records import PodRecords

        known = PodRecords(folder).known(run)
        if known is None:
            raise AssertionError(f"{run} was never started")
        return known.cluster, known.pod

    def act(self, verb: str, cloud: str) -> None:
        """Harm a cloud, or undo it: `kill`, `restore`."""
        from crossfade.sandbox import control

        control.act(self.layout.directory, verb, cloud)

    def take_away(self, where: tuple[str, str]) -> None:
        """Have a pod go, as with its node."""
        api = self.api(where[0])
        path = f"/api/v1/namespaces/crossfade-pipelines/pods/{where[1]}"
        api.ok("DELETE", path, {"kind": "DeleteOptions", "gracePeriodSeconds": 0})
        api.close()

    def kill_step(self, where: tuple[str, str]) -> None:
        """Have the process of a step killed."""
        from crossfade.testing.kube_api import eventually

        api = self.api(where[0])
        path = f"/api/v1/namespaces/crossfade-pipelines/pods/{where[1]}"
        uid = api.get(path)["metadata"]["uid"]
        api.close()
        os.kill(eventually(lambda: _step(uid)), 9)


def _step(uid: str) -> int | None:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            mine = f"CROSSFADE_POD={uid}".encode() in (folder / "environ").read_bytes()
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if mine and words[1:2] == [b"/codefresh/bin/script"]:
                return int(folder.name)
    return None


@contextmanager
def _step_clouds(folder: Path, *names: str) -> Iterator[StepCloud]:
    from crossfade.sandbox import control
    from crossfade.sandbox.state import Layout

    while True:
        # Another suite may run at the same time, so the ports are any that are free.
        layout = Layout(folder / "sandbox", names, 20_000 + 200 * secrets.randbelow(200))
        with suppress(Conflict):
            control.up(layout, SteadyClock(), lambda _: None)
            break
    try:
        yield StepCloud(layout, names)
    finally:
        control.down(layout.directory)


@pytest.fixture(scope="session")
def step_cloud(tmp_path_factory) -> Iterator[StepCloud]:
    """A cloud whose pods are steps of pipelines."""
    with _step_clouds(tmp_path_factory.mktemp("steps"), "cloud") as cloud:
        yield cloud


@pytest.fixture
def step_clouds(tmp_path) -> Callable[..., AbstractContextManager[StepCloud]]:
    """Return what makes clouds that a test may break."""
    return lambda *names: _step_clouds(tmp_path, *names)
