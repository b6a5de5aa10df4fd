"""Processes of an earlier life of the kubelet, found by their environment."""

import contextlib
import os
import signal
import time
from pathlib import Path

_PATIENCE_SECONDS, _PAUSE_SECONDS = 1.0, 0.002

MARKER = "CROSSFADE_KUBELET"
"""Names, in the environment of each process, the folder of the kubelet that started it."""


def find(root: Path) -> list[int]:
    """Return the processes that the kubelet with this folder started; not our own."""
    wanted = f"{MARKER}={root}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if wanted in Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                found.append(int(entry))
    return found


def kill(root: Path) -> int:
    """End them all and return how many there were; waits (blocking) until they have ended."""
    seen: set[int] = set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while pids := find(root):
        seen.update(pids)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            break
        time.sleep(_PAUSE_SECONDS)  # blocks: nothing else may start before they have ended
    return len(seen)
