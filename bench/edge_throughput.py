"""
What it costs to have the hub program an edge: requests per second of the same Envoy with what the
hub sends it and the reports that it sends back, over those with a file that somebody has written
by hand for the same job; and over those with a bare file (both are in edge_files.py).

They run side by side, load goes to one after the other for a second each.  Load comes from `wrk`;
clouds are three listeners of one more Envoy that answer directly.  All share this machine, so only
ratios count.  The verdict is on processor time per request, as the kernel counts it to the
nanosecond: it is what throughput is made of when the edge has a processor to itself.  What else
runs here makes each turn dearer by chance, so it is the median of the ratios of neighbouring turns.
edge_instructions.py counts without any chance.
"""

import asyncio
import contextlib
import re
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness
from edge_files import bare, clouds, hand_written

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget
from crossfade.testing.edge_process import running_edge

_TARGET = 0.97
_PAIRS, _SECONDS, _CONNECTIONS = 30, 1, 64
EDGE, BY_HAND, BARE, CLOUDS = "edge", "by hand", "bare", "clouds"


@dataclass
class Proxy:
    """One of the Envoys under test, and what it has done."""

    port: int
    pid: int
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    """Microseconds of processor time per request, of each turn."""

    async def load(self, seconds: int) -> None:
        """Load it for so long with wrk."""
        before = self._cpu_microseconds()
        process = await asyncio.create_subprocess_exec(
            *("wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "-H", f"Host: {harness.HOST}"),
            f"http://127.0.0.1:{self.port}/",
            stdout=asyncio.subprocess.PIPE,
        )
        output = (await process.communicate())[0].decode()
        rate = re.search(r"Requests/sec:\s+([0-9.]+)", output)
        requests = re.search(r"(\d+) requests in", output)
        if rate is None or requests is None or "Non-2xx" in output:
            raise RuntimeError(output)
        self.rates.append(float(rate[1]))
        self.costs.append((self._cpu_microseconds() - before) / int(requests[1]))

    def _cpu_microseconds(self) -> float:
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1000

    def forget(self) -> None:
        """Forget the turns so far: they were for warming up."""
        self.rates.clear()
        self.costs.clear()


async def programmed(port: int, edges: AdsEdges, ports: list[int], seconds: float = 10.0) -> None:
    """Have the edge at `port` send users to these clouds, and wait until it does."""
    targets = tuple(
        EdgeTarget(ClusterName(f"cloud-{index}"), f"cloud-{index}", "127.0.0.1", each, 100)
        for index, each in enumerate(ports)
    )
    route = EdgeRoute(ApplicationName("colors"), harness.HOST, "/", 0.5, targets)
    await edges.publish(EdgePlan(1, (route,)))
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Setting:
    """A hub, and the files of all Envoys."""

    edges: AdsEdges
    files: dict[str, dict[str, Any]]
    ports: dict[str, int]
    """Where users are served, by file."""
    clouds: list[int]


@contextlib.asynccontextmanager
async def setting() -> AsyncIterator[Setting]:
    """Run what programs the edge and hears its reports, and hand over all files."""
    edges = AdsEdges(0)
    await edges.start()
    try:
        first, second, third, *rest = harness.free_ports(10)
        admins, there = rest[:4], rest[4:]
        files = {
            CLOUDS: clouds(admins[0], there),
            BARE: bare(admins[1], first, there),
            BY_HAND: hand_written(admins[2], second, there),
            EDGE: edge_bootstrap("bench", "127.0.0.1", edges.port, admins[3], third),
        }
        yield Setting(edges, files, {BARE: first, BY_HAND: second, EDGE: third}, there)
    finally:
        await edges.stop()


@contextlib.asynccontextmanager
async def proxies() -> AsyncIterator[dict[str, Proxy]]:
    """Run all Envoys; hand over those under test."""
    async with setting() as made, contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = {}
        for name, bootstrap in made.files.items():
            (folder / name).mkdir()
            running = await stack.enter_async_context(running_edge(folder / name, bootstrap))
            if name in made.ports:
                found[name] = Proxy(made.ports[name], running.pid)
        await programmed(made.ports[EDGE], made.edges, made.clouds)
        yield found


@dataclass(frozen=True)
class Compared:
    """The edge against one file, pair by pair; above 1 the edge is better."""

    throughput: list[float]
    cost: list[float]

    @property
    def told(self) -> str:
        """Return the figures for people."""
        low, high = (harness.quantile(self.cost, share) for share in (0.25, 0.75))
        rate = statistics.median(self.throughput)
        return (
            f"processor time per request {self.median:.3f} (middle half {low:.2f}-{high:.2f}), "
            f"requests/s {rate:.3f} ({min(self.throughput):.2f}-{max(self.throughput):.2f})"
        )

    @property
    def median(self) -> float:
        """Return the ratio of processor time."""
        return statistics.median(self.cost)


def compared(edge: Proxy, other: Proxy) -> Compared:
    """Return how the edge did in each pair of turns."""
    rates = zip(edge.rates, other.rates, strict=True)
    costs = zip(edge.costs, other.costs, strict=True)
    return Compared([one / two for one, two in rates], [two / one for one, two in costs])


async def main(pairs: int) -> None:
    """Measure in turns, so that what else happens on the machine meets all."""
    async with proxies() as found:
        order = [BARE, EDGE, BY_HAND]  # the edge has either beside it
        for index in range(-1, pairs):
            for name in order if index % 2 else reversed(order):
                await found[name].load(_SECONDS)
                if index < 0:
                    found[name].forget()
    by_hand, bare_one = (compared(found[EDGE], found[other]) for other in (BY_HAND, BARE))
    good = by_hand.median >= _TARGET
    print(
        f"edge against a file by hand for the same job, {pairs} pairs: {by_hand.told}"
        f"   (>= {_TARGET}: {harness.verdict(good)})\n"
        f"edge against a bare file: {bare_one.told}"
    )
    harness.write(
        "edge_throughput",
        {
            "ratio_of_processor_time": by_hand.median,
            "ratio": statistics.median(by_hand.throughput),
            "target": _TARGET,
            "ok": good,
            "ratio_of_processor_time_to_bare": bare_one.median,
            "per_second": {name: each.rates for name, each in found.items()},
            "microseconds": {name: each.costs for name, each in found.items()},
        },
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else _PAIRS))
