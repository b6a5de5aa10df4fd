"""Time as a value that can be replaced: the real clock of the hub, and the port that tests fake."""

import sys
import time
from typing import Protocol


class Clock(Protocol):
    """Where "now" comes from; the only way that the engine learns the time."""

    def now(self) -> float:
        """Return seconds since the Unix epoch; never less than an earlier answer."""
        ...


class SteadyClock:
    """
    Wall time at start, moved on by the monotonic clock: a wall clock that jumps cannot move it.

    Time goes on while the machine sleeps (where the system can tell), so that processes started
    before and after agree.
    `not_before` is the newest time that the store has seen, so that time does not run
    backwards over a restart on a machine whose clock was set back meanwhile.
    """

    def __init__(self, not_before: float = 0.0) -> None:
        wall = time.time()  # noqa: TID251 - this is the Clock that all others take
        self._start = max(wall, not_before)
        self._monotonic = _monotonic()

    def now(self) -> float:
        return self._start + (_monotonic() - self._monotonic)


def _monotonic() -> float:
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
