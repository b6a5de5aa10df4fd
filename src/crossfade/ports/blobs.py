"""Immutable bytes by their digest: packed charts."""

from typing import Protocol


class Blobs(Protocol):
    """Content-addressed bytes.  Every implementation passes tests/contract/test_blobs.py."""

    async def put(self, data: bytes) -> str:
        """Keep the bytes and return their SHA-256 in hexadecimal.  Safe to repeat."""
        ...

    async def fetch(self, digest: str) -> bytes:
        """Return the bytes.  Raises NotFound."""
        ...
