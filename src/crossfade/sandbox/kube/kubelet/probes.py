"""Startup, liveness and readiness probes of a running container, over time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crossfade.sandbox.kube.kubelet.probe_attempt import Outcome, Target, attempt

_QUICK_SECONDS = 10.0
_QUICKEST, _SLOWEST_QUICK, _QUICK_EXEC = 0.05, 0.25, 0.2


class ProbeKind(StrEnum):
    """Why a container is asked."""

    STARTUP = "Startup"
    LIVENESS = "Liveness"
    READINESS = "Readiness"


@dataclass(frozen=True, slots=True)
class Reports:
    """Where the results go."""

    started: Callable[[], None]
    ready: Callable[[bool], None]
    unhealthy: Callable[[ProbeKind], None]
    """The container has to be restarted."""
    failed: Callable[[ProbeKind, str], None]
    """One try failed, with this message."""


async def watch(target: Target, reports: Reports) -> None:
    """Ask the container for as long as it runs; cancel it when the container has ended."""
    container = target.container
    if startup := container.get("startupProbe"):
        prober = _Prober(ProbeKind.STARTUP, startup, target, reports)
        if not await prober.until_decided():
            reports.unhealthy(ProbeKind.STARTUP)
            return
    reports.started()
    async with asyncio.TaskGroup() as group:
        if readiness := container.get("readinessProbe"):
            group.create_task(_Prober(ProbeKind.READINESS, readiness, target, reports).keep_ready())
        else:
            reports.ready(True)
        if liveness := container.get("livenessProbe"):
            group.create_task(_Prober(ProbeKind.LIVENESS, liveness, target, reports).keep_alive())


class _Prober:
    """One probe of one container."""

    def __init__(
        self, kind: ProbeKind, probe: Mapping[str, Any], target: Target, reports: Reports
    ) -> None:
        self._kind, self._probe, self._target, self._reports = kind, probe, target, reports
        self._period = float(probe.get("periodSeconds") or 10)
        self._timeout = float(probe.get("timeoutSeconds") or 1)
        self._successes_needed = int(probe.get("successThreshold") or 1)
        self._failures_allowed = int(probe.get("failureThreshold") or 3)
        self._good = self._bad = 0

    async def until_decided(self) -> bool:
        """Return True on success, False after too many failures."""
        await self._initial_delay()
        return await self._quickly() or await self._decide()

    async def _decide(self) -> bool:
        while True:
            decided = self._count(await self._try())
            if decided is not None:
                return decided
            await asyncio.sleep(self._period)

    async def keep_ready(self) -> None:
        """Report readiness at each change, endlessly."""
        await self._initial_delay()
        if await self._quickly():
            self._reports.ready(True)
            await asyncio.sleep(self._period)
        while True:
            decided = self._count(await self._try())
            if decided is not None:
                self._reports.ready(decided)
            await asyncio.sleep(self._period)

    async def keep_alive(self) -> None:
        """Return after too many failures in a row."""
        await self._initial_delay()
        while True:
            if self._count(await self._try()) is False:
                self._reports.unhealthy(self._kind)
                return
            await asyncio.sleep(self._period)

    async def _initial_delay(self) -> None:
        await asyncio.sleep(float(self._probe.get("initialDelaySeconds") or 0))

    async def _quickly(self) -> bool:
        """
        Try often while the process starts; return True on success, False to go on as told.

        A real kubelet would notice a start only at the end of a period. Failures count, and are
        told to people, no more often than they would be there.
        """
        begin = told = time.monotonic()
        pause = _QUICK_EXEC if "exec" in self._probe else _QUICKEST
        while (now := time.monotonic()) - begin < _QUICK_SECONDS and pause < self._period:
            outcome = await attempt(self._probe, self._target, self._timeout)
            if outcome.good:
                if self._count(outcome):
                    return True
                await asyncio.sleep(self._period)
                continue
            self._good = 0
            if now - told >= self._period:
                told = now
                self._reports.failed(self._kind, outcome.message)
                if self._count(outcome) is False and self._kind is ProbeKind.STARTUP:
                    return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.05, _SLOWEST_QUICK)
        return False

    async def _try(self) -> Outcome:
        outcome = await attempt(self._probe, self._target, self._timeout)
        if not outcome.good:
            self._reports.failed(self._kind, outcome.message)
        return outcome

    def _count(self, outcome: Outcome) -> bool | None:
        """Return what is decided by now, or None."""
        if outcome.good:
            self._good, self._bad = self._good + 1, 0
            return True if self._good >= self._successes_needed else None
        self._good, self._bad = 0, self._bad + 1
        return False if self._bad >= self._failures_allowed else None
