"""
Counters that are read now and then, as windows of requests that do not overlap.

What was added between two readings of one counting process is booked, whole, in the window of the
later reading: so no request is counted twice or made up, whatever comes late, twice or not at all.
A window in which nothing could be read is missing, which is not the same as empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

from crossfade.base.ids import ClusterName, RevisionId
from crossfade.core.analysis.counts import Window

ERRORS = "errors"
"""The event of requests that failed."""


def slower_than(edge_seconds: float) -> str:
    """Return the event of requests that took longer than the edge, for example `slower-250ms`."""
    return f"slower-{edge_seconds * 1000:g}ms"


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of requests, and to how many of them each event happened."""

    requests: int
    events: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """Totals of one revision as one process counts them, since that process started."""

    revision: RevisionId
    source: str
    """Who counts: a process whose totals begin at zero when it starts."""
    at: float
    """When they were read there, in seconds since the Unix epoch."""
    totals: Tally
    started_at: float | None = None
    """When the pod began that serves the requests, where that is known."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How readings become windows."""

    window_seconds: float = 15.0
    gap_seconds: float = 90.0
    """Readings further apart say nothing of the time between; longer than the scrape interval."""
    late_seconds: float = 15.0
    """How long after its end a window is closed: what arrives later is left out."""
    warmup_seconds: float = 60.0
    """What a pod serves in its first seconds is left out."""
    phase_seconds: float = 0.0
    """
    How much later than full multiples of their length windows begin.

    Each application has its own, so that those of a thousand do not all end at one moment.
    """


@dataclass(frozen=True, slots=True)
class ClusterWindow:
    """What each revision served in one cluster within one window; closed, so it never changes."""

    id: int
    """The number of the window: its start divided by the length of windows."""
    cluster: ClusterName
    revisions: Mapping[RevisionId, Tally]
    """A revision is missing when nothing was read of it, which is not the same as no requests."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The readings of one cluster so far."""

    cluster: ClusterName
    last: Mapping[str, Reading] = field(default_factory=dict)
    """The newest reading by revision and source."""
    open: Mapping[int, Mapping[RevisionId, Tally]] = field(default_factory=dict)
    closed: int = -1
    """The newest window that is closed."""
    resets: int = 0
    late: int = 0
    """Readings whose window was closed already."""


def add(counters: Counters, readings: Iterable[Reading], rules: Rules) -> Counters:
    """
    Return the counters with these readings, which may have been given before.

    The first reading of a process only sets its base, and so does one after a gap.  Totals that
    fell mean that the process has started again from zero.
    """
    last = dict(counters.last)
    windows = {number: dict(tallies) for number, tallies in counters.open.items()}
    resets, late = counters.resets, counters.late
    for reading in sorted(readings, key=lambda each: each.at):
        key = f"{reading.revision}/{reading.source}"
        base = last.get(key)
        if base is not None and reading.at <= base.at:
            continue
        last[key] = reading
        if base is None or reading.at - base.at > rules.gap_seconds or _is_warm(base, rules):
            continue
        number = window_id(reading.at, rules)
        if number <= counters.closed:
            late += 1
            continue
        fell = _fell(base.totals, reading.totals)
        resets += fell
        more = reading.totals if fell else _difference(base.totals, reading.totals)
        window = windows.setdefault(number, {})
        window[reading.revision] = _sum(window.get(reading.revision), more)
    return replace(counters, last=last, open=windows, resets=resets, late=late)


def close(
    counters: Counters, now: float, rules: Rules
) -> tuple[Counters, tuple[ClusterWindow, ...]]:
    """
    Return the counters, and the windows that ended and were not returned before, oldest first.

    Processes that are no longer read are forgotten.
    """
    newest = window_id(now - rules.late_seconds, rules) - 1
    if newest <= counters.closed:
        return counters, ()
    ended = tuple(
        ClusterWindow(number, counters.cluster, {r: _within(t) for r, t in tallies.items()})
        for number, tallies in sorted(counters.open.items())
        if number <= newest
    )
    kept = {number: each for number, each in counters.open.items() if number > newest}
    oldest = now - rules.gap_seconds - rules.late_seconds
    last = {key: each for key, each in counters.last.items() if each.at > oldest}
    return replace(counters, last=last, open=kept, closed=newest), ended


def compared(
    window: ClusterWindow, canary: RevisionId, stable: RevisionId, rules: Rules
) -> Window | None:
    """
    Return the window as the judge takes it, None unless both revisions were read in it.

    Events that were not read of both are left out: they were not measured.
    """
    new, old = window.revisions.get(canary), window.revisions.get(stable)
    if new is None or old is None:
        return None
    events = {
        event: (count, old.events[event])
        for event, count in new.events.items()
        if event in old.events
    }
    ended_at = ends_at(window.id, rules)
    return Window(window.id, window.cluster, new.requests, old.requests, events, ended_at)


def window_id(at: float, rules: Rules) -> int:
    """Return the number of the window that a time is in."""
    return int((at - rules.phase_seconds) // rules.window_seconds)


def ends_at(number: int, rules: Rules) -> float:
    """Return when the window of this number ends."""
    return (number + 1) * rules.window_seconds + rules.phase_seconds


def closes_at(now: float, rules: Rules) -> float:
    """Return when the next window is closed."""
    return ends_at(window_id(now - rules.late_seconds, rules), rules) + rules.late_seconds


def phase_of(name: str, window_seconds: float) -> float:
    """Return a phase for windows of this name: evenly spread, and always the same."""
    return crc32(name.encode()) / 2**32 * window_seconds


def _is_warm(base: Reading, rules: Rules) -> bool:
    """Say whether what follows the reading is still within the first seconds of its pod."""
    return base.started_at is not None and base.at < base.started_at + rules.warmup_seconds


def _fell(before: Tally, after: Tally) -> bool:
    return after.requests < before.requests or any(
        after.events.get(event, count) < count for event, count in before.events.items()
    )


def _difference(before: Tally, after: Tally) -> Tally:
    # An event that was not read before has no base: its total would be all of history.
    events = {
        event: count - before.events[event]
        for event, count in after.events.items()
        if event in before.events
    }
    return Tally(after.requests - before.requests, events)


def _sum(one: Tally | None, other: Tally) -> Tally:
    if one is None:
        return other
    # An event that one side did not read is unknown for the sum.
    events = {
        event: count + other.events[event]
        for event, count in one.events.items()
        if event in other.events
    }
    return Tally(one.requests + other.requests, events)


def _within(tally: Tally) -> Tally:
    """Return the tally with no event more frequent than requests: counters are read in turn."""
    return replace(tally, events={e: min(n, tally.requests) for e, n in tally.events.items()})
