"""Implementations that the contract suites run on."""

import asyncio
import gzip
import http.client
import json
import os
import re
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from crossfade.adapters.helm.charts import HelmCharts, pack_folder
from crossfade.adapters.helm.command import HelmCommand
from crossfade.adapters.helm.releases import HelmReleases
from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.kubernetes.probe import LightkubeProbe
from crossfade.adapters.metrics.envoy import EnvoyCounts, EnvoyPages, cluster_name
from crossfade.adapters.routers.choice import router_for
from crossfade.adapters.routers.gateway_api import GatewayApiRouter
from crossfade.adapters.store.sql import SqlStore
from crossfade.core.application import Router
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.revision import Revision
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.ports.cluster_access import ClusterAccess
from crossfade.ports.router import RouteBackend, WantedRoute
from crossfade.ports.traffic_counts import SLOWER_EDGES, TrafficCounts
from crossfade.testing.fake_charts import FakeCharts
from crossfade.testing.fake_cluster import FakeCluster
from crossfade.testing.fake_store import FakeStore

_ONE_CLOUD = "test_traffic_router"
"""The suite that is about routes alone: most of its time would be to install what they lead to."""
COLORS = Path(__file__).parents[2] / "examples/colors/deploy/helm/colors"


class KeptStore(CachedDocuments):
    """A store of which the hub keeps copies; bytes and leases it takes from the store itself."""

    def __init__(self, store: FakeStore) -> None:
        super().__init__(store)
        self.put, self.fetch = store.put, store.fetch
        self.acquire, self.release, self.current = store.acquire, store.release, store.current


@pytest.fixture(params=["sqlite", "postgres", "memory", "cached"])
async def store(request, tmp_path) -> AsyncIterator[SqlStore | FakeStore | KeptStore]:
    """Every store that implements HubStore, Blobs and Leases, empty."""
    match request.param:
        case "memory":
            yield FakeStore()
            return
        case "cached":
            yield KeptStore(FakeStore())
            return
        case "postgres":
            server = request.getfixturevalue("postgres")
            url = server.database(f"contract-{secrets.token_hex(4)}")
        case _:
            url = f"sqlite:///{tmp_path}/store/crossfade.db"
    opened = await SqlStore.open(url)
    yield opened
    await opened.close()


@dataclass(frozen=True)
class Visit:
    """What a user's request met."""

    revision: str
    cookie: str
    """`name=value` that the user is to keep, "" for none."""


@dataclass
class FakeWorld:
    """A cluster in memory."""

    cluster: FakeCluster
    chart: bytes = gzip.compress(b"")
    namespace: str = "default"

    def revision(self, name: str, **values: object) -> Revision:
        """Return a revision of `colors` with these values."""
        return Revision(name, "colors", self.namespace, "", "", values)

    @property
    def access(self) -> ClusterAccess:
        return ClusterAccess(self.cluster.probe, self.cluster.releases, self.cluster.router)

    async def partition(self) -> None:
        """From now on the API answers nobody."""
        self.cluster.faults.unreachable = True

    async def refuse_credentials(self) -> None:
        """From now on the credentials are no longer good."""
        self.cluster.faults.denied = True

    async def leave_half_done(self, revision: Revision) -> None:
        """Leave the release as it is after a crash in the middle of its installation."""
        self.cluster.leave_half_done(revision.id)

    def counts(self, *_revisions: Revision) -> TrafficCounts:
        """Return what reads the gateway's counters of these revisions."""
        return self.cluster.counts

    async def ask(self, revision: Revision, requests: int) -> None:
        """Send requests that lead to the revision; it fails those that its values say."""
        failed = requests if revision.values.get("errorRate") else 0
        late = {
            edge: requests for edge in SLOWER_EDGES if edge < revision.values.get("latencyMs", 0)
        }
        self.cluster.serve(revision.application, revision.id, requests, failed, late)

    async def serving(self) -> None:
        """Return once the route is in force and all that is installed is ready."""

    async def visit(self, cookie: str = "", **headers: str) -> Visit:
        """Send one request of a user and return what came of it."""
        answered = self.cluster.visit("colors", {"cookie": cookie, **headers})
        return Visit(answered.revision, answered.cookie)

    async def lose_counters(self) -> None:
        """From now on the gateway's counters cannot be read."""
        self.cluster.faults.gateway_down = True


