"""Programs whose output is told line by line while they run."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def told(
    command: Sequence[str],
    environment: Mapping[str, str],
    say: Callable[[str], None],
    *,
    directory: Path | None = None,
) -> int:
    """Return the exit code of a command; it ends when telling what it prints fails."""
    with subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                say(line.rstrip("\n"))
        except BaseException:
            process.terminate()
            raise
    return process.returncode
