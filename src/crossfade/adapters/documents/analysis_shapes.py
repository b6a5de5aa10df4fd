"""Shapes of values that only files for analyses have: series, numbers in quotes, any JSON."""

import math
from dataclasses import dataclass

from crossfade.adapters.documents.problems import Problems, shown
from crossfade.adapters.documents.shapes import Shape
from crossfade.adapters.documents.tree import BROKEN, Entries, Located

NOT_FINITE = {
    "NaN": math.nan,
    "Inf": math.inf,
    "+Inf": math.inf,
    "-Inf": -math.inf,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
}
"""Numbers that JSON cannot hold, as sources of metrics write them."""


@dataclass(frozen=True, slots=True)
class OrNull:
    """A value of a shape, or null for none."""

    shape: Shape

    @property
    def allowed(self) -> str:
        """What the shape allows."""
        return self.shape.allowed

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return what the shape reads, or None."""
        return None if value.value is None else self.shape.read(value, path, problems)


@dataclass(frozen=True, slots=True)
class Series:
    """Points of a time series; null and NaN stand for points without a value."""

    allowed: str = "a list of numbers, null for a point without one"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return a tuple of floats."""
        if not isinstance(value.value, tuple):
            _refuse(value, path, problems, self.allowed)
            return ()
        return tuple(
            self._point(point, f"{path}[{index}]", problems)
            for index, point in enumerate(value.value)
        )

    def _point(self, point: Located, path: str, problems: Problems) -> float:
        written = point.value
        if written is None or written == "NaN":
            return math.nan
        if isinstance(written, int | float) and not isinstance(written, bool):
            try:
                return float(written)
            except OverflowError:
                pass
        _refuse(point, path, problems, "a finite number, or null for a point without one")
        return math.nan


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, also in quotes, as Kubernetes reads numbers that may be arguments."""

    low: int
    high: int = 2**31 - 1

    @property
    def allowed(self) -> str:
        """The range."""
        return f"a whole number from {self.low} to {self.high}"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return the number."""
        written = value.value
        if isinstance(written, str) and written.strip().lstrip("-").isdecimal():
            written = int(written) if len(written) <= 12 else None
        whole = isinstance(written, int) and not isinstance(written, bool)
        if whole and isinstance(written, int) and self.low <= written <= self.high:
            return written
        _refuse(value, path, problems, self.allowed)
        return self.low


@dataclass(frozen=True, slots=True)
class Json:
    """Any value; words for numbers that JSON cannot hold become those numbers."""

    allowed: str = "any value"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return plain lists, dicts and scalars."""
        return plain(value)


def plain(value: Located) -> object:
    """Return a value without the places it stands at."""
    match value.value:
        case tuple() as items:
            return [plain(item) for item in items]
        case dict() as entries:
            return {key: plain(item) for key, (_, item) in entries.items()}
        case str() as text:
            return NOT_FINITE.get(text, text)
        case scalar:
            return scalar


def without(value: Located, *keys: str) -> Located:
    """Return a mapping without some of its keys; other values stay as they are."""
    if not isinstance(value.value, dict):
        return value
    left: Entries = {key: item for key, item in value.value.items() if key not in keys}
    return Located(left, value.at)


def _refuse(value: Located, path: str, problems: Problems, allowed: str) -> None:
    if value.value is BROKEN:
        return
    written = plain(value)
    what = "nothing" if written is None else shown(written)
    problems.add(value.at, path, f"{what} is not allowed; allowed: {allowed}")
