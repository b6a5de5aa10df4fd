"""Commands of people meet the hub's own writes: then they read again and try once more."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from crossfade.base.errors import Conflict

T = TypeVar("T")

_TRIES = 6
_PAUSE_SECONDS = 0.02


async def again_on_conflict(action: Callable[[], Awaitable[T]]) -> T:
    """Return what `action` returns; it reads and writes anew each time it meets a Conflict."""
    for attempt in range(1, _TRIES):
        try:
            return await action()
        except Conflict:
            await asyncio.sleep(_PAUSE_SECONDS * attempt)
    return await action()
