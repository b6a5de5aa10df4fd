"""Who runs a build: one process at a time, and none as soon as it is dead."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossfade.adapters.runners.lock import is_held
from crossfade.base.errors import Conflict, Unavailable


def is_claimed(folder: Path, build: str) -> bool:
    """Return whether a process runs the build."""
    return is_held(folder / build / "claim")


@contextmanager
def claimed(folder: Path, build: str) -> Iterator[None]:
    """Keep others from running the build.  Raises Conflict when somebody does already."""
    try:
        (folder / build).mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / build / "claim"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"the build has no place on this machine: {error.strerror or error}",
            hint="see that the state folder can be written",
            file=error.filename,
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"build {build} is run by another process already",
                hint=f"`crossfade pipeline logs {build} -f` follows it",
            ) from None
        yield
    finally:
        os.close(lock)
