"""Clouds that are one small web server each, and a real edge in front of them."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.adapters.envoy.resources import Tuning
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget
from crossfade.testing import web_server
from crossfade.testing.edge_page import EdgeStats, TargetFigures
from crossfade.testing.edge_process import EdgeProcess, running_edge
from crossfade.testing.free_ports import free_port
from crossfade.testing.users import Users

HOST = "colors.localhost"


async def wait_until(happened: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Return once `happened` (maybe a coroutine function) says so; fail when it takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            result = happened()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return
            await asyncio.sleep(0.005)


@dataclass
class Cloud:
    """One web server that can be killed, hung and brought back on the same port."""

    name: str
    port: int = 0
    process: asyncio.subprocess.Process | None = None
    host: str = "127.0.0.1"
    within: tuple[str, ...] = ()
    """Command that runs it elsewhere: in a network of its own."""

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(*self.within, sys.executable),
            *("-S", "-E", web_server.__file__, str(self.port), self.name, self.host),
            stdout=asyncio.subprocess.PIPE,
        )
        self.port = int(await self.process.stdout.readline())

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def become(self, code: int) -> None:
        """Answer everything with this status from now on, probes too."""
        async with httpx.AsyncClient() as client:
            await client.get(f"http://127.0.0.1:{self.port}/become?code={code}")


@dataclass
class World:
    """Three clouds, the hub's end, and one edge."""

    clouds: dict[str, Cloud]
    edges: AdsEdges
    port: int
    edge: EdgeProcess
    stats: EdgeStats
    client: httpx.AsyncClient
    number: int = 0
    try_seconds: float = 5.0  # so that a busy machine causes no second tries
    extra: tuple[EdgeRoute, ...] = field(default_factory=tuple)
    sticky: bool = False
    retry_non_idempotent: bool = False
    tuning: ClassVar[Tuning] = Tuning(ejection_seconds=1)  # so that tests need not wait long

    def plan(self, **weights: int) -> EdgePlan:
        self.number += 1
        targets = tuple(
            EdgeTarget(ClusterName(name), f"{name}/somewhere", cloud.host, cloud.port, weight)
            for name, weight in weights.items()
            for cloud in (self.clouds[name],)
        )
        route = EdgeRoute(
            ApplicationName("colors"),
            HOST,
            "/healthz",
            self.try_seconds,
            targets,
            retry_non_idempotent=self.retry_non_idempotent,
            sticky=self.sticky,
        )
        return EdgePlan(self.number, (route, *self.extra))

    async def send(self, **weights: int) -> None:
        """Publish these weights and wait until the edge has them in force."""
        await self.edges.publish(self.plan(**weights))
        await wait_until(self.in_force)

    async def in_force(self) -> bool:
        status = await self.edges.status()
        assert not any(edge.refused for edge in status), status
        return [edge.acknowledged for edge in status] == [self.number]

    async def serving(self) -> None:
        """Wait until the edge answers: it takes a listener up a moment after it has said so."""

        async def answers() -> bool:
            try:
                return (await self.get("/")).status_code != 404
            except httpx.TransportError:
                return False

        await wait_until(answers)

    async def get(self, path: str, method: str = "GET", **kwargs) -> httpx.Response:
        headers = {"host": HOST} | kwargs.pop("headers", {})
        url = f"http://127.0.0.1:{self.port}{path}"
        return await self.client.request(method, url, headers=headers, **kwargs)

    async def figures(self) -> tuple[TargetFigures, ...]:
        """What the edge says of the clouds."""
        return await self.stats.read()

    async def healthy(self) -> set[str]:
        """Return the clouds that may get requests."""
        return {str(each.cluster) for each in await self.figures() if each.healthy}

    def free_port(self) -> int:
        return free_port()

    def users(self, rate: float = 200, **kwargs) -> Users:
        return Users(self.port, HOST, rate, **kwargs)


@pytest.fixture
async def clouds() -> AsyncIterator[dict[str, Cloud]]:
    made = {name: Cloud(name) for name in ("aws", "gcp", "onprem")}
    async with asyncio.TaskGroup() as group:
        for cloud in made.values():
            group.create_task(cloud.start())
    yield made
    for cloud in made.values():
        await cloud.kill()


@pytest.fixture
async def world(clouds, tmp_path: Path) -> AsyncIterator[World]:
    edges, port = AdsEdges(0, tuning=World.tuning), free_port()
    async with contextlib.AsyncExitStack() as stack:
        await edges.start()
        stack.push_async_callback(edges.stop)
        bootstrap = edge_bootstrap("edge-1", "127.0.0.1", edges.port, free_port(), port)
        bootstrap["stats_flush_interval"] = "0.100s"  # reports, so that tests need not wait long
        edge = await stack.enter_async_context(running_edge(tmp_path, bootstrap))
        stats = EdgeStats(edge.admin_url)
        stack.push_async_callback(stats.close)
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        made = World(clouds, edges, port, edge, stats, client)
        stack.push_async_callback(lambda: made.edges.stop())
        await made.send(aws=100, gcp=100, onprem=100)
        await made.serving()
        yield made


@pytest.fixture
def until() -> Callable[..., object]:
    """Wait for a condition with a deadline."""
    return wait_until
