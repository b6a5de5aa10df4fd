"""Requests that edges turn away because no healthy cluster can carry them.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.units import format_duration

TOLD_SECONDS = 5.0
"""How often the count of requests that were turned away is saved."""


@dataclass(frozen=True, slots=True)
class Shedding:
    """From the moment that something did not fit until everything fits again."""

    since: float
    parts: Mapping[str, int] = field(default_factory=dict)
    """Of 10,000 requests of the application, by priority class."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Of 10,000 requests of the class: what edges are told."""
    turned_away: int = 0
    """Requests that edges have counted, as of `counted_at`."""
    counted_at: float = 0.0

    @property
    def total(self) -> int:
        """Parts of all requests that are turned away."""
        return sum(self.parts.values())


def shedding(
    before: Shedding | None, parts: Mapping[str, int], refused: Mapping[str, int], now: float
) -> Shedding | None:
    """Return what is turned away from now on, None when everything fits."""
    if not parts:
        return None
    if before is None:
        return Shedding(now, parts, refused, counted_at=now)
    return replace(before, parts=parts, refused=refused)


def counted(known: Shedding | None, more: int, now: float) -> Shedding | None:
    """Return the shedding with so many requests more, once every 5 s."""
    if known is None or now - known.counted_at < TOLD_SECONDS or not more:
        return known
    return replace(known, turned_away=known.turned_away + more, counted_at=now)


def told(before: Shedding | None, after: Shedding | None, more: int, now: float) -> str:
    """
    Return what people should read of a change: that it begins or ends, "" otherwise.

    `more` requests were turned away that are in no count yet.
    """
    if before is None and after is not None:
        return f"turns away {by_class(after)}: no healthy cluster can carry it"
    if before is not None and after is None:
        lasted = format_duration(max(1, round(now - before.since)))
        count = before.turned_away + more
        return f"turns nobody away any more; {count} requests were turned away in {lasted}"
    return ""


def by_class(known: Shedding) -> str:
    """Return the shares of all requests in words: `12.5 % (others)`."""
    return ", ".join(f"{parts / 100:g} % ({name})" for name, parts in known.parts.items())
