"""The log of a step as numbered lines: its runs one after the other, from any line on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crossfade.core.pipeline.log_lines import LogLines
from crossfade.core.pipeline.state import BUILD, State
from crossfade.engine.pipelines.records import Build, run_id
from crossfade.ports.runner import RunId
from crossfade.ports.step_logs import StepLogs


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a step printed; what is in it has been masked."""

    number: int
    """1, 2, 3, ... over all runs of the step."""
    run: int
    """Which run of the step printed it: each attempt is one."""
    text: str


def log_runs(logs: StepLogs, build: Build, state: State, key: str) -> tuple[RunId, ...]:
    """
    Return the runs of a step, oldest first; none before its first.

    A step that a restart has kept ran in an earlier generation of the build.
    """
    unit = state.units.get(key)
    if unit is None:
        return ()
    numbers = range(1, unit.run + 1)
    newest = tuple(run_id(build, key, number) for number in numbers)
    begun = state.units[BUILD].since if BUILD in state.units else None
    kept = unit.ended is not None and (begun is None or unit.ended <= begun)
    if not kept:
        return newest
    for generation in range(build.generation, -1, -1):
        runs = tuple(RunId(build.id, generation, key, number) for number in numbers)
        if any(logs.read(each)[0] for each in runs):
            return runs
    return newest


@dataclass(slots=True)
class StepLog:
    """Reads on in the log of one step."""

    logs: StepLogs
    key: str
    _lines: LogLines = field(default_factory=LogLines)
    _at: int = 0
    """So many runs have been read to their end."""
    _offset: int = 0

    def more(self, build: Build, state: State) -> list[LogLine]:
        """Return lines that have not been returned yet, [] when there are none now."""
        runs = log_runs(self.logs, build, state, self.key)
        while self._at < len(runs):
            text, self._offset = self.logs.read(runs[self._at], self._offset)
            over = self._at + 1 < len(runs) or state.units[self.key].ended is not None
            found = self._lines.feed(text) if text else []
            if not text and over:
                found = self._lines.finish()
            numbered = self._numbered(found)
            if not text:
                if not over:
                    return []
                self._at, self._offset = self._at + 1, 0
            if numbered:
                return numbered
        return []

    def _numbered(self, texts: Sequence[str]) -> list[LogLine]:
        first = self._lines.count - len(texts) + 1
        return [LogLine(first + index, self._at + 1, text) for index, text in enumerate(texts)]


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines of the log of a step."""

    lines: tuple[LogLine, ...]
    more: bool
    """Whether there are lines after these already."""


def log_page(log: StepLog, build: Build, state: State, after: int, limit: int) -> LogPage:
    """Return up to `limit` lines with a number above `after`; `log` has not been read yet."""
    found: list[LogLine] = []
    while len(found) <= limit and (lines := log.more(build, state)):
        found += [each for each in lines if each.number > after]
    return LogPage(tuple(found[:limit]), len(found) > limit)
