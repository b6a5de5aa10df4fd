"""How builds are shown: lines with the step before them, and a table at the end."""

import asyncio
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TextIO

from crossfade.base.errors import NotFound
from crossfade.base.units import format_duration
from crossfade.cli.output import note, table
from crossfade.cli.pipeline_tree import live_tree

if TYPE_CHECKING:
    from crossfade.core.pipeline.graph import Graph
    from crossfade.core.pipeline.state import State
    from crossfade.core.pipeline.variables import Variable
    from crossfade.engine.pipelines.records import Build
    from crossfade.engine.pipelines.views import BuildRow, Outline
    from crossfade.wiring_pipelines import Pipelines

_FOLLOW_SECONDS = 0.1
_WONDER_SECONDS = 2.0
"""So long may the hub take to begin a build before somebody is told that it waits."""
_TWICE = 2
_WIDEST = 30
_NAMED = 8
"""So many variables are named that nothing sets."""


class Lines:
    """Prints whole lines as they come, each behind the name of its step."""

    def __init__(self, outline: "Outline", *, on_stderr: bool) -> None:
        self._on_stderr = on_stderr
        self._begun: dict[str, str] = {}
        self._width = min(_WIDEST, max((len(key) for key in outline.units), default=0))

    def told(self, key: str, text: str) -> None:
        """Print what happened to a step, or what all wait for; the end of one ends its line."""
        self._end_line(key)
        note(f"{key.ljust(self._width)} * {text}" if key else text)

    def printed(self, key: str, text: str) -> None:
        """Print the lines that are whole."""
        *lines, rest = (self._begun.pop(key, "") + text).split("\n")
        for line in lines:
            self._line(key, line)
        if rest:
            self._begun[key] = rest

    def finish(self) -> None:
        """Print what is left of lines without an end."""
        for key in list(self._begun):
            self._end_line(key)

    def note(self, text: str) -> None:
        """Tell people something."""
        note(text)

    def unset(self, graph: "Graph", variables: "Mapping[str, Variable]") -> None:
        """Tell which variables nothing sets: their references stay as they are written."""
        from crossfade.core.pipeline.unset import unset

        found = unset(graph, variables)
        if not found:
            return
        named = [f"{each.name} ({each.step}, line {each.line})" for each in found[:_NAMED]]
        more = [f"{len(found) - _NAMED} more"] if len(found) > _NAMED else []
        note(
            f"nothing sets {', '.join([*named, *more])}: `--var NAME=VALUE`, "
            "`--secret NAME` or `--context NAME` does, unless a script of a step exports it"
        )

    def notices(
        self,
        graph: "Graph",
        variables: "Mapping[str, Variable]",
        images: tuple[str, ...],
        pipelines: "Pipelines",
    ) -> None:
        """Tell what runs otherwise than where images are pulled."""
        from crossfade.core.pipeline.supported import notices
        from crossfade.engine.pipelines.commands import filling

        found = notices(graph, filling(variables), images, pipelines.around.has_image)
        if found:
            named = ", ".join(f"{each.image} ({', '.join(each.commands)})" for each in found)
            note(f"images are not pulled; this machine's tools stand for: {named}")
        if found and not pipelines.places.processes.isolated:
            note(
                "bubblewrap does not work here: steps see all files of this machine, and "
                "/codefresh/volume is put into their commands as the folder that it is"
            )

    def _end_line(self, key: str) -> None:
        if key in self._begun:
            self._line(key, self._begun.pop(key))

    def _line(self, key: str, line: str) -> None:
        # Asked for each time: while a tree is drawn below the lines, other streams stand for both.
        out = sys.stderr if self._on_stderr else sys.stdout
        _print(out, f"{key.ljust(self._width)} | {line.rstrip()}")


def _print(out: TextIO, line: str) -> None:
    print(line.encode(errors="replace").decode(), file=out, flush=True)


def build_json(row: "BuildRow") -> dict[str, object]:
    """Return a build as a row of a list."""
    return {
        "run": row.run,
        "pipeline": row.pipeline,
        "result": row.result,
        "waiting": ", ".join(row.waiting),
        "running": row.running,
    }


def result_json(build: "Build", state: "State") -> dict[str, object]:
    """Return how a build ended, with each of its steps."""
    from crossfade.core.pipeline.state import BUILD

    return {
        "run": build.id,
        "pipeline": build.pipeline,
        "result": state.result.value,
        "reason": state.units[BUILD].reason if BUILD in state.units else "",
        "steps": {
            key: {"result": unit.result.value, "reason": unit.reason, "attempt": unit.attempt}
            for key, unit in state.units.items()
            if key != BUILD
        },
        "variables": {
            each.variable.name: "***" if each.variable.secret else each.variable.value
            for each in state.exports
        },
    }


