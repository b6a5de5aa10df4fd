"""
Level-triggered reconciliation: one worker a key, many keys side by side.

A poke only says "look again"; what is to be done is read fresh each time, so that pokes may be
lost, doubled or late.  A key that hangs or fails delays nobody else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from crossfade.base import tracing
from crossfade.base.errors import Conflict, CrossfadeError

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.2
LAST_RETRY_SECONDS = 10.0
KEYS_EVERY_SECONDS = 5.0
_KEYS_REST = 20.0
"""Listing the keys takes at most a twentieth of the time."""
_MOST_DOUBLINGS = 10
"""Pauses are at their longest long before; after more doublings no float would hold them."""


class KeyedLoop:
    """
    Calls `reconcile(key)` for every key, again after the seconds that it returns, or when poked.

    `keys` returns the keys there are now; it is asked again after each poke of all.  After each
    look `rest` times as long as it took passes before the next, so that one that looks at
    everything, and is poked by each of a thousand applications, leaves time for the others.
    """

    def __init__(
        self,
        name: str,
        keys: Callable[[], Awaitable[Collection[str]]],
        reconcile: Callable[[str], Awaitable[float]],
        *,
        rest: float = 0.0,
    ) -> None:
        self.name, self._rest = name, rest
        self._keys, self._reconcile = keys, reconcile
        self._pokes: dict[str, asyncio.Event] = {}
        self._renew = asyncio.Event()

    def poke(self, key: str | None = None) -> None:
        """Have `key` looked at again at once, or every key, new ones too, when None."""
        if key is None or key not in self._pokes:
            self._renew.set()
        for name in self._pokes if key is None else {key} & self._pokes.keys():
            self._pokes[name].set()

    def poke_those_of(self, prefix: str) -> None:
        """Have the keys that begin like this looked at at once; new ones when there is none."""
        those = [key for key in self._pokes if key.startswith(prefix)]
        if not those:
            self._renew.set()
        for key in those:
            self._pokes[key].set()

    async def run(self) -> None:
        """Run until cancelled."""
        clock = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as group:
            workers: dict[str, asyncio.Task[None]] = {}
            while True:
                self._renew.clear()
                began = clock()
                keys = await self._current_keys()
                if keys is not None:
                    for key in workers.keys() - keys:
                        workers.pop(key).cancel()
                        self._pokes.pop(key, None)
                    for key in keys - workers.keys():
                        self._pokes[key] = asyncio.Event()
                        workers[key] = group.create_task(
                            self._work(key, self._pokes[key]), name=f"{self.name}:{key}"
                        )
                # While very many applications are made, they are not all listed for each one.
                await asyncio.sleep(_KEYS_REST * (clock() - began))
                await _wait(self._renew, KEYS_EVERY_SECONDS)

    async def _current_keys(self) -> set[str] | None:
        """Return the keys, None when they cannot be read just now: then nothing changes."""
        try:
            return set(await self._keys())
        except CrossfadeError as error:
            log.warning("keys-unreadable", extra={"loop": self.name, "error": str(error)})
            return None

    async def _work(self, key: str, poked: asyncio.Event) -> None:
        failures, clock = 0, asyncio.get_running_loop().time
        while True:
            poked.clear()
            began = clock()
            try:
                # Taken down only when something comes of it: most looks find all as it should be.
                work = tracing.span(f"look {self.name}", parent="", loop=self.name, key=key)
                with work.quietly():
                    pause = await self._reconcile(key)
                failures = 0
            except Conflict as error:  # somebody was faster: read again
                failures += 1
                pause = min(0.02 * 2 ** min(failures, _MOST_DOUBLINGS), 1.0)
                log.debug("conflict", extra=self._facts(key, error))
            except CrossfadeError as error:
                failures += 1
                pause = _back_off(failures)
                log.warning("reconcile-failed", extra=self._facts(key, error))
            except Exception as error:
                failures += 1
                pause = _back_off(failures)
                log.exception("reconcile-crashed", extra=self._facts(key, error))
            if self._rest:
                await asyncio.sleep(self._rest * (clock() - began))
            await _wait(poked, pause)

    def _facts(self, key: str, error: Exception) -> dict[str, str]:
        return {"loop": self.name, "key": key, "error": str(error)}


def _back_off(failures: int) -> float:
    doublings = min(failures - 1, _MOST_DOUBLINGS)
    return float(min(FIRST_RETRY_SECONDS * 2**doublings, LAST_RETRY_SECONDS))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set; after so many seconds it is set here, which costs little."""
    alarm = asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        alarm.cancel()
