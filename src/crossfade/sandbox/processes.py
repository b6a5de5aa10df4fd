"""
The processes of a sandbox, found by what their environment says.

A supervisor that was killed leaves no list behind; the markers are in the processes themselves.
"""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SANDBOX = "CROSSFADE_SANDBOX"
"""Environment: absolute folder of the sandbox that the process belongs to."""
CLOUD = "CROSSFADE_CLOUD"
"""Environment: name of the cloud, absent in the supervisor and the edge."""
ROLE = "CROSSFADE_ROLE"
"""Environment: `supervisor`, `edge`, `cloud` or `gateway`; pods inherit or have none."""

_PROC = Path("/proc")
_STOPPED, _ENDED = frozenset("Tt"), frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a sandbox."""

    pid: int
    cloud: str
    """Empty for the supervisor and the edge."""
    role: str
    state: str
    """One letter as in /proc/PID/stat: `T` is stopped."""
    rss_kib: int
    started: int
    """When, in ticks since boot: with the pid it names the process for good."""


def markers(directory: Path, role: str, cloud: str = "") -> dict[str, str]:
    """Return the environment variables by which a process is found again."""
    marks = {SANDBOX: str(directory), ROLE: role}
    return {**marks, CLOUD: cloud} if cloud else marks


def find(directory: Path, cloud: str | None = None) -> tuple[Process, ...]:
    """
    Return the processes of the sandbox, of one cloud when it is named; never the caller itself.

    Children of such processes count too, whatever they made of their environment.
    """
    marked: dict[int, tuple[str, str]] = {}
    parents: dict[int, int] = {}
    states: dict[int, tuple[str, int, int]] = {}
    for pid in _pids():
        look = _stat(pid)
        if look is None:
            continue
        state, parents[pid], rss, started = look
        states[pid] = (state, rss, started)
        marks = _marks(pid)
        if marks.get(SANDBOX) == str(directory):
            marked[pid] = (marks.get(CLOUD, ""), marks.get(ROLE, ""))
    found = []
    for pid, (state, rss, started) in states.items():
        belongs = marked.get(pid) or _inherited(pid, parents, marked)
        if belongs is None or state in _ENDED or pid == os.getpid():
            continue
        if cloud is None or belongs[0] == cloud:
            found.append(Process(pid, *belongs, state, rss, started))
    return tuple(found)


def end(directory: Path, cloud: str | None = None, seconds: float = 5.0) -> int:
    """
    Kill the processes of the sandbox or of one cloud; return how many there were.

    Looks again until none is left: a process may have started another meanwhile.  Their ports
    are free then.  Raises TimeoutError when some are there even after `seconds`.
    """
    killed: dict[int, Process] = {}
    deadline = time.monotonic() + seconds
    while True:
        found = find(directory, cloud)
        # What starts processes goes first.
        for one in sorted(found, key=lambda one: one.role not in ("supervisor", "cloud")):
            _send(one, signal.SIGKILL)
            killed[one.pid] = one
        # One that is dying has no environment to be found by, but may hold its ports still.
        left = [pid for pid, one in killed.items() if not _is_over(one)]
        if not found and not left:
            return len(killed)
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {left} do not end")
        time.sleep(0.01)


def stop(directory: Path, cloud: str, seconds: float = 3.0) -> int:
    """Stop (SIGSTOP) all processes of a cloud; return how many.  Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while True:
        found = find(directory, cloud)
        moving = [one for one in found if one.state not in _STOPPED]
        if not moving:
            return len(found)
        for one in sorted(moving, key=lambda one: one.role != "cloud"):
            _send(one, signal.SIGSTOP)
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {[one.pid for one in moving]} do not stop")
        time.sleep(0.005)


def resume(directory: Path, cloud: str) -> int:
    """Let all processes of a cloud go on; return how many."""
    found = find(directory, cloud)
    # Pods and gateway first: the kubelet must not find its pods asleep.
    for one in sorted(found, key=lambda one: one.role == "cloud"):
        _send(one, signal.SIGCONT)
    return len(found)


def pss_kib(pids: Iterable[int]) -> int:
    """Return the memory of the processes with shared pages counted once, in KiB."""
    total = 0
    for pid in pids:
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def _send(process: Process, number: signal.Signals) -> None:
    """Send a signal; a process that has taken over the number meanwhile is left alone."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        look = _stat(process.pid)
        if look is not None and look[0] not in _ENDED and look[3] == process.started:
            signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        os.close(handle)


def _is_over(process: Process) -> bool:
    look = _stat(process.pid)
    return look is None or look[0] in _ENDED or look[3] != process.started


def _inherited(
    pid: int, parents: dict[int, int], marked: dict[int, tuple[str, str]]
) -> tuple[str, str] | None:
    """Return the cloud of the nearest marked ancestor, with no role of its own."""
    seen = set()
    while (pid := parents.get(pid, 0)) > 1 and pid not in seen:
        seen.add(pid)
        if pid in marked:
            # The edge and the clouds are children of the supervisor, all marked themselves.
            return (marked[pid][0], "") if marked[pid][1] != "supervisor" else None
    return None


def _pids() -> Iterator[int]:
    for entry in os.listdir(_PROC):
        if entry.isdigit():
            yield int(entry)


def _stat(pid: int) -> tuple[str, int, int, int] | None:
    """Return state, parent, resident memory in KiB, and start in ticks since boot."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything, parentheses too.
    fields = text[text.rindex(")") + 2 :].split()
    resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") // 1024
    state, threads = fields[0], int(fields[17])
    # The first thread is a zombie before the others have ended and given their ports back.
    if state == "Z" and threads > 1:
        state = "D"
    return state, int(fields[1]), resident, int(fields[19])


def _marks(pid: int) -> dict[str, str]:
    try:
        raw = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    pairs = (part.split(b"=", 1) for part in raw.split(b"\0") if part.startswith(b"CROSSFADE_"))
    return {pair[0].decode(): os.fsdecode(pair[1]) for pair in pairs if len(pair) == 2}
