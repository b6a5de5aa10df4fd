"""Wrong passwords, counted so that nobody guesses on, and nobody locks others out by them."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.base.errors import TooManyRequests

FAILURES = 10
"""So many for one name from one place, or from one known browser, within WINDOW_SECONDS."""
FAILURES_OF_A_PLACE = 60
"""The same for all names together."""
FAILURES_OF_A_NAME = 60
"""The same from all places together, by strangers to the account: what a place is, they say."""
STRANGERS_AT_ONCE = 16
"""Whose passwords are looked at or wait for that: each takes a core for a moment."""
WINDOW_SECONDS = 60.0
_MOST = 30_000

Bounds = dict[tuple[str, ...], int]
"""How many of what."""


def bounds_of(name: str, place: str, known: str) -> Bounds:
    """
    Return what an attempt counts for.

    Args:
        name: as it was given, whether there is such an account or not.
        place: where the request came from.
        known: the browser or token by which somebody of the account asks, "" for strangers.
    """
    if known:
        return {("known", name, known): FAILURES}
    return {
        ("place and name", place, name): FAILURES,
        ("place", place): FAILURES_OF_A_PLACE,
        ("name", name): FAILURES_OF_A_NAME,
    }


@dataclass(slots=True)
class Guesses:
    """Attempts that were wrong or are not decided yet, bounded in memory."""

    clock: Clock
    times: OrderedDict[tuple[str, ...], list[float]] = field(default_factory=OrderedDict)
    strangers: int = 0

    @contextmanager
    def attempt(self, bounds: Bounds, *, stranger: bool = False) -> Iterator[None]:
        """
        Count an attempt, which is wrong if it ends in an error.  Raises TooManyRequests.

        It counts from its beginning: else many at once would all be looked at.
        """
        now = self.clock.now()
        for key, most in bounds.items():
            self._require_few(key, most, now)
        if stranger and self.strangers >= STRANGERS_AT_ONCE:
            hint = "try again in a moment"
            raise TooManyRequests("too many sign in at once", hint=hint, seconds=1)
        for key in bounds:
            self._add(key, now)
        self.strangers += stranger
        try:
            yield
            for key in bounds:
                self._take_back(key, now)
        finally:
            self.strangers -= stranger

    def _require_few(self, key: tuple[str, ...], most: int, now: float) -> None:
        lately = self._lately(key, now)
        if len(lately) >= most:
            wait = max(1, round(lately[-most] + WINDOW_SECONDS - now))
            raise TooManyRequests(
                "too many wrong passwords", hint=f"wait {wait} s, then try again", seconds=wait
            )

    def _lately(self, key: tuple[str, ...], now: float) -> list[float]:
        return [each for each in self.times.get(key, []) if each > now - WINDOW_SECONDS]

    def _add(self, key: tuple[str, ...], now: float) -> None:
        self.times[key] = [*self._lately(key, now), now]
        self.times.move_to_end(key)
        while len(self.times) > _MOST:
            self.times.popitem(last=False)

    def _take_back(self, key: tuple[str, ...], at: float) -> None:
        if at in (counted := self.times.get(key, [])):
            counted.remove(at)
