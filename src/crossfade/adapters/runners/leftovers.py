"""Processes of a run, also those that have left its process group: they carry its mark."""

import contextlib
import os
import signal
from collections.abc import Collection

MARK = "CF_STEP_RUN"
"""Variable of the environment that every process of a run inherits."""


def marked(value: str, besides: Collection[str] = ()) -> tuple[int, ...]:
    """
    Return the ids of the processes of this machine that carry the mark with this value.

    Programs named in `besides` are left out.
    """
    wanted = f"{MARK}={value}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if wanted in file.read().split(b"\0") and _program(name) not in ("", *besides):
                    found.append(int(name))
    return tuple(found)


def _program(pid: str) -> str:
    """Return the name of the program, "" when the process is dead already."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        before, _, after = file.read().rpartition(")")
        return "" if after.split()[0] in ("Z", "X") else before.partition("(")[2]
    return ""


def end_all(pids: Collection[int], how: signal.Signals) -> int:
    """Send all of them the signal and return how many there were."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, how)
    return len(pids)