class RealWorld:
    """A cluster behind a kubeconfig of the test's own, over HTTPS and through helm."""

    image: ClassVar[dict[str, str]] = {"repository": "host"}

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.namespace = namespace
        self.chart = pack_folder(COLORS).data
        self.api = KubeApi(cluster, seconds=2.0)
        releases = HelmReleases(self.api, HelmCommand(), seconds=20)
        self.access = ClusterAccess(LightkubeProbe(self.api), releases, GatewayApiRouter(self.api))

    def revision(self, name: str, **values: object) -> Revision:
        values = {"replicaCount": 1, "image": self.image, **values}
        return Revision(name, "colors", self.namespace, "", "", values)

    async def partition(self) -> None:
        self._change("server", f"https://127.0.0.1:{free_port()}")

    async def refuse_credentials(self) -> None:
        self._change("token", "another")

    def _change(self, key: str, value: str) -> None:
        """Change a key of the kubeconfig, which may be written as YAML or as JSON."""
        file = Path(self.api.cluster.kubeconfig)
        pattern = rf'"?\b{key}"?: "?[^",}}\s]+"?'
        file.write_text(re.sub(pattern, f'"{key}": "{value}"', file.read_text()))

    async def leave_half_done(self, revision: Revision) -> None:
        path = f"/api/v1/namespaces/{revision.namespace}/secrets"
        name = f"sh.helm.release.v1.{revision.release}.v1"
        secret = await self.api.get(f"{path}/{name}")
        secret["metadata"]["labels"]["status"] = "pending-install"
        secret["metadata"].pop("managedFields", None)
        await self.api.apply(f"{path}/{name}", secret)


class SandboxWorld(RealWorld):
    """A sandbox cloud, with its gateway."""

    def __init__(self, cloud, router: str) -> None:
        super().__init__(cloud.cluster, "default")
        self.access = replace(self.access, router=router_for(Router(router), self.api))
        self.cloud = cloud
        self.pages = EnvoyPages()
        self.metrics_url = cloud.metrics_url
        self.epoch = 0

    async def partition(self) -> None:
        await self._set_partition(True)

    async def _set_partition(self, wanted: bool) -> None:
        async def change() -> None:
            self.cloud.gate.set(0, api_partition=wanted)

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(change(), self.cloud.loop))

    async def leave(self) -> None:
        """Leave the cloud as it was but for what is installed."""
        await self._set_partition(False)
        self.cloud.write_kubeconfig()
        await self.access.router.remove("colors", "default")
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self.api.close()
        await self.pages.close()

    def counts(self, *revisions: Revision) -> TrafficCounts:
        names = {cluster_name("default", each.release, 80): each.id for each in revisions}
        return EnvoyCounts(self.pages, self.metrics_url, names)

    async def ask(self, revision: Revision, requests: int) -> None:
        backend = RouteBackend(revision.id, revision.release, 100)
        epoch = self.epoch = self.epoch + 1
        host, gateway = "colors.test", "infra/public"
        route = WantedRoute("colors", "default", host, gateway, 80, epoch, (backend,))
        await self.access.router.write(route)
        await self.serving()
        await asyncio.to_thread(_ask, self.cloud.gateway_port, host, requests)

    async def visit(self, cookie: str = "", **headers: str) -> Visit:
        more = {"cookie": cookie} if cookie else {}
        return await asyncio.to_thread(_visit, self.cloud.gateway_port, {**headers, **more})

    async def serving(self) -> None:
        async with asyncio.timeout(20):
            while True:
                route = await self.access.router.read("colors", "default")
                statuses = await self.access.releases.status("colors", "default")
                if route.in_force and all(each.ready for each in statuses):
                    return
                await asyncio.sleep(0.02)

    async def lose_counters(self) -> None:
        self.metrics_url = f"http://127.0.0.1:{free_port()}/stats/prometheus"


