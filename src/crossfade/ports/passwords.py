"""Passwords of people, kept so that they cannot be read."""

from typing import Protocol


class Passwords(Protocol):
    """
    Hashes that are slow on purpose.

    Every implementation passes tests/contract/test_passwords.py.
    """

    async def hashed(self, password: str) -> str:
        """Return what is kept of the password: another text each time."""
        ...

    async def fits(self, password: str, kept: str) -> bool:
        """Say whether it is the password that was kept; False for what is no hash at all."""
        ...
