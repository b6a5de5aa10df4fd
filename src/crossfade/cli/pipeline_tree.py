"""The steps of a build in a terminal, below what they print, as long as the build goes on."""

import asyncio
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossfade.base.errors import CrossfadeError, ungrouped
from crossfade.base.units import format_duration

if TYPE_CHECKING:
    from rich.text import Text

    from crossfade.core.pipeline.state import State, UnitState
    from crossfade.engine.pipelines.views import Outline
    from crossfade.wiring_pipelines import Pipelines

_LOOK_SECONDS = 0.25
_SHARE = 20
"""Looking at the build takes at most one part in so many of the time."""
_MARKS = {
    "running": ("●", "cyan"),
    "terminating": ("●", "yellow"),
    "pending-approval": ("?", "yellow"),
    "success": ("✓", "green"),
    "approved": ("✓", "green"),
    "failure": ("✗", "red"),
    "denied": ("✗", "red"),
    "terminated": ("✗", "yellow"),
    "skipped": ("-", "dim"),
    "pending": ("·", "dim"),
    "waits": ("!", "yellow"),
}
_ASCII = {"●": "*", "✓": "+", "✗": "x", "·": "."}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: how a step stands."""

    result: str
    text: str


def rows(graph: "Outline", state: "State", now: float, most: int) -> list[Row]:
    """
    Return the steps in the order of the file, those inside of others indented.

    When there are more than `most`, those that are over or have not begun are only counted.  What
    the whole build waits for comes after them.
    """
    if state.waits_for and not state.ended:
        steps = _steps(graph, state, now, most - 1)
        return [*steps, Row("waits", f"the build waits: {state.waits_for}")]
    return _steps(graph, state, now, most)


def _steps(graph: "Outline", state: "State", now: float, most: int) -> list[Row]:
    found = [(key, _row(graph, state, key, now)) for key in graph.units if key]
    shown = [row for key, row in found if key in state.units or graph.units[key].hook is None]
    if len(shown) <= most:
        return shown
    told_of = [row for row in shown if row.result not in ("pending", "skipped", "success")]
    kept = told_of[: max(most - 1, 0)]
    rest = Counter(row.result for row in shown) - Counter(row.result for row in kept)
    told = ", ".join(f"{count} {result}" for result, count in sorted(rest.items()))
    return [*kept, Row("", f"and {told}")]


def _row(graph: "Outline", state: "State", key: str, now: float) -> Row:
    depth, owner = 0, graph.units[key].owner
    while owner:
        depth, owner = depth + 1, graph.units[owner].owner
    unit = state.units.get(key)
    result = "pending" if unit is None else unit.result.value
    more = "" if unit is None else _more(unit, result, now)
    return Row(result, f"{'  ' * depth}{key}{more}")


def _more(unit: "UnitState", result: str, now: float) -> str:
    took = format_duration(round(max(0.0, (unit.ended or now) - unit.since), 1))
    parts = [] if result == "skipped" else [took]
    if result == "pending-approval":
        parts.append("waits for approval")
    if unit.attempt > 1:
        parts.append(f"attempt {unit.attempt}")
    if result in ("failure", "denied", "terminated") and unit.reason:
        parts.append(unit.reason)
    return "  " + ", ".join(parts) if parts else ""


def at_terminal() -> bool:
    """Return whether there is somebody whose terminal can show it."""
    dumb = os.environ.get("TERM", "") in ("", "dumb") or bool(os.environ.get("CI"))
    return sys.stdout.isatty() and sys.stderr.isatty() and not dumb


class _Tree:
    """What is drawn: the newest state that was seen."""

    def __init__(self, graph: "Outline", state: "State", now: Callable[[], float]) -> None:
        self._graph, self.state, self._now = graph, state, now

    def text(self) -> "Text":
        """Return the lines for a terminal of the size that it has now."""
        from rich.text import Text

        width, height = shutil.get_terminal_size()
        plain = "utf" not in (sys.__stdout__.encoding if sys.__stdout__ else "").lower()
        text = Text(no_wrap=True, overflow="ellipsis")
        for row in rows(self._graph, self.state, self._now(), max(height // 2, 3)):
            mark, style = _MARKS.get(row.result, (" ", "dim"))
            line = f"{_ASCII.get(mark, mark) if plain else mark} {row.text}"
            clean = "".join(each if each.isprintable() else "?" for each in line)
            text.append(f"{clean[: width - 1]}\n", style)
        text.rstrip()
        return text


@asynccontextmanager
async def live_tree(pipelines: "Pipelines", build: str, graph: "Outline") -> AsyncIterator[None]:
    """Draw the tree as long as the context lasts, if there is a terminal."""
    if not at_terminal():
        yield
        return
    from rich.console import Console
    from rich.live import Live

    state = (await pipelines.builds.state(build)).value
    tree = _Tree(graph, state, pipelines.now)
    live = Live(
        console=Console(file=sys.stderr),
        get_renderable=tree.text,
        refresh_per_second=1 / _LOOK_SECONDS,
        transient=True,
        vertical_overflow="crop",
    )
    try:
        with live:
            async with asyncio.TaskGroup() as group:
                looking = group.create_task(_look(pipelines, build, tree))
                try:
                    yield
                finally:
                    looking.cancel()
    except BaseExceptionGroup as errors:  # of the build: looking raises none
        raise ungrouped(errors) from None


async def _look(pipelines: "Pipelines", build: str, tree: _Tree) -> None:
    while True:
        began = time.monotonic()
        with suppress(CrossfadeError):  # the build says so itself
            tree.state = (await pipelines.builds.state(build)).value
        took = time.monotonic() - began
        await asyncio.sleep(max(_LOOK_SECONDS, took * _SHARE))
