"""Who may write: one holder at a time, numbered by epochs."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run the control loops on a store until `expires_at`."""

    holder: str
    """Who, for people: host and process."""
    epoch: int
    """One more for each new holder; writes with an older epoch are refused."""
    expires_at: float


class Leases(Protocol):
    """Every implementation passes tests/contract/test_leases.py."""

    async def acquire(self, name: str, holder: str, now: float, seconds: float) -> Lease:
        """
        Take the lease, or renew it when `holder` already has it; renewal keeps the epoch.

        Raises Conflict, naming the holder, while somebody else's lease has not expired.
        """
        ...

    async def release(self, name: str, holder: str) -> None:
        """Give the lease up; nothing happens when `holder` does not have it."""
        ...

    async def current(self, name: str) -> Lease | None:
        """Return the lease whether or not it has expired, or None when there never was one."""
        ...