def summary(build: "Build", state: "State") -> str:
    """Return the steps of an ended build as a table, and its result."""
    from crossfade.core.pipeline.state import BUILD

    rows = [
        (key, unit.result, _took(unit.since, unit.ended), unit.reason)
        for key, unit in state.units.items()
        if key != BUILD
    ]
    steps = table(("step", "result", "took", "why"), rows)
    return f"{steps}\nbuild {build.id}: {state.result}"


def _took(since: float, ended: float | None) -> str:
    return "" if ended is None else format_duration(round(max(0.0, ended - since), 1))


def check_step(outline: "Outline", step: str) -> None:
    """Return if there is such a step.  Raises NotFound."""
    if not step or step not in outline.units:
        known = ", ".join(key for key in outline.units if key)[:300]
        raise NotFound(f"there is no step `{step}`", hint=f"steps: {known}")


async def print_logs(
    pipelines: "Pipelines", build: "Build", step: str, *, follow: bool, on_stderr: bool = False
) -> None:
    """Print the logs of a build, and go on with it if asked to.  Raises NotFound."""
    outline = await pipelines.outline(build)
    if step:
        check_step(outline, step)
    reading = _Reading(pipelines, build, Lines(outline, on_stderr=on_stderr), step)
    lines = reading.lines
    waiting = _Waiting(pipelines, build)
    async with live_tree(pipelines, build.id, outline) if follow else nullcontext():
        while True:
            state = (await pipelines.builds.state(build.id)).value
            await reading.print_new(state)
            if follow:
                await waiting.tell(state)
            if state.ended or not follow:
                break
            await asyncio.sleep(_FOLLOW_SECONDS)
        lines.finish()


class _Waiting:
    """Says once what a build waits for that has not begun, or that gets no answer."""

    def __init__(self, pipelines: "Pipelines", build: "Build") -> None:
        self._pipelines, self._build = pipelines, build
        self._looked_at, self._told = time.monotonic(), False
        self._silent, self._left = "", 0

    async def tell(self, state: "State") -> None:
        """Say so when it has waited for long enough to make somebody wonder."""
        if state.waits_for not in ("", self._silent) and not state.ended:
            note(f"build {self._build.id} waits: {state.waits_for}")
        self._silent = state.waits_for
        if state.ended or time.monotonic() - self._looked_at < _WONDER_SECONDS:
            return
        self._looked_at = time.monotonic()
        await self._tell_when_nobody_runs_it()
        if not state.units and not self._left and not self._told:
            self._told = True
            await self._tell_of_others()

    async def _tell_when_nobody_runs_it(self) -> None:
        own = self._build
        self._left = 0 if await self._pipelines.has_runner(own) else self._left + 1
        if self._left == _TWICE:  # others may have been about to take it over
            command = "crossfade up" if own.hub else f"crossfade pipeline resume {own.id}"
            note(f"nobody runs build {own.id}; `{command}` goes on with it")

    async def _tell_of_others(self) -> None:
        own = self._build
        rows = await self._pipelines.rows()
        before = [each for each in rows if each.ended is None and int(each.run) < int(own.id)]
        same = [each.run for each in before if each.pipeline == own.pipeline]
        if same:
            note(f"build {own.id} waits for its turn after {own.pipeline} {', '.join(same[:5])}")
        else:
            note(f"build {own.id} waits to be begun; `crossfade pipeline list` shows all")


class _Reading:
    """How far the logs of the steps have been printed."""

    def __init__(self, pipelines: "Pipelines", build: "Build", lines: Lines, step: str) -> None:
        self._pipelines, self._build, self.lines, self._step = pipelines, build, lines, step
        self._places: dict[str, Any] = {}
        self._read: set[str] = set()

    async def print_new(self, state: "State") -> None:
        """Print what the steps have printed since, those that began first before the others."""
        for key, unit in sorted(state.units.items(), key=lambda each: each[1].since):
            if self._step not in ("", key) or key in self._read:
                continue
            place = self._places.get(key, {})
            text, self._places[key] = await self._pipelines.read_log(self._build, state, key, place)
            self.lines.printed(key, text)
            if unit.ended is not None:
                self._read.add(key)
