"""
What a run prints, written down by a process beside it: so much at most, whoever watches or not.

The run writes to a pipe.  Its other end is read by a drain, which is neither in the run's group nor
marked as part of it, so that nothing of what was printed at last is lost however the run ends.
"""

import fcntl
import os
from pathlib import Path

from crossfade.adapters.runners.lock import is_held
from crossfade.adapters.runners.variables import IGNORED

OUTPUT = "output"
FULL = (
    "what it printed could not be kept: the disk of the state folder is full; make room there, or "
    "set CROSSFADE_KEEP_GIB, and restart the build"
)
KILLED = "what keeps its output was killed"
_BEGUN, _WHOLE, _DRAINED = "begun", "whole", "drained"
"""Files of a run: there is a drain; nothing was left out for want of room; it has come to its end.
Without the first one the run was begun by an older version, which had no drains."""
_BLOCK_BYTES = 512
"""In which shells count how large files may become."""
_DRAIN = """trap '' TERM INT HUP XFSZ
cd "$1" || exit
ulimit -f "$2"
cat || {
  [ "$(wc -c < output)" -ge "$(($2 * 512))" ] || rm -f whole
  cat >/dev/null
}
: > drained
"""


def start_drain(place: Path, most_bytes: int) -> tuple[int, int]:
    """
    Return the id of a process that drains a pipe, and the pipe's end to be written to.

    Of what comes it keeps about `most_bytes` in the folder, and throws the rest away.
    """
    blocks = -(-most_bytes // _BLOCK_BYTES)
    lock = os.open(place / _WHOLE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    read_end = write_end = -1
    try:
        (place / _BEGUN).touch()
        fcntl.flock(lock, fcntl.LOCK_EX)
        read_end, write_end = os.pipe()
        pid = os.posix_spawn(
            "/bin/sh",
            ["/bin/sh", "-c", _DRAIN, "drain", str(place), str(blocks)],
            {"PATH": os.environ.get("PATH", os.defpath)},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, read_end, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(place / OUTPUT), os.O_WRONLY | os.O_APPEND, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, lock, 9),
            ],
            setsid=True,
            setsigdef=IGNORED,
        )
    except OSError:
        if write_end >= 0:
            os.close(write_end)
        raise
    finally:
        os.close(lock)
        if read_end >= 0:
            os.close(read_end)
    return pid, write_end


def nothing_drains(place: Path) -> None:
    """Write down that the output of a run that was not started is whole."""
    for name in (_WHOLE, _DRAINED):
        (place / name).touch(mode=0o600)


def drains(place: Path) -> bool:
    """Return whether there is somebody left who may print, and who keeps it."""
    return is_held(place / _WHOLE)


def trouble(place: Path) -> str:
    """Return FULL or KILLED if something of what an ended run has printed is missing, else ""."""
    if not (place / _BEGUN).exists():
        return ""
    if not (place / _WHOLE).exists():
        return FULL
    return "" if (place / _DRAINED).exists() else KILLED
