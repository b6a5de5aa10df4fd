"""
The HTTP API: what pages load on a large store, and 200 streams of events of a hub at work.

    python bench/api.py [--quick]
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from harness import free_ports, quantile, verdict, write

from crossfade.adapters.store.sql import SqlStore
from crossfade.api.app import create_app, warm
from crossfade.base.codec import to_json
from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import Grant, Identity, Role
from crossfade.core.analysis.spec import Analysis
from crossfade.core.application import Application, Route, Source
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.pipeline.state import BUILD, Phase, Result, State, UnitState
from crossfade.core.release.revision import Revision
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.spec import Strategy
from crossfade.core.rollout.state import Outcome, Rollout
from crossfade.core.rollout.state import Phase as RolloutPhase
from crossfade.core.rollout.state import State as RolloutState
from crossfade.engine.accounts import Caller
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.engine.figures import Figures
from crossfade.engine.hub import calm_collector, read_ahead
from crossfade.engine.pipelines.records import Build
from crossfade.engine.records import Records, rollout_name
from crossfade.ports.documents import Event, Save
from crossfade.settings import Settings
from crossfade.wiring_api import services

CLUSTERS = [ClusterName(each) for each in ("aws", "gcp", "onprem")]
PAGE_SECONDS = 0.3
CORE = 0.5
STREAMS = 200
END_SECONDS = 3.0
EVENTS_PER_SECOND = 20
_FILE = "version: '1.0'\nsteps:\n  test: {image: alpine, commands: [make test]}\n"
ADMIN = Caller(Identity("admin", (Grant(Role.ADMIN),)), "page", csrf="c")


def revision(name: str, number: int) -> Revision:
    return Revision(RevisionId(f"r{number:07d}"), ApplicationName(name), "default", "0" * 64, name)


def rollout(name: str, number: int) -> Rollout:
    state = RolloutState(RolloutPhase.ENDED, outcome=Outcome.SUCCEEDED, reason="all users have it")
    before = revision(name, number - 1) if number > 1 else None
    return Rollout(
        ApplicationName(name),
        number,
        revision(name, number),
        before,
        Strategy(),
        Analysis(),
        1000.0,
        state=state,
    )


def documents(applications: int, each: int, builds: int) -> list[Save]:
    """Return everything that the store has before the measurement."""
    found = [
        Save("cluster", name, 0, to_json(Cluster(name, name, "/none", name, "sandbox")))
        for name in CLUSTERS
    ]
    for index in range(applications):
        name = f"app-{index:04d}"
        spec = Application(
            ApplicationName(name),
            source=Source("oci://r/c"),
            route=Route(f"{name}.test", name),
        )
        record = replace(Record(spec), rollout=each, active=revision(name, each))
        found.append(Save("application", name, 0, to_json(record)))
        for number in range(1, each + 1):
            value = to_json(rollout(name, number))
            found.append(Save("rollout", rollout_name(ApplicationName(name), number), 0, value))
    done = {
        key: UnitState(Phase.DONE, Result.SUCCESS, 1.0, "it is done", 2.0, run=1)
        for key in (BUILD, "test")
    }
    for number in range(1, builds + 1):
        build = Build(str(number), f"pipeline-{number % 50}", _FILE, float(number))
        found.append(Save("build", build.id, 0, to_json(build)))
        found.append(Save("build-state", build.id, 0, to_json(State(done))))
    return found


async def fill(url: str, saves: list[Save]) -> None:
    store = await SqlStore.open(url)
    try:
        for start in range(0, len(saves), 1000):
            some = saves[start : start + 1000]
            events = (Event("application/app-0001", 1.0, "something", {}),) * 100
            await store.commit(tuple(some), events)
    finally:
        await store.close()


PAGES = {
    "first screen": ("/overview", "/overview/news"),
    "fleet": ("/fleet", "/failover"),
    "rollouts": ("/rollouts?limit=100", "/applications/app-0050/rollouts"),
    "one rollout": (
        "/applications/app-0050/rollouts/10",
        "/applications/app-0050/rollouts/10/history",
        "/applications/app-0050/rollouts/10/analysis",
    ),
    "traffic": ("/applications/app-0050/traffic",),
    "applications": ("/applications?limit=100", "/applications/app-0050"),
    "pipelines": ("/builds?limit=50",),
    "one build": ("/builds/500", "/builds/500/log?step=test"),
    "audit": ("/audit",),
}


async def pages(settings: Settings) -> dict[str, list[float]]:
    """Return the seconds that the requests of each page take the server, first and later."""
    found: dict[str, list[float]] = {}
    store = await SqlStore.open(settings.database_url)
    cached = CachedDocuments(store)
    await cached.refresh()
    records = Records(cached)
    await read_ahead(records)  # this and the next: as a hub does in the same process
    figures = Figures(records)
    with calm_collector():
        await _ask_each(settings, figures, found)
    await store.close()
    return found


async def _ask_each(settings: Settings, figures: Figures, found: dict[str, list[float]]) -> None:
    async with services(settings, figures) as parts:
        app = warm(create_app(parts))
        await parts.accounts.first_admin()
        _, text = await parts.accounts.make_token(ADMIN, "t", [Grant(Role.ADMIN)], 1)
        headers = {"Authorization": f"Bearer {text.reveal()}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            for _ in range(4):
                for name, paths in PAGES.items():
                    begun = time.perf_counter()
                    for path in paths:
                        answer = await client.get(f"/api/v1{path}", headers=headers)
                        assert answer.status_code == 200, (path, answer.text)
                    found.setdefault(name, []).append(time.perf_counter() - begun)


@dataclass
class Reader:
    """One browser's stream; it is cut off now and then, and goes on where it was."""

    url: str
    headers: dict[str, str]
    chance: random.Random
    cursor: int
    seen: list[int] = field(default_factory=list)
    cuts: int = 0

    async def run(self, client: httpx.AsyncClient) -> None:
        while True:
            patience = self.chance.uniform(2, 12)
            headers = self.headers | {"Last-Event-ID": str(self.cursor)}
            try:
                async with asyncio.timeout(patience):
                    async with client.stream("GET", self.url, headers=headers) as answer:
                        async for line in answer.aiter_lines():
                            self.take(line)
            except TimeoutError:
                self.cuts += 1
            except httpx.TransportError:
                return  # the hub has ended

    def take(self, line: str) -> None:
        if line.startswith("id: "):
            self.cursor = int(line[4:])
        elif line.startswith("data: ") and "subject" in line:
            body = json.loads(line[6:])
            if body["subject"] == "application/app-0001":
                self.seen.append(body["number"])


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def until_ready(url: str) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def work(store: SqlStore, seconds: float) -> list[int]:
    """Have things happen, and return the numbers of their events."""
    last = 0
    while page := await store.events("application/app-0001", last):
        last = page[-1].number
    first = last
    begun = time.monotonic()
    for count in range(int(seconds * EVENTS_PER_SECOND)):
        await store.commit((), (Event("application/app-0001", time.time(), "news", {}),))  # noqa: TID251
        await asyncio.sleep(max(0.0, begun + (count + 1) / EVENTS_PER_SECOND - time.monotonic()))
    numbers: list[int] = []
    while page := await store.events("application/app-0001", numbers[-1] if numbers else first):
        numbers += [each.number for each in page]
    return numbers


