"""
Moments of a calendar, as cron writes them: `minute hour day-of-month month day-of-week`.

Numbers, names (`jan`, `mon`), lists, ranges and steps; Sunday is 0 or 7.  As in cron, when both the
day of the month and the day of the week are restricted, either is enough.

Read here and not by a library: croniter is no longer kept, and five fields are a small grammar, of
which freeze windows need the days and times but no running clock.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, time

from crossfade.base.errors import InputError

_MONTHS = tuple(name.lower() for name in calendar.month_abbr[1:])
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LONGEST = 500
_LEAP_YEAR = 2024


@dataclass(frozen=True, slots=True)
class _Field:
    """What one of the five fields may have."""

    title: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    first_name: int = 0
    """The number of the first name."""

    @property
    def allowed(self) -> str:
        """What is allowed, for messages."""
        names = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.lowest}-{self.highest}{names}, `*`, lists `a,b`, ranges `a-b`, steps `*/n`"


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day of the week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A calendar that was understood."""

    text: str
    times: tuple[time, ...]
    """The moments of a day that matches, in order."""
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    either_day: bool
    """Both kinds of day are restricted: either is enough."""

    def matches(self, day: date) -> bool:
        """Say whether there are moments on the day."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week


def parse_cron(text: str) -> Cron:
    """Return the calendar.  Raises InputError that names the field and what is allowed in it."""
    parts = _SHORT.get(text.strip().lower(), text).split()
    if len(parts) != len(_FIELDS) or len(text) > _LONGEST:
        raise InputError(
            f"`{text[:100]}` is no cron calendar: it has {len(parts)} fields, not 5",
            hint="write `minute hour day-of-month month day-of-week`, as in `0 18 * * fri`;"
            f" or one of {', '.join(_SHORT)}",
        )
    minutes, hours, days, months, weekdays = (
        _numbers(part.lower(), field, text) for part, field in zip(parts, _FIELDS, strict=True)
    )
    restricted = [not part.startswith(("*", "?")) for part in (parts[2], parts[4])]
    cron = Cron(
        text,
        tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        frozenset(days),
        frozenset(months),
        frozenset(day % 7 for day in weekdays),
        all(restricted),
    )
    _refuse_never(cron)
    return cron


def _numbers(text: str, field: _Field, whole: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        values = _range(part, field)
        if not values:
            raise InputError(
                f"`{part}` is not allowed as the {field.title} in the cron calendar `{whole}`",
                hint=f"allowed are {field.allowed}",
            )
        found.update(values)
    return found


def _range(part: str, field: _Field) -> range | None:
    """Return the numbers of one part of a list, None when it is none."""
    found = re.fullmatch(r"(\*|\?|\w+)(?:-(\w+))?(?:/(\d{1,3}))?", part, re.ASCII)
    if found is None:
        return None
    first, last, step = found.groups()
    if first in {"*", "?"}:
        start, end = (field.lowest, field.highest) if last is None else (None, None)
    else:
        start = _number(first, field)
        end = _end(start, last, step, field)
    if start is None or end is None or start > end or step == "0":
        return None
    return range(start, end + 1, int(step or 1))


def _end(start: int | None, last: str | None, step: str | None, field: _Field) -> int | None:
    if last is None:
        return field.highest if step else start
    end = _number(last, field)
    # `fri-sun`: as the end of a range, Sunday is the seventh day.
    return 7 if last == "sun" and end == 0 else end


def _number(text: str, field: _Field) -> int | None:
    if text in field.names:
        return field.names.index(text) + field.first_name
    if not text.isdigit() or len(text) > 2:
        return None
    return int(text) if field.lowest <= int(text) <= field.highest else None


def _refuse_never(cron: Cron) -> None:
    longest = max(calendar.monthrange(_LEAP_YEAR, month)[1] for month in cron.months)
    if not cron.either_day and min(cron.days) > longest:
        raise InputError(
            f"the cron calendar `{cron.text}` never comes",
            hint=f"no month of it has a day {min(cron.days)}",
        )
