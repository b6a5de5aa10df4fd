"""What the programs of this folder share: clouds of one process each, an edge, and results."""

import asyncio
import contextlib
import json
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.adapters.envoy.resources import Tuning
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget
from crossfade.testing import web_server
from crossfade.testing.edge_process import EdgeProcess, running_edge
from crossfade.testing.network import Network
from crossfade.testing.users import Users

HOST = "colors.localhost"
_RESULTS = Path(__file__).parent / "results"


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses, outside the range that outgoing connections take."""
    found: set[int] = set()
    while len(found) < count:
        port = 10_000 + secrets.randbelow(20_000)
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)


def write(name: str, result: dict[str, Any]) -> None:
    """Keep the result as bench/results/NAME.json."""
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


def verdict(good: bool) -> str:
    """Return how a figure stands against its target, for people."""
    return "ok" if good else "MISSED"


def quantile(values: list[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Cloud:
    """One web server that stands for a cloud."""

    name: str
    port: int
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
        assert self.process.stdout is not None
        await self.process.stdout.readline()

    def send(self, what: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(what)

    async def end(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@dataclass
class Setup:
    """Clouds, the hub's end and one edge, ready for users."""

    clouds: dict[str, Cloud]
    edges: AdsEdges
    edge: EdgeProcess
    port: int
    number: int = 0
    weights: dict[str, int] = field(default_factory=dict)

    async def publish(self, weights: dict[str, int]) -> None:
        """Ask the edge for these shares."""
        self.number, self.weights = self.number + 1, weights
        targets = tuple(
            EdgeTarget(ClusterName(name), name, cloud.host, cloud.port, weight)
            for name, weight in weights.items()
            for cloud in (self.clouds[name],)
        )
        route = EdgeRoute(ApplicationName("colors"), HOST, "/healthz", 0.5, targets)
        await self.edges.publish(EdgePlan(self.number, (route,)))

    async def in_force(self) -> None:
        """Wait until the edge has acknowledged the newest plan."""
        async with asyncio.timeout(10):
            while True:
                if [s.acknowledged for s in await self.edges.status()] == [self.number]:
                    return
                await asyncio.sleep(0.0005)

    def users(self, rate: float, **options: Any) -> Users:
        return Users(self.port, HOST, rate, **options)


@contextlib.asynccontextmanager
async def setup(
    names: tuple[str, ...],
    *,
    tuning: Tuning | None = None,
    concurrency: int = 1,
    elsewhere: Mapping[str, Network] | None = None,
) -> AsyncIterator[Setup]:
    """
    Run clouds of these names with equal shares, and an edge, until the block ends.

    Those in `elsewhere` run in networks of their own.
    """
    admin, port, *cloud_ports = free_ports(2 + len(names))
    clouds = {name: Cloud(name, port) for name, port in zip(names, cloud_ports, strict=True)}
    for name, cable in (elsewhere or {}).items():
        clouds[name].host, clouds[name].within = cable.there, cable.within
    edges = AdsEdges(0, tuning=tuning)
    await edges.start()
    bootstrap = edge_bootstrap("bench", "127.0.0.1", edges.port, admin, port)
    try:
        async with asyncio.TaskGroup() as group:
            for cloud in clouds.values():
                group.create_task(cloud.start())
        with tempfile.TemporaryDirectory() as folder:
            async with running_edge(Path(folder), bootstrap, concurrency=concurrency) as edge:
                made = Setup(clouds, edges, edge, port)
                await made.publish(dict.fromkeys(names, 100))
                await made.in_force()
                await made.users(100).run(0.5)  # listener up, connections made
                yield made
    finally:
        for cloud in clouds.values():
            await cloud.end()
        await edges.stop()
