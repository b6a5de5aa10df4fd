"""
What the edge's settings cost: requests per second of the same Envoy with what the hub sends it
(probes, outlier detection, retries, hedging, limits), over those with a plain hand-written file.

Both run side by side, load goes to one and the other in turn for a second each.  Load comes from
`wrk`; clouds are three listeners of one more Envoy that answer directly.  All share this machine,
so only ratios count.  The verdict is on processor time per request, as the kernel counts it to the
nanosecond: it is what throughput is made of when the edge has a processor to itself.  What else
runs here makes each turn dearer by chance, so it is the median of the ratios of neighbouring turns.
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

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.adapters.envoy.process import running_edge
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget

_TARGET = 0.97
_PAIRS, _SECONDS, _CONNECTIONS = 30, 1, 64
_MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
    ".HttpConnectionManager"
)
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def listener(port: int, route: dict[str, Any]) -> dict[str, Any]:
    """Return a plain listener with one route for everything."""
    manager = {
        "@type": _MANAGER,
        "stat_prefix": f"in-{port}",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": [harness.HOST],
                    "routes": [{"match": {"prefix": "/"}, **route}],
                }
            ]
        },
        "http_filters": [{"name": "router", "typed_config": {"@type": _ROUTER}}],
    }
    return {
        "name": f"in-{port}",
        "address": address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def address(port: int) -> dict[str, Any]:
    """Return an address on this machine."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def clouds(admin: int, ports: list[int]) -> dict[str, Any]:
    """Return the configuration of an Envoy that answers on all these ports itself."""
    answer = {"direct_response": {"status": 200, "body": {"inline_string": "blue"}}}
    return {
        "admin": {"address": address(admin)},
        "static_resources": {"listeners": [listener(port, answer) for port in ports]},
    }


def plain(admin: int, port: int, ports: list[int]) -> dict[str, Any]:
    """Return what somebody would write who wants the same clouds behind one port, and no more."""
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(p)}}]} for p in ports]
    cluster = {
        "name": "colors",
        "connect_timeout": "1s",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "colors", "endpoints": endpoints},
    }
    return {
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": [listener(port, {"route": {"cluster": "colors"}})],
            "clusters": [cluster],
        },
    }


@dataclass
class Proxy:
    """One of the two Envoys under test, and what it has done."""

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


async def programmed(port: int, edges: AdsEdges, ports: list[int]) -> None:
    """Have the edge at `port` send users to these clouds, and wait until it does."""
    targets = tuple(
        EdgeTarget(ClusterName(f"cloud-{index}"), f"cloud-{index}", "127.0.0.1", each, 100)
        for index, each in enumerate(ports)
    )
    route = EdgeRoute(ApplicationName("colors"), harness.HOST, "/", 0.5, targets)
    await edges.publish(EdgePlan(1, (route,)))
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def both() -> AsyncIterator[tuple[Proxy, Proxy]]:
    """Run both Envoys and the clouds; hand over ours and the plain one."""
    ours, other, *rest = harness.free_ports(8)
    admins, cloud_ports = rest[:3], rest[3:]
    edges = AdsEdges(0)
    await edges.start()
    configurations = {
        "clouds": clouds(admins[0], cloud_ports),
        "plain": plain(admins[1], other, cloud_ports),
        "ours": edge_bootstrap("bench", "127.0.0.1", edges.port, admins[2], ours),
    }
    pids: dict[str, int] = {}
    try:
        async with contextlib.AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for name, bootstrap in configurations.items():
                (folder / name).mkdir()
                running = running_edge(folder / name, bootstrap)
                pids[name] = (await stack.enter_async_context(running)).pid
            await programmed(ours, edges, cloud_ports)
            yield Proxy(ours, pids["ours"]), Proxy(other, pids["plain"])
    finally:
        await edges.stop()


async def main(pairs: int) -> None:
    """Measure in pairs, so that what else happens on the machine meets both."""
    async with both() as (ours, other):
        for index in range(-1, pairs):
            for proxy in (ours, other) if index % 2 else (other, ours):
                await proxy.load(_SECONDS)
                if index < 0:
                    proxy.forget()
    ratios = [one / another for one, another in zip(ours.rates, other.rates, strict=True)]
    ratio = statistics.median(ratios)
    costs = [another / one for one, another in zip(ours.costs, other.costs, strict=True)]
    cost = statistics.median(costs)
    low, high = (harness.quantile(costs, share) for share in (0.25, 0.75))
    good = cost >= _TARGET
    print(
        f"edge {statistics.median(ours.rates):.0f}/s, plain file "
        f"{statistics.median(other.rates):.0f}/s, ratio {ratio:.3f} (median of {pairs} pairs, "
        f"{min(ratios):.2f}-{max(ratios):.2f}); processor time per request "
        f"{statistics.median(ours.costs):.1f} and {statistics.median(other.costs):.1f} us, ratio "
        f"{cost:.3f} (middle half {low:.2f}-{high:.2f})   "
        f"(>= {_TARGET}: {harness.verdict(good)})"
    )
    harness.write(
        "edge_throughput",
        {
            "ratio": ratio,
            "ratio_of_processor_time": cost,
            "target": _TARGET,
            "ok": good,
            "edge_per_second": ours.rates,
            "plain_per_second": other.rates,
            "edge_microseconds": ours.costs,
            "plain_microseconds": other.costs,
        },
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else _PAIRS))
