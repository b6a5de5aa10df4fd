"""One hub per store: who holds the lease runs the loops."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict, CrossfadeError, Unavailable
from crossfade.ports.leases import Lease, Leases

log = logging.getLogger(__name__)

LEASE = "hub"
LEASE_SECONDS = 15.0
RENEW_SECONDS = 3.0
STANDBY_SECONDS = 1.0
"""How often a hub that stands by looks whether it is its turn."""


def own_holder() -> str:
    """Return this process for people and for a later look: host, process, start of the process."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def _started(pid: int) -> str:
    """
    Return the start time of a process in clock ticks, so that a reused number is noticed.

    Returns `ended` for one that only waits for its parent to notice its end.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "0"
    fields = stat.rpartition(")")[2].split()
    return "ended" if fields[0] in {"Z", "X"} else fields[19]


def is_gone(holder: str) -> bool:
    """Return whether the holder was a process of this machine that has ended."""
    host, _, rest = holder.partition("/")
    pid, _, started = rest.partition("/")
    return host == socket.gethostname() and pid.isdigit() and _started(int(pid)) != started


async def who_leads(leases: Leases, now: float) -> str | None:
    """Return who runs the loops, None when nobody does."""
    lease = await leases.current(LEASE)
    if lease is None or is_gone(lease.holder) or lease.expires_at < now:
        return None
    return lease.holder


@dataclass(frozen=True, slots=True)
class Leadership:
    """Takes the lease and keeps it."""

    leases: Leases
    clock: Clock
    holder: str

    async def acquire(self) -> Lease:
        """
        Return the lease; one whose process has died on this machine is taken over at once.

        Raises Conflict while another hub runs on this store.
        """
        current = await self.leases.current(LEASE)
        if current is not None and current.holder != self.holder and is_gone(current.holder):
            await self.leases.release(LEASE, current.holder)
        try:
            return await self.leases.acquire(LEASE, self.holder, self.clock.now(), LEASE_SECONDS)
        except Conflict as error:
            raise Conflict(
                "another hub runs on this store",
                hint="stop that one first, or give this one its own `--state-dir`",
                holder=current.holder if current else "unknown",
            ) from error

    async def stand_by(self, told: Callable[[str], None]) -> Lease:
        """
        Return the lease once no other hub has it; `told` is called with each holder's name.

        A hub that ends gives it up; of one that dies on another machine it runs out.
        """
        known = ""
        while True:
            try:
                return await self.acquire()
            except Conflict as error:
                holder = str(error.facts.get("holder", ""))
                if holder != known:
                    told(holder)
                known = holder
            except Unavailable as error:
                log.warning("store-unreachable", extra={"error": str(error)})
            await asyncio.sleep(STANDBY_SECONDS)

    async def keep(self, epoch: int) -> None:
        """
        Renew the lease of this epoch until cancelled.

        Raises Conflict once somebody else has taken over, also when that one is gone again:
        what is written with the old epoch is refused for good.
        """
        renewed = self.clock.now()
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                now = self.clock.now()
                lease = await self.leases.acquire(LEASE, self.holder, now, LEASE_SECONDS)
                renewed = now
            except Unavailable:
                if self.clock.now() - renewed > LEASE_SECONDS:
                    raise
                continue
            if lease.epoch != epoch:
                raise Conflict(
                    "another hub ran on this store while this one slept",
                    hint="start this one again",
                )

    async def give_up(self) -> None:
        """Let the next hub start at once; the lease runs out by itself if this fails."""
        with suppress(CrossfadeError):
            await self.leases.release(LEASE, self.holder)