def _visit(port: int, headers: dict[str, str]) -> Visit:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/callme", headers={"host": "colors.test", **headers})
    answer = connection.getresponse()
    version = json.loads(answer.read())["version"]
    connection.close()
    return Visit(version, (answer.getheader("set-cookie") or "").partition(";")[0])


def _ask(port: int, host: str, requests: int) -> None:
    for _ in range(requests):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/callme", headers={"host": host})
        connection.getresponse().read()
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """
    Run suites of a cluster on one in memory and on a sandbox cloud.

    `CROSSFADE_TEST_CONTEXTS=a,b` adds contexts of the kubeconfig to those suites that need no
    gateway; pods there run the image `CROSSFADE_TEST_IMAGE`, which needs a Python.
    """
    if "world" in metafunc.fixturenames:
        worlds = ["memory", "sandbox"]
        if metafunc.module.__name__.endswith("test_traffic_router"):
            worlds.append("sandbox-istio")
        if metafunc.module.__name__.endswith(("_releases", "test_cluster_probe")):
            contexts = os.environ.get("CROSSFADE_TEST_CONTEXTS", "")
            worlds += [f"context-{name}" for name in contexts.split(",") if name]
        metafunc.parametrize("world", worlds, indirect=True)


@pytest.fixture(scope="module")
def cloud_of_file(start_cloud, tmp_path_factory) -> Iterator[object]:
    """A sandbox cloud that all tests of a file share: in a thread, as each has a loop of its own."""
    started: Future[tuple[object, asyncio.Event]] = Future()

    async def live() -> None:
        ended = asyncio.Event()
        async with start_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
            started.set_result((cloud, ended))
            await ended.wait()

    with ThreadPoolExecutor(1) as threads:
        living = threads.submit(lambda: asyncio.run(live()))
        wait((started, living), return_when=FIRST_COMPLETED)
        if living.done():
            living.result()
        cloud, ended = started.result()
        yield cloud
        cloud.loop.call_soon_threadsafe(ended.set)
        living.result()


@pytest.fixture
async def world(request, start_cloud, tmp_path) -> AsyncIterator[FakeWorld | RealWorld]:
    """Every cluster that the ports of one cluster have an implementation for."""
    if request.param == "memory":
        yield FakeWorld(FakeCluster())
    elif request.param.startswith("sandbox"):
        kind = request.param.partition("-")[2] or "gateway-api"
        if request.module.__name__.endswith(_ONE_CLOUD):
            sandbox = SandboxWorld(request.getfixturevalue("cloud_of_file"), kind)
            yield sandbox
            await sandbox.leave()
            return
        async with start_cloud(tmp_path) as cloud:
            sandbox = SandboxWorld(cloud, kind)
            yield sandbox
            await sandbox.close()
    else:
        async with _context(request.param.removeprefix("context-"), tmp_path) as real:
            yield real


@asynccontextmanager
async def _context(name: str, folder: Path) -> AsyncIterator[RealWorld]:
    """Open a context of the user's kubeconfig, in a namespace that is gone afterwards."""
    path = Path(os.environ.get("KUBECONFIG", Path.home() / ".kube" / "config"))
    file = folder / "kubeconfig"
    file.write_text(path.read_text())
    real = RealWorld(Cluster(name, name, str(file)), f"contract-{secrets.token_hex(4)}")
    image = os.environ.get("CROSSFADE_TEST_IMAGE", "docker.io/library/python:3-alpine")
    repository, _, tag = image.partition(":")
    real.image = {"repository": repository, "tag": tag}
    try:
        yield real
    finally:
        file.write_text(path.read_text())
        await real.api.delete(f"/api/v1/namespaces/{real.namespace}")
        await real.api.close()


@pytest.fixture(params=["memory", "helm"])
def charts(request) -> FakeCharts | HelmCharts:
    """Every implementation of the Charts port."""
    return FakeCharts(str(COLORS)) if request.param == "memory" else HelmCharts(HelmCommand())
