"""Passwords hashed by argon2id, with the parameters of RFC 9106 for little memory."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

_AT_ONCE = 2
"""Each takes 64 MiB and a core for a moment: many who sign in must not take all of both."""


class ArgonPasswords:
    """The port Passwords."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hashed(self, password: str) -> str:
        """Return what is kept of the password: another text each time."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, kept: str) -> bool:
        """Say whether it is the password that was kept; False for what is no hash at all."""
        async with self._turns:
            return await asyncio.to_thread(self._fits, password, kept)

    def _fits(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError, UnicodeError):
            return False
