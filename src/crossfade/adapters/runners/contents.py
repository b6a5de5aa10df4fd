"""Contents of files by their SHA-256, each kept once."""

import hashlib
import os
import secrets
from collections.abc import Container
from pathlib import Path
from typing import BinaryIO

from crossfade.base.errors import NotFound

CHUNK = 1024 * 1024


class TooLarge(Exception):
    """A file has more bytes than are kept; the text says how many."""


class Contents:
    """A folder of files that are named by what is in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def add(self, source: BinaryIO, most: int) -> tuple[str, int]:
        """Keep a file of at most so many bytes; return its digest and size.  Raises TooLarge."""
        if (size := os.fstat(source.fileno()).st_size) > most:
            raise TooLarge(f"it has {size} bytes, {max(most, 0)} are allowed")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._folder / f"{secrets.token_hex(8)}.part"
        digest, size = hashlib.sha256(), 0
        try:
            with part.open("xb") as target:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    size += target.write(chunk)
                    if size > most:  # it has grown meanwhile
                        raise TooLarge(f"it has more than {most} bytes")
            final = self._path(digest.hexdigest())
            final.parent.mkdir(exist_ok=True)
            part.replace(final)
        finally:
            part.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def sweep(self, needed: Container[str]) -> None:
        """Remove all contents but these, and what was left half made.  Nobody may add meanwhile."""
        for path in self._folder.glob("??/*"):
            if path.name not in needed:
                path.unlink(missing_ok=True)
        for path in self._folder.glob("*.part"):
            path.unlink(missing_ok=True)

    def has(self, digest: str) -> bool:
        """Return whether the content is there."""
        return self._path(digest).is_file()

    def size(self, digest: str) -> int:
        """Return how many bytes the content has, 0 when it is not there."""
        path = self._path(digest)
        return path.stat().st_size if path.exists() else 0

    def read(self, digest: str) -> bytes:
        """Return the content.  Raises NotFound."""
        with self.open(digest) as file:
            return file.read()

    def open(self, digest: str) -> BinaryIO:
        """Return the content to be read; it stays whole though it is swept.  Raises NotFound."""
        try:
            return self._path(digest).open("rb")
        except FileNotFoundError:
            hint = "the state folder has lost it; run the step again"
            raise NotFound(f"the content {digest[:12]} is not there", hint=hint) from None

    def copy(self, digest: str, target: Path) -> None:
        """Make a file with the content, whole or not at all.  Raises NotFound."""
        part = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            part.write_bytes(self.read(digest))
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
