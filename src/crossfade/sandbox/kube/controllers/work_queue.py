"""Keys that wait for a look: each at most once, and each worked on by one worker at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from crossfade.sandbox.kube.client import ApiError

_log = logging.getLogger(__name__)

Key: TypeAlias = "tuple[str, str]"
"""Namespace (empty for objects without one) and name."""

Reconcile: TypeAlias = "Callable[[Key], Awaitable[float | None]]"
"""Brings one object nearer to what is wanted; returns seconds until the next look, or None."""

_FIRST_RETRY, _LAST_RETRY = 0.01, 30.0


class WorkQueue:
    """Keys in the order of their arrival; a key that fails comes back after a growing pause."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._keys: dict[Key, None] = {}
        self._wake = asyncio.Event()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        """Ask for a look at `key`, now."""
        self._keys[key] = None
        self._wake.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Ask for a look at `key` later; the earliest of several wishes counts."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        due = loop.time() + max(0.0, seconds)
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._timers[key] = loop.call_at(due, self._due, key)

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    async def run(self, reconcile: Reconcile) -> None:
        """Work on the keys one after the other, endlessly."""
        try:
            while True:
                if not self._keys:
                    self._wake.clear()
                    await self._wake.wait()
                key = next(iter(self._keys))
                del self._keys[key]
                await self._look(key, reconcile)
                await asyncio.sleep(0)  # an API in this process never makes us wait by itself
        finally:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    async def _look(self, key: Key, reconcile: Reconcile) -> None:
        try:
            after = await reconcile(key)
        except ApiError as error:
            if error.code == 404:  # it went away under our hands: the watch will tell
                after = None
            else:
                self._retry(key, error)
                return
        except Exception as error:
            # One object that breaks its controller must not stop all the others.
            _log.exception("reconcile failed controller=%s key=%s", self._name, "/".join(key))
            self._retry(key, error)
            return
        self._failures.pop(key, None)
        if after is not None:
            self.add_after(key, after)

    def _retry(self, key: Key, error: Exception) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        _log.debug("retry controller=%s key=%s error=%s", self._name, "/".join(key), error)
        self.add_after(key, min(_FIRST_RETRY * 2 ** min(failures - 1, 20), _LAST_RETRY))
