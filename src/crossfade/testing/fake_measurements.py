"""A source of metrics in memory."""

import math
from dataclasses import dataclass, field

from crossfade.base.errors import Denied, Unavailable
from crossfade.base.json_value import Json
from crossfade.core.analysis.counters import Reading
from crossfade.core.analysis.queries import CounterQuery, PrometheusQuery, Query
from crossfade.core.analysis.sources import MetricSource
from crossfade.ports.measurements import Ability, Measured, Point, Span


@dataclass(slots=True)
class FakeMeasurements:
    """The Measurements port for tests: values by the text of their query."""

    values: dict[str, Json] = field(default_factory=dict)
    points: dict[str, dict[float, float]] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    silent: bool = False
    denied: bool = False
    asked: list[Query | CounterQuery] = field(default_factory=list)

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can be asked for: everything."""
        return frozenset(Ability)

    async def measure(self, query: Query, now: float) -> Measured:
        """Return the value that was set for the query."""
        value = self.values.get(self._text(query))
        return Measured(value, known=value is not None)

    async def series(self, query: Query, span: Span) -> tuple[Point, ...]:
        """Return the points that were set for the query."""
        points = self.points.get(self._text(query), {})
        return tuple(Point(at, points.get(at, math.nan)) for at in span.times)

    async def counts(self, query: CounterQuery, span: Span) -> tuple[Reading, ...]:
        """Return the readings of the revisions within the span."""
        self._text(query)
        found = (
            each
            for each in self.readings
            if span.start <= each.at <= span.end and each.revision in query.arms.values()
        )
        return tuple(sorted(found, key=lambda each: each.at))

    async def close(self) -> None:
        """Do nothing."""

    def _text(self, query: Query | CounterQuery) -> str:
        if self.silent:
            raise Unavailable("the fake does not answer", hint="set silent to False")
        if self.denied:
            raise Denied("the fake refuses", hint="set denied to False")
        self.asked.append(query)
        return query.text if isinstance(query, PrometheusQuery) else ""


@dataclass(frozen=True, slots=True)
class FakeSources:
    """The Sources port for tests: every source is the same one."""

    measurements: FakeMeasurements

    def open(self, source: MetricSource) -> FakeMeasurements:
        """Return the one source."""
        return self.measurements
