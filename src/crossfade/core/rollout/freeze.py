"""
Times in which nothing is rolled out.

A window begins by the clock on the wall of its time zone and lasts its duration in real time.
A beginning that summer time skips is at the end of what is skipped; of one that comes twice, the
first counts.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crossfade.base.errors import InputError
from crossfade.base.units import LONGEST_SECONDS, format_duration
from crossfade.core.rollout.cron import Cron, parse_cron

_DAY = 86400.0
_MOST_LINKS = 1000
"""Windows that follow each other without a pause; after so many they will go on for ever."""
_HORIZON_DAYS = 366 * 28
"""The calendar repeats after 28 years: what has not begun by then never will."""


@dataclass(frozen=True, slots=True)
class FreezeWindow:
    """One window, as users describe it."""

    name: str
    begins: str
    """A cron calendar, as `0 18 * * fri`."""
    duration_seconds: float
    zone: str = "UTC"
    """A time zone of the IANA database."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Whether it is frozen, and when that changes."""

    window: FreezeWindow | None
    """The window that it is in, None when it is not frozen."""
    changes_at: float | None
    """Seconds since the Unix epoch; None when that never comes."""

    @property
    def frozen(self) -> bool:
        """Whether nothing may be rolled out now."""
        return self.window is not None

    @property
    def reason(self) -> str:
        """Why, for people; "" when it is not frozen."""
        if self.window is None:
            return ""
        if self.changes_at is None:
            return f"frozen by `{self.window.name}`, without end"
        until = datetime.fromtimestamp(self.changes_at, _zone(self.window.zone))
        return f"frozen by `{self.window.name}` until {until:%Y-%m-%d %H:%M} {self.window.zone}"


def freeze_window(
    name: str, begins: str, duration_seconds: float, zone: str = "UTC"
) -> FreezeWindow:
    """Return the window, checked.  Raises InputError that says what is allowed."""
    parse_cron(begins)
    _zone(zone)
    if not 60 <= duration_seconds <= LONGEST_SECONDS:
        raise InputError(
            f"the freeze window `{name}` lasts {format_duration(max(duration_seconds, 0))}",
            hint="give a duration from 1m to a year",
        )
    return FreezeWindow(name, begins, duration_seconds, zone)


def look(windows: tuple[FreezeWindow, ...], now: float) -> Freeze:
    """Return whether `now` is within any window, and when that changes."""
    current = _current(windows, now)
    if current is None:
        starts = [start for each in windows if (start := _next_start(each, now)) is not None]
        return Freeze(None, min(starts, default=None))
    window, end = current
    for _ in range(_MOST_LINKS):
        longer = _current(windows, end)
        if longer is None:
            return Freeze(window, end)
        end = longer[1]
    return Freeze(window, None)


def _current(windows: tuple[FreezeWindow, ...], at: float) -> tuple[FreezeWindow, float] | None:
    """Return the window that lasts longest of those that `at` is in, with its end."""
    found: tuple[FreezeWindow, float] | None = None
    for window in windows:
        start = _last_start(window, at)
        if start is None:
            continue
        end = start + window.duration_seconds
        if end > at and (found is None or end > found[1]):
            found = window, end
    return found


def _last_start(window: FreezeWindow, at: float) -> float | None:
    """Return the newest beginning that is not after `at`, None when it is over since."""
    zone, cron = _zone(window.zone), _calendar(window.begins)
    today = datetime.fromtimestamp(at, zone).date()
    # A day more on both sides: days are up to 25 hours long, and beginnings may be moved on.
    days = int(window.duration_seconds // _DAY) + 2
    for back in range(-1, days + 1):
        day = today - timedelta(days=back)
        count = _begun(cron, zone, day, at)
        if count:
            return _instant(day, cron.times[count - 1], zone)
    return None


def _next_start(window: FreezeWindow, after: float) -> float | None:
    zone, cron = _zone(window.zone), _calendar(window.begins)
    yesterday = datetime.fromtimestamp(after, zone).date() - timedelta(days=1)
    for ahead in range(_HORIZON_DAYS):
        day = yesterday + timedelta(days=ahead)
        if cron.matches(day):
            count = _begun(cron, zone, day, after)
            if count < len(cron.times):
                return _instant(day, cron.times[count], zone)
    return None


def next_time(calendar: str, zone: str, after: float) -> float | None:
    """
    Return when a calendar, written as cron does, is due next after a moment; None: never.

    Times are in seconds since the Unix epoch.  Raises InputError for what is no calendar or zone.
    """
    return _next_start(FreezeWindow("", calendar, 0.0, zone), after)


def _begun(cron: Cron, zone: tzinfo, day: date, at: float) -> int:
    """Return how many of the day's beginnings are not after `at`."""
    if not cron.matches(day):
        return 0
    return bisect_right(cron.times, at, key=lambda each: _instant(day, each, zone))


def _instant(day: date, wall: time, zone: tzinfo) -> float:
    """Return the first instant of a time on the wall, or the end of the gap that skips it."""
    local = datetime.combine(day, wall, zone)
    first, second = local.timestamp(), local.replace(fold=1).timestamp()
    if first <= second:
        return first
    # The clock skips this time: as an instant it is after the gap by the old offset, and before
    # the gap by the new one.  The gap's end is between, where the offset changes.
    low, high = second, first
    offset = datetime.fromtimestamp(high, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high


@lru_cache(maxsize=256)
def _calendar(text: str) -> Cron:
    """Return the calendar, read once."""
    return parse_cron(text)


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"there is no time zone `{name}`",
            hint="give a name of the IANA database, as Europe/Berlin, or UTC; the hub's machine"
            " needs that database (on Debian the package tzdata)",
        ) from error
