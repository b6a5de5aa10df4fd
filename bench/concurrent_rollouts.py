"""
Whether one hub keeps up with 1,000 rollouts at once, each judged in windows of 15 s.

    python bench/concurrent_rollouts.py            1,000 applications, a minute; 3 minutes in all
    python bench/concurrent_rollouts.py --quick    200 applications, 20 s
    python bench/concurrent_rollouts.py --memory   a store in memory instead of SQLite
    python bench/concurrent_rollouts.py --profile  says where the time goes, too
    python bench/concurrent_rollouts.py --applications 3000     as many as that

The hub is the real one with all its loops, in real time.  Its clusters and gateways are in memory
and answer at once; their users are counted here, in the same process, and cost it time as well.
"""

import asyncio
import cProfile
import logging
import math
import pstats
import resource
import sys
import tempfile
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace

from concurrent_world import Fleet, begin
from harness import quantile, verdict, write

from crossfade.adapters.store.sql import SqlStore
from crossfade.base.clock import SteadyClock
from crossfade.engine.hub import Hub, HubPorts
from crossfade.engine.leadership import Leadership
from crossfade.engine.loops.keyed import KeyedLoop
from crossfade.testing.fake_edges import FakeEdges
from crossfade.testing.fake_measurements import FakeMeasurements, FakeSources
from crossfade.testing.fake_name_servers import FakeNameServers
from crossfade.testing.fake_notifier import FakeGates, FakeNotifier
from crossfade.testing.fake_store import FakeStore

GOAL_SECONDS = 1.0
AGAIN_SECONDS = 1.0
"""A look that failed counts as due again after this time, though its loop chooses the pause."""


@dataclass
class Lags:
    """How long after they were due the looks of a loop were over, and what they saved, saved."""

    seconds: list[float] = field(default_factory=list)
    counts: bool = False
    """Whether the measurement has begun."""


class TimedLoop(KeyedLoop):
    """A loop that notes when each look was due, by its own pause or by a poke, and when over."""

    def __init__(self, loop: KeyedLoop, lags: Lags) -> None:
        super().__init__(loop.name, loop._keys, self._timed)  # noqa: SLF001 - it is measured
        self._look, self._lags = loop._reconcile, lags  # noqa: SLF001
        self._due: dict[str, float] = {}

    def poke(self, key: str | None = None) -> None:
        """Have it looked at: it is due now, unless it has been before."""
        now = time.monotonic()
        for each in self._due if key is None else {key} & self._due.keys():
            self._due[each] = min(self._due[each], now)
        super().poke(key)

    def poke_those_of(self, prefix: str) -> None:
        """Have the keys that begin like this looked at: they are due now."""
        now = time.monotonic()
        for each in self._due:
            if each.startswith(prefix):
                self._due[each] = min(self._due[each], now)
        super().poke_those_of(prefix)

    async def _timed(self, key: str) -> float:
        due = self._due.get(key, time.monotonic())
        self._due[key] = math.inf
        pause = AGAIN_SECONDS
        try:
            pause = await self._look(key)
        finally:
            now = time.monotonic()
            if self._lags.counts:
                self._lags.seconds.append(now - min(due, now))
            self._due[key] = min(self._due[key], now + pause)
        return pause


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run."""

    applications: int
    seconds: float
    settle_seconds: float


USUAL, QUICK = Size(1000, 60.0, 40.0), Size(200, 20.0, 15.0)


async def measured(size: Size, store: FakeStore | SqlStore, profile: bool) -> dict[str, float]:
    """Run the hub over its rollouts, and return the figures."""
    clock, fleet, edges = SteadyClock(), Fleet(), FakeEdges()
    leads = Leadership(store, clock, "bench")
    lease = await leads.acquire()
    gates, sources = FakeGates(), FakeSources(FakeMeasurements())
    names = FakeNameServers("example.com")
    ports = HubPorts(
        store, store, fleet, edges, fleet, gates, FakeNotifier(), sources, clock, names
    )
    hub, lags = Hub(ports, leads, lease.epoch), {}
    for name in ("judging", "rollouts", "convergence"):
        lags[name] = Lags()
        setattr(hub, name, TimedLoop(getattr(hub, name), lags[name]))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hub.run()), group.create_task(fleet.serve())]
        await begin(store, fleet, size.applications, 0.75 * size.settle_seconds, clock)
        await asyncio.sleep(size.settle_seconds / 4)
        commits, cpu, began = await store.sequence(), time.process_time(), time.monotonic()
        for each in lags.values():
            each.counts = True
        profiler = cProfile.Profile(time.process_time) if profile else nullcontext()
        with profiler:
            await asyncio.sleep(size.seconds)
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        commits = await store.sequence() - commits
        for task in tasks:
            task.cancel()
    if isinstance(profiler, cProfile.Profile):
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    figures = {"cpu_share": cpu / took, "commits_per_second": commits / took}
    for name, each in lags.items():
        figures[f"{name}_looks_per_second"] = len(each.seconds) / took
        for share in (0.5, 0.99, 1.0):
            figures[f"{name}_p{100 * share:g}_seconds"] = quantile(each.seconds, share)
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


async def run(size: Size, memory: bool, profile: bool) -> dict[str, float]:
    """Return the figures of a hub on a store in memory, or on SQLite in a folder of its own."""
    if memory:
        return await measured(size, FakeStore(), profile)
    with tempfile.TemporaryDirectory() as folder:
        store = await SqlStore.open(f"sqlite:///{folder}/store.db")
        try:
            return await measured(size, store, profile)
        finally:
            await store.close()


def main(arguments: list[str]) -> int:
    """Run, print each figure beside its target, keep the record, and return the exit code."""
    logging.disable(logging.WARNING)
    size, memory = QUICK if "--quick" in arguments else USUAL, "--memory" in arguments
    if "--applications" in arguments:
        many = int(arguments[arguments.index("--applications") + 1])
        size = replace(size, applications=many, settle_seconds=0.04 * many)
    figures = asyncio.run(run(size, memory, "--profile" in arguments))
    figures["applications"] = size.applications
    reached = True
    print(f"{size.applications} rollouts at once, store {'in memory' if memory else 'SQLite'}")
    for name in ("judging", "rollouts", "convergence"):
        p50, p99 = figures[f"{name}_p50_seconds"], figures[f"{name}_p99_seconds"]
        good = p99 <= GOAL_SECONDS
        reached = reached and good
        print(
            f"  {name:12} due until saved: p50 {p50:6.3f} s, p99 {p99:6.3f} s, goal <= "
            f"{GOAL_SECONDS:g} s  {verdict(good)}"
        )
        print(f"  {'':12} {figures[f'{name}_looks_per_second']:.0f} looks/s")
    print(
        f"  processor {figures['cpu_share']:.0%} of one, memory {figures['memory_mb']:.0f} MB, "
        f"{figures['commits_per_second']:.0f} commits/s"
    )
    write("concurrent_rollouts", figures)
    return 0 if reached else 1


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
