"""An event loop in which waiting takes no time: its clock jumps to whatever is due next."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_LONGEST_SECONDS = 30 * 86400.0
"""Nothing that is simulated takes longer; what does would take for ever."""
_SHORTEST_SECONDS = 1e-6
"""Some time always passes: who waits for less than a clock can tell would wait for ever."""


class _Jumping(selectors.SelectSelector):
    """Never waits; remembers how long it was asked to."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            if timeout is None:
                raise RuntimeError("everything waits, and nothing will ever happen")
            self.skipped += max(timeout, _SHORTEST_SECONDS)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs tasks in the one order that their times give.  It has no threads and no sockets."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return seconds of the world that is simulated."""
        return 1000.0 + self._jumping.skipped


class LoopClock:
    """The Clock port that reads the time of the loop that runs."""

    def now(self) -> float:
        """Return the time of the loop."""
        return asyncio.get_running_loop().time()


def simulated(work: Coroutine[Any, Any, T]) -> T:
    """Return what the work comes to, in a loop of its own."""

    async def bounded() -> T:
        async with asyncio.timeout(_LONGEST_SECONDS):
            return await work

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(bounded())
