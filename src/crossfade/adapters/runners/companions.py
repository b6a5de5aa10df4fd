"""Processes beside each other in one run, and what they print behind their names."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.05
_SAYING = threading.Lock()


@dataclass(slots=True)
class Companion:
    name: str
    process: "subprocess.Popen[bytes]"
    pump: threading.Thread | None = None
    """Tells what it prints."""


def start(
    name: str, argv: Sequence[str], environment: Mapping[str, str], *, told: bool
) -> Companion:
    """Return a new process; what it prints is told behind its name if it is not the only one."""
    output = subprocess.PIPE if told else None
    process = subprocess.Popen(
        argv, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )
    companion = Companion(name, process)
    if told:
        companion.pump = threading.Thread(target=_pump, args=(name, process), daemon=True)
        companion.pump.start()
    return companion


def end_all(companions: Sequence[Companion], grace_seconds: float) -> None:
    """End whatever still runs, kindly at first."""
    left = [each.process for each in companions if each.process.poll() is None]
    for process in left:
        with suppress(ProcessLookupError):
            _signal_inside(process.pid)
    until = time.monotonic() + grace_seconds
    while any(each.poll() is None for each in left) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    for process in left:
        if process.poll() is None:
            process.kill()
        process.wait()
    for each in companions:
        if each.pump is not None:
            each.pump.join(timeout=1)


def _signal_inside(pid: int) -> None:
    """Tell what is in a box to end: the box itself would end it at once."""
    for child in _descendants(pid):
        with suppress(OSError):
            name = Path(f"/proc/{child}/comm").read_text().strip()
            if name != "bwrap":
                os.kill(child, signal.SIGTERM)


def _descendants(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(each)
            yield from _descendants(int(each))


def failure(argv: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
    """Return what a try printed that failed, "" when it has succeeded."""
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the last try took longer than {seconds:g} s"
    if done.returncode == 0:
        return ""
    return done.stdout.decode(errors="replace").rstrip() or f"exit code {done.returncode}"


def ended(child: Companion) -> int:
    """Return the exit code of a process once it has ended and all that it printed was told."""
    code = child.process.wait()
    if child.pump is not None:
        child.pump.join()
    return code


def _pump(name: str, process: "subprocess.Popen[bytes]") -> None:
    for line in process.stdout or ():
        say(f"{name} | {line.decode(errors='replace').rstrip()}")


def say(text: str) -> None:
    """Print a line of the run."""
    with _SAYING:
        print(text, flush=True)  # noqa: T201 - the output of the step
