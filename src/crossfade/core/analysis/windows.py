"""
Requests and errors of a revision over the last seconds, from counters that are read now and then.

Counters start again at zero when a gateway restarts, reads may be late or repeated, and a
cluster may fall silent; none of these makes up or loses a request that was counted.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Reading:
    """Totals of one revision in one cluster, as the gateway counts them."""

    at: float
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class Increment:
    """What was added between two readings, booked at the later one."""

    at: float
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class Series:
    """The readings of one revision in one cluster, as increments."""

    last: Reading | None = None
    increments: tuple[Increment, ...] = ()

    def add(self, reading: Reading, keep_seconds: float) -> "Series":
        """
        Return the series with one more reading; increments older than `keep_seconds` go.

        The first reading only sets the base.  A reading no newer than the last one changes
        nothing.  Totals that fell mean that the counting process started again from zero.
        """
        if self.last is None:
            return replace(self, last=reading)
        if reading.at <= self.last.at:
            return self
        fell = reading.requests < self.last.requests or reading.errors < self.last.errors
        base = Reading(self.last.at, 0, 0) if fell else self.last
        more = Increment(reading.at, reading.requests - base.requests, reading.errors - base.errors)
        kept = tuple(each for each in self.increments if each.at > reading.at - keep_seconds)
        return Series(reading, (*kept, more) if more.requests or more.errors else kept)

    def sum(self, since: float) -> tuple[int, int]:
        """Return requests and errors booked after `since`."""
        inside = [each for each in self.increments if each.at > since]
        return sum(each.requests for each in inside), sum(each.errors for each in inside)
