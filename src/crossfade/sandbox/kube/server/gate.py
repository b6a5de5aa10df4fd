"""How the API treats callers from outside when the sandbox makes trouble on purpose."""

import asyncio


class Gate:
    """Slowness and partition of one cloud's API; `set` changes them while it runs."""

    def __init__(self) -> None:
        self.slow_ms = 0
        """Each answer comes this much later."""
        self._open = asyncio.Event()
        self._open.set()

    def set(self, slow_ms: int, *, api_partition: bool) -> None:
        """Delay answers by `slow_ms`; give none at all while `api_partition`."""
        self.slow_ms = slow_ms
        if api_partition:
            self._open.clear()
        else:
            self._open.set()

    @property
    def clear(self) -> bool:
        """Whether messages pass at once."""
        return not self.slow_ms and self._open.is_set()

    async def passage(self) -> None:
        """Return when a message may pass: never, while the partition lasts."""
        if self.slow_ms:
            await asyncio.sleep(self.slow_ms / 1000)
        await self._open.wait()