async def streams(settings: Settings, seconds: float) -> dict[str, Any]:
    """Return what 200 streams cost a hub, what they lost, and how soon it ends with them open."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "crossfade.cli.main", "up", "--port", str(port)]
    environment = os.environ | {
        "CROSSFADE_HOME": str(settings.state_dir),
        "CROSSFADE_PORT_BASE": str(settings.port_base),
    }
    with (settings.state_dir / "log").open("wb") as log:
        hub = subprocess.Popen(command, stdout=log, stderr=log, env=environment)  # noqa: ASYNC220
    try:
        await until_ready(url)
        return await _watched(settings, hub, url, seconds)
    finally:
        if hub.poll() is None:
            hub.kill()
        hub.wait()


async def _watched(
    settings: Settings, hub: "subprocess.Popen[bytes]", url: str, seconds: float
) -> dict[str, Any]:
    store = await SqlStore.open(settings.database_url)
    async with services(settings) as parts:
        _, token = await parts.accounts.make_token(ADMIN, "t", [Grant(Role.ADMIN)], 1)
        cursor = parts.feed.newest
    headers = {"Accept": "text/event-stream", **bearer(token)}
    readers = [
        Reader(f"{url}/api/v1/events", headers, random.Random(seed), cursor)  # noqa: S311
        for seed in range(STREAMS)
    ]
    limits = httpx.Limits(max_connections=None)
    client = httpx.AsyncClient(timeout=None, limits=limits, trust_env=False)  # noqa: S113
    async with client, asyncio.TaskGroup() as group:
        idle_begun, idle = time.monotonic(), processor_seconds(hub.pid)
        await work(store, seconds / 3)
        alone = (processor_seconds(hub.pid) - idle) / (time.monotonic() - idle_begun)
        tasks = [group.create_task(each.run(client)) for each in readers]
        await asyncio.sleep(2)
        begun, before = time.monotonic(), processor_seconds(hub.pid)
        numbers = await work(store, seconds)
        share = (processor_seconds(hub.pid) - before) / (time.monotonic() - begun)
        for _ in range(150):
            if all(each.cursor >= numbers[-1] for each in readers):
                break
            await asyncio.sleep(0.1)
        asked = time.monotonic()
        hub.send_signal(signal.SIGTERM)
        await asyncio.to_thread(hub.wait, 20)
        ended = time.monotonic() - asked
        for task in tasks:
            task.cancel()
    await store.close()
    wrong = [each for each in readers if [n for n in each.seen if n >= numbers[0]] != numbers]
    return {
        "streams": STREAMS,
        "events": len(numbers),
        "cuts": sum(each.cuts for each in readers),
        "core_without_streams": round(alone, 3),
        "core": round(share, 3),
        "readers_that_lost_or_repeated": len(wrong),
        "end_seconds": round(ended, 2),
    }


def bearer(token: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.reveal()}"}


async def main(*, quick: bool) -> bool:
    applications, each, builds = (100, 10, 1000) if quick else (1000, 10, 10_000)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(home, f"sqlite:///{home}/crossfade.db", free_ports(1)[0])
        await fill(settings.database_url, documents(applications, each, builds))
        loaded = await pages(settings)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(home, f"sqlite:///{home}/crossfade.db", free_ports(1)[0])
        watched = await streams(settings, 6 if quick else 20)
    slowest = max(max(seconds[0], quantile(seconds, 0.5)) for seconds in loaded.values())
    print(f"{applications} applications, {applications * each} rollouts, {builds} builds:")
    for name, seconds in loaded.items():
        first, usual = 1000 * seconds[0], 1000 * quantile(seconds, 0.5)
        good = verdict(max(first, usual) <= 1000 * PAGE_SECONDS)
        print(f"  {name}: {usual:.0f} ms, the first time {first:.0f} ms (<= 300 ms: {good})")
    print(f"{watched['streams']} streams, {watched['events']} events, {watched['cuts']} cuts:")
    alone, core = watched["core_without_streams"], watched["core"]
    print(f"  {core:.0%} of a core, {alone:.0%} without them (< 50 %: {verdict(core < CORE)})")
    lost = watched["readers_that_lost_or_repeated"]
    print(f"  readers that lost or were told twice: {lost} (0: {verdict(not lost)})")
    end = watched["end_seconds"]
    print(f"  ended {end} s after SIGTERM (<= 3 s: {verdict(end <= END_SECONDS)})")
    write("api", {"pages": loaded, "slowest_page": slowest, **watched})
    return slowest <= PAGE_SECONDS and core < CORE and not lost and end <= END_SECONDS


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    sys.exit(not asyncio.run(main(quick=parser.parse_args().quick)))
