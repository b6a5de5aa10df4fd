"""Processes of an earlier life of the kubelet, found by their environment."""

import contextlib
import os
import signal
from pathlib import Path

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
    """End them all and return how many there were; repeats until none is left to find."""
    total = 0
    for _ in range(20):
        pids = find(root)
        if not pids:
            break
        total += len(pids)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    return total
