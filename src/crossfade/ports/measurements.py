"""What a source of metrics answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from crossfade.base.json_value import Json
from crossfade.core.analysis.counters import Reading
from crossfade.core.analysis.queries import CounterQuery, Query
from crossfade.core.analysis.sources import MetricSource


class Ability(StrEnum):
    """What a source can be asked for."""

    MEASURE = "measure"
    SERIES = "series"
    COUNTS = "counts"


@dataclass(frozen=True, slots=True)
class Measured:
    """One answer of a source."""

    value: Json
    """A number (NaN and infinities too), a list or an object, as the source gave it."""
    known: bool = True
    """False: the source answered, and has nothing.  That is no zero, and neither good nor bad."""
    passed: bool | None = None
    """The source's own verdict, as the end of a Job is; None: conditions on `value` decide."""
    notes: tuple[str, ...] = ()
    """Warnings of the source, for people."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, both included, in steps; seconds since the Unix epoch."""

    start: float
    end: float
    step_seconds: float = 60.0

    @property
    def times(self) -> tuple[float, ...]:
        """The time of each step."""
        count = int((self.end - self.start) / self.step_seconds + 1e-9) + 1
        return tuple(self.start + index * self.step_seconds for index in range(max(count, 0)))


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a series."""

    at: float
    value: float
    """NaN where there is nothing."""


class Measurements(Protocol):
    """
    One source of metrics.

    Every method raises Unavailable when the source does not answer (silence is neither good nor
    bad), Denied when it refuses our credentials, InputError for a query that it refuses or that is
    for another kind of source, and for what is not among its `abilities`.
    Every implementation passes tests/contract/test_measurements.py.
    """

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can be asked for."""
        ...

    async def measure(self, query: Query, now: float) -> Measured:
        """Return what the query gives at `now`."""
        ...

    async def series(self, query: Query, span: Span) -> tuple[Point, ...]:
        """Return a point for each step of the span, NaN where the source has nothing."""
        ...

    async def counts(self, query: CounterQuery, span: Span) -> tuple[Reading, ...]:
        """Return the counters' totals as they were read within the span, oldest first."""
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


class Sources(Protocol):
    """Makes the adapter of a source, the same one each time."""

    def open(self, source: MetricSource) -> Measurements:
        """Return what asks the source; nothing is asked yet."""
        ...
