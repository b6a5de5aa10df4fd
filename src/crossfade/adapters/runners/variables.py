"""
The variables of a step, as a file.

Who keeps a step, and what makes its box, are programs of this machine: variables can make such
programs run something else (`LD_PRELOAD`, `BASH_ENV`, `PATH`).  So they get none of the step's; it
is given them in the end, inside.  The file has the form that bubblewrap takes options in.
"""

import errno
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossfade.adapters.runners.run_files import open_secret

VARIABLES = "variables"
"""Name of the file in the folder of a run."""
IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores, and so would every program that it becomes or starts so."""
MOST = 2500
"""Bubblewrap takes 9,000 words, and a variable is three."""
_LONGEST_BYTES = 32 * 4096
"""The kernel takes no longer one, with its name."""
_OPTION = b"--setenv"
_HANDLE = "7"
_OPENED = f'exec {_HANDLE}<"$1" && shift && exec "$@"'
_BECOME = """import os, signal, sys
with open(sys.argv[1], "rb") as file:
    words = file.read().split(b"\\0")
for each in signal.SIGPIPE, signal.SIGXFSZ:
    signal.signal(each, signal.SIG_DFL)
try:
    os.chdir(sys.argv[2])
    os.execve(sys.argv[3], sys.argv[3:], dict(zip(words[1::3], words[2::3])))
except OSError as error:
    sys.exit(f"the step cannot be started: {error}")
"""


def write_variables(path: Path, variables: Mapping[str, str]) -> None:
    """
    Write what a program is to be given; only this user may read it.

    Raises ValueError or OSError for what no program could be given.
    """
    words = [(os.fsencode(name), os.fsencode(value)) for name, value in variables.items()]
    if len(words) > MOST:
        raise ValueError(f"{len(words)} variables; allowed: at most {MOST}")
    for name, value in words:
        if b"\0" in name + value:
            raise ValueError(f"the variable {os.fsdecode(name)!r} has a NUL in it")
        if len(name) + len(value) + 2 > _LONGEST_BYTES:
            raise OSError(errno.E2BIG, f"the variable {os.fsdecode(name)!r} is too long")
    if sum(len(name) + len(value) + 10 for name, value in words) > os.sysconf("SC_ARG_MAX"):
        raise OSError(errno.E2BIG, "all variables together are too long")
    with open_secret(path) as file:
        for name, value in words:
            file.write(b"\0".join((_OPTION, name, value, b"")))


def read_variables(path: Path) -> dict[str, str]:
    """Return what is in such a file."""
    words = path.read_bytes().split(b"\0")
    given = zip(words[1::3], words[2::3], strict=False)
    return {os.fsdecode(name): os.fsdecode(value) for name, value in given}


def box_options() -> list[str]:
    """Return bubblewrap's options that give what is inside these variables, and no others."""
    return ["--clearenv", "--args", _HANDLE]


def opening(path: str) -> str:
    """Return the line of a shell that opens the file for a box."""
    return f"exec {_HANDLE}<{path}"


def opened(path: Path, argv: Sequence[str]) -> list[str]:
    """Return the command that opens the file for a box, and becomes that."""
    return ["/bin/sh", "-c", _OPENED, "box", str(path), *argv]


def given_to(path: Path, directory: str, argv: Sequence[str]) -> list[str]:
    """Return the command that becomes another one, by its path, with these variables alone."""
    return [sys.executable, "-I", "-S", "-c", _BECOME, str(path), directory, *argv]
