"""The files that a run consists of."""

import os
from pathlib import Path
from typing import BinaryIO

from crossfade.adapters.runners.pods.files import NO_FILE, opened, told
from crossfade.base.errors import Unavailable

_CHUNK = 64 * 1024
_LONG = 10
"""So many digits no exit code and no process has."""


def read(path: Path) -> str:
    """Return the text of a file, "" when there is none."""
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""


def tail(path: Path, offset: int) -> bytes:
    """
    Return a piece of a file from there on, b"" at its end or when there is none.

    Raises Unavailable when the machine cannot read just now: nothing may be left out for that.
    """
    try:
        with opened(str(path)) as file:
            file.seek(offset)
            return file.read(_CHUNK)
    except OSError as error:
        if error.errno in NO_FILE:
            return b""
        why = error.strerror or str(error)
        raise Unavailable(
            f"what a step printed cannot be read: {why}",
            hint="see that the machine has files and memory left; it is tried again",
        ) from error


def number(path: Path) -> int | None:
    """Return the number in a file; None when there is none, as a step may have spoilt it."""
    text = told(str(path))[0].strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONG else None


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def write_secret(path: Path, text: str) -> None:
    """Write what only this user may read, from its first byte on."""
    path.parent.mkdir(mode=0o700)
    with open_secret(path) as file:
        file.write(text.encode())


def open_secret(path: Path) -> BinaryIO:
    """Return a new file that only this user may read, from its first byte on."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return open(handle, "wb")
