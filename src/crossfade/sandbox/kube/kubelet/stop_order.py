"""The order to end a container within a time, and sleeping until it comes."""

import asyncio
import time
from collections.abc import Callable


class StopOrder:
    """Given at most once; a second one can only make the time shorter."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._deadline = 0.0
        self.listener: Callable[[], None] | None = None
        """Called at each order."""

    @property
    def given(self) -> bool:
        """Whether the container has to end."""
        return self._event.is_set()

    def give(self, grace_seconds: float) -> None:
        """Order the end within so many seconds."""
        deadline = time.monotonic() + grace_seconds
        self._deadline = min(self._deadline, deadline) if self.given else deadline
        self._event.set()
        if self.listener is not None:
            self.listener()

    def seconds_left(self) -> float:
        """Return how long the container may still take, 0 when its time is over."""
        return max(0.0, self._deadline - time.monotonic())

    async def sleep(self, seconds: float) -> bool:
        """Return True as soon as the order is given, False after so many seconds without one."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True
