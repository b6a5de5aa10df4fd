"""A machine for steps in memory: it passes the contract of runners, and can be killed anywhere."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from crossfade.core.pipeline.state import RunSight, Status
from crossfade.ports.runner import Order, Output, RunId
from crossfade.testing.fake_shell import Command, Shell

_LOOK_SECONDS = 0.01


@dataclass(slots=True)
class FakeRun:
    """One run, and what became of it."""

    order: Order
    shell: Shell
    status: Status = Status.RUNNING
    why: str = ""


class FakeMachine:
    """What there is of runs, whoever looks; it lives on when those who look are killed."""

    def __init__(self, commands: Mapping[str, Command] | None = None) -> None:
        """`commands` are more than the few that its shell has."""
        self.runs: dict[RunId, FakeRun] = {}
        self.started: list[RunId] = []
        """Every start that was no repetition, in order."""
        self._commands = commands or {}
        self._volumes: dict[str, dict[str, str]] = {}

    def volume(self, build: str) -> dict[str, str]:
        """Return the files of a build's workspace, by their whole path."""
        return self._volumes.setdefault(build, {})

    def begin(self, order: Order, now: float) -> None:
        """Start a run unless there is one."""
        if order.run in self.runs:
            return
        files = self.volume(order.run.build)
        lines = [line for line in order.script.splitlines() if line.strip()]
        shell = Shell(lines, order.directory, order.environment, files, self._commands, now)
        self.runs[order.run] = FakeRun(order, shell)
        self.started.append(order.run)

    def advance(self, now: float) -> None:
        """Let all runs do what is done by now."""
        for run in self.runs.values():
            if run.status is Status.RUNNING:
                run.shell.advance(now)
                self._settle(run)

    def _settle(self, run: FakeRun) -> None:
        code = run.shell.code
        if code is not None:
            run.status = Status.FAILED if code else Status.SUCCEEDED
            run.why = f"exit code {code}" if code else ""

    def alive(self) -> list[FakeRun]:
        """Return the runs that go on."""
        return [each for each in self.runs.values() if each.status is Status.RUNNING]

    def lose(self, run: FakeRun) -> None:
        """Have whoever keeps the run die, and the run with it."""
        run.status, run.why = Status.LOST, "its process was lost"

    def kill(self, run: FakeRun) -> None:
        """Have the step killed by something outside."""
        run.status, run.why = Status.KILLED, "ended by SIGKILL"

    def interrupt(self, run: FakeRun) -> None:
        """Ask the step to end."""
        if run.shell.interrupt():
            self._settle(run)


class FakeRunner:
    """The Runner port on a machine in memory, on the time of the event loop."""

    def __init__(self, machine: FakeMachine) -> None:
        self.machine = machine

    def _run(self, run: RunId) -> FakeRun | None:
        self.machine.advance(_now())
        return self.machine.runs.get(run)

    async def start(self, order: Order) -> None:
        """Start the run unless it was started before; see the port."""
        self.machine.advance(_now())
        self.machine.begin(order, _now())

    async def look(self, run: RunId) -> RunSight | None:
        """Return how the run stands; see the port."""
        found = self._run(run)
        if found is None:
            return None
        exports = tuple(found.shell.exports.values())
        return RunSight(run.number, found.status, found.why, exports=exports)

    async def output(self, run: RunId) -> AsyncIterator[Output]:
        """Yield what the run prints until it has ended; see the port."""
        offset, silent = 0, True
        while True:
            found = self._run(run)
            if found is None:
                return
            running = found.status is Status.RUNNING
            if data := found.shell.output[offset:]:
                offset += len(data)
                masked = (each.value for each in found.shell.exports.values() if each.secret)
                silent = False
                yield Output(data, tuple(masked))
            if not running:
                return
            if not (silent or data):
                silent = True
                yield Output(b"")
            await asyncio.sleep(_LOOK_SECONDS)

    async def stop(self, run: RunId, grace_seconds: float) -> None:
        """End the run; see the port."""
        found = self._run(run)
        if found is None or found.status is not Status.RUNNING:
            return
        self.machine.interrupt(found)
        if found.status is Status.RUNNING:
            await asyncio.sleep(grace_seconds)
            self._run(run)
        if found.status is Status.RUNNING:
            self.machine.kill(found)

    async def forget(self, run: RunId) -> None:
        """Drop what the run printed; see the port."""
        found = self._run(run)
        if found is not None and found.status is not Status.RUNNING:
            found.shell.output = b""


def _now() -> float:
    return asyncio.get_running_loop().time()
