"""A machine for steps in memory: it passes the contract of runners, and can be killed anywhere."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from crossfade.core.pipeline.state import RunSight, Status
from crossfade.ports.runner import Order, Output, RunId, Serving
from crossfade.testing.fake_shell import Command, Shell

_LOOK_SECONDS = 0.01
_READY_SECONDS = 0.05


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
        commands = {"getent": self._names(order), **self._commands}
        shell = Shell(lines, order.directory, order.environment, files, commands, now)
        self.runs[order.run] = FakeRun(order, shell)
        self.started.append(order.run)

    def _names(self, order: Order) -> Command:
        """Return a command that finds services by their names."""
        beside = self.runs.get(order.beside) if order.beside is not None else None
        serving = beside is not None and beside.status is Status.SERVING
        known = {*_services(order), *(_services(beside.order) if beside and serving else ())}
        return lambda _, words: 0 if words[-1] in known else 2

    def advance(self, now: float) -> None:
        """Let all runs do what is done by now."""
        for run in self.alive():
            if run.order.serving is not None:
                self._serve(run, run.order.serving, now)
                continue
            run.shell.advance(now)
            self._settle(run)

    def _serve(self, run: FakeRun, serving: Serving, now: float) -> None:
        if now - run.shell.at >= serving.most_seconds:
            self.lose(run)
        elif _is_never_ready(run.order):
            run.status, run.why = Status.FAILED, "exit code 1"
        elif now - run.shell.at >= _READY_SECONDS:
            run.status = Status.SERVING

    def _settle(self, run: FakeRun) -> None:
        code = run.shell.code
        if code is not None:
            run.status = Status.FAILED if code else Status.SUCCEEDED
            run.why = f"exit code {code}" if code else ""

    def alive(self) -> list[FakeRun]:
        """Return the runs that go on."""
        return [each for each in self.runs.values() if each.status.alive]

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
            running = found.status.alive
            if data := found.shell.output[offset:]:
                offset += len(data)
                masked = (each.value for each in found.shell.exports.values() if each.secret)
                silent = False
                yield Output(data, (*found.order.secrets, *masked))
            if not running:
                return
            if not (silent or data):
                silent = True
                yield Output(b"")
            await asyncio.sleep(_LOOK_SECONDS)

    async def stop(self, run: RunId, grace_seconds: float) -> None:
        """End the run; see the port."""
        found = self._run(run)
        if found is None or not found.status.alive:
            return
        self.machine.interrupt(found)
        if found.status.alive:
            await asyncio.sleep(grace_seconds)
            self._run(run)
        if found.status.alive:
            self.machine.kill(found)

    async def forget(self, run: RunId) -> None:
        """Drop what the run printed; see the port."""
        found = self._run(run)
        if found is not None and not found.status.alive:
            found.shell.output = b""


def _services(order: Order) -> Mapping[str, object]:
    document = order.composition.document if order.composition is not None else None
    found = document.get("services") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _is_never_ready(order: Order) -> bool:
    ready = order.composition.ready if order.composition is not None else None
    return ready is not None and ready.argv == ("false",)


def _now() -> float:
    return asyncio.get_running_loop().time()
