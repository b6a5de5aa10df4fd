"""One cloud as its supervisor sees it: started, killed, stopped, slowed down, restored."""

import asyncio
import json
import logging
import signal
import sys
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from crossfade.base.errors import Conflict, InputError, Unavailable
from crossfade.sandbox import faults, processes
from crossfade.sandbox.child import Child, last_words
from crossfade.sandbox.faults import Faults
from crossfade.sandbox.state import Layout

_log = logging.getLogger(__name__)
_START_SECONDS = 30.0
_SLOWEST_MS = 60_000
_SWITCHES = {
    "partition": "api_partition",
    "fill": "full",
    "evict": "evicted",
    "blackout": "blackout",
}
"""Faults that are there or not, by what people call them."""


class CloudState(StrEnum):
    """What a cloud is like right now."""

    STARTING = "starting"
    RUNNING = "running"
    DEAD = "dead"
    HUNG = "hung"
    SLOW = "slow"
    PARTITIONED = "partitioned"
    FULL = "full"
    EVICTED = "evicted"
    BLACKOUT = "blackout"


@dataclass(frozen=True, slots=True)
class Request:
    """What to do with a cloud: start it, or what a command of `crossfade sandbox` says."""

    verb: str
    milliseconds: int = 0


class SupervisedCloud:
    """The processes of one cloud."""

    def __init__(self, layout: Layout, name: str) -> None:
        self.name = name
        self.state = CloudState.DEAD
        self._layout = layout
        self._folder = layout.folder(name)
        self._child: Child | None = None
        self._started = asyncio.Event()
        self._lock = asyncio.Lock()

    async def keep(self) -> None:
        """Notice when the cloud dies by itself; it then stays dead.  Endless."""
        while True:
            await self._started.wait()
            self._started.clear()
            child = self._child
            if child is None:
                continue
            code = await child.wait()
            async with self._lock:
                if self._child is child and self.state is not CloudState.STARTING:
                    self._child = None
                    if self.state is not CloudState.DEAD:
                        _log.error("cloud died cloud=%s code=%s", self.name, code)
                        # A gateway or pods without their cloud would be half a cloud.
                        await self._kill()

    async def do(self, request: Request) -> None:
        """
        Do what is asked and return once it is so.  Safe to repeat.

        Raises Conflict when the cloud's state does not allow it, InputError for an unknown
        verb or value, Unavailable when the cloud does not start.
        """
        async with self._lock:
            match request.verb:
                case "start" | "restore":
                    await self._restore()
                case "kill":
                    await self._kill()
                case "hang":
                    self._require_alive()
                    await asyncio.to_thread(processes.stop, self._layout.directory, self.name)
                    self.state = CloudState.HUNG
                case "slow":
                    if not 1 <= request.milliseconds <= _SLOWEST_MS:
                        raise InputError(
                            f"a cloud cannot be slowed by {request.milliseconds} ms",
                            hint=f"`--ms` takes 1 to {_SLOWEST_MS}",
                        )
                    self._require_awake()
                    now = faults.read(self._folder)
                    await self._set_faults(replace(now, slow_ms=request.milliseconds))
                case "partition" | "fill" | "evict" | "blackout":
                    self._require_awake()
                    now = faults.read(self._folder)
                    await self._set_faults(replace(now, **{_SWITCHES[request.verb]: True}))
                case other:
                    raise InputError(f"unknown request `{other}`", hint="is the sandbox older?")

    async def end(self, seconds: float) -> None:
        """End the cloud: politely, then for sure."""
        async with self._lock:
            if self.state is CloudState.HUNG:
                await self._kill()
            self.state = CloudState.DEAD
            if self._child is not None:
                await self._child.end(seconds)
                self._child = None

    async def _restore(self) -> None:
        if self.state is CloudState.HUNG:
            await asyncio.to_thread(processes.resume, self._layout.directory, self.name)
            self.state = CloudState.RUNNING
        if self.state is CloudState.DEAD:
            await self._start()
        elif self.state is not CloudState.RUNNING or faults.read(self._folder) != Faults():
            await self._set_faults(Faults())

    async def _start(self) -> None:
        began = time.monotonic()
        self.state = CloudState.STARTING
        # What an earlier life has left behind: gateway, pods.
        await asyncio.to_thread(processes.end, self._layout.directory, self.name)
        faults.write(self._folder, Faults())
        (self._folder / "ready.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "crossfade.sandbox.cloud"]
        command += [str(self._layout.directory), self.name]
        environment = processes.markers(self._layout.directory, "cloud", self.name)
        # One arena: threads here only wait, and each arena of its own costs memory.
        environment["MALLOC_ARENA_MAX"] = "1"
        child = self._child = await Child.start(command, environment, self._log_file)
        self._started.set()
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not self._is_ready(child):
                    if not child.alive:
                        raise self._no_start("it ended")
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise self._no_start(f"not ready after {_START_SECONDS:.0f} s") from None
        finally:
            if not self._is_ready(child):
                await self._kill()
        self.state = CloudState.RUNNING
        seconds = time.monotonic() - began
        _log.info("cloud ready cloud=%s pid=%s seconds=%.3f", self.name, child.pid, seconds)

    def _is_ready(self, child: Child) -> bool:
        try:
            ready = json.loads((self._folder / "ready.json").read_text())
        except FileNotFoundError:
            return False
        return bool(ready["pid"] == child.pid) and child.alive

    def _no_start(self, why: str) -> Unavailable:
        return Unavailable(
            f"cloud `{self.name}` does not start: {why}",
            hint=f"its log is {self._log_file}",
            log=last_words(self._log_file),
        )

    @property
    def _log_file(self) -> Path:
        return self._folder / "cloud.log"

    async def _kill(self) -> None:
        self.state = CloudState.DEAD
        await asyncio.to_thread(processes.end, self._layout.directory, self.name)

    def _require_alive(self) -> None:
        if self.state in (CloudState.DEAD, CloudState.STARTING):
            raise Conflict(
                f"cloud `{self.name}` is {self.state}",
                hint=f"`crossfade sandbox restore {self.name}` starts it",
            )

    def _require_awake(self) -> None:
        self._require_alive()
        if self.state is CloudState.HUNG:
            raise Conflict(
                f"cloud `{self.name}` hangs",
                hint=f"`crossfade sandbox restore {self.name}` lets it go on",
            )

    async def _set_faults(self, wanted: Faults) -> None:
        faults.write(self._folder, wanted)
        deadline = time.monotonic() + 5.0
        while faults.confirmed(self._folder) != wanted:
            if self._child is None or time.monotonic() > deadline:
                raise Unavailable(
                    f"cloud `{self.name}` does not take its faults",
                    hint=f"its log is {self._log_file}",
                )
            # Again each time: the signal may come before the cloud listens to it.
            self._child.signal(signal.SIGHUP)
            await asyncio.sleep(0.02)
        self.state = CloudState.RUNNING
        if wanted.slow_ms:
            self.state = CloudState.SLOW
        if wanted.full:
            self.state = CloudState.FULL
        if wanted.evicted:
            self.state = CloudState.EVICTED
        if wanted.blackout:
            self.state = CloudState.BLACKOUT
        if wanted.api_partition:
            self.state = CloudState.PARTITIONED
