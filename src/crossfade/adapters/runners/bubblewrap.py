"""A step's own view of the machine: its files read-only, a workspace, and processes of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from crossfade.adapters.runners.variables import box_options, opened
from crossfade.adapters.runners.view import PLACE, Mount

_ANEW = ("dev", "proc", "tmp", PLACE.strip("/"))


@cache
def usable() -> bool:
    """Return whether bubblewrap is installed and may make namespaces here."""
    command = shutil.which("bwrap")
    if command is None:
        return False
    probe = [command, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    try:
        done = subprocess.run(
            [*probe, "--unshare-pid", "--clearenv", "--", "true"],
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def command(
    seen: Iterable[Mount], directory: str, argv: Sequence[str], variables: Path
) -> list[str]:
    """
    Return the command that runs `argv` and sees these things; its processes end with it.

    `argv` is given the variables of the file, and none of those that the command is started with.
    """
    box = [
        shutil.which("bwrap") or "bwrap",
        "--die-with-parent",
        "--unshare-pid",
        *("--tmpfs", "/"),
        *_machine(),
        *("--dev", "/dev", "--proc", "/proc"),
        *options(seen),
        *box_options(),
        *("--chdir", directory),
        "--",
        *argv,
    ]
    return opened(variables, box)


def options(mounts: Iterable[Mount]) -> list[str]:
    """Return the options that put everything in its place."""
    found = ["--dir", PLACE]
    for each in mounts:
        found += ["--ro-bind" if each.read_only else "--bind", each.source, each.target]
    return found


def _machine() -> list[str]:
    """Return the machine's folders, read-only; the root itself must have room for more."""
    parts = []
    with os.scandir("/") as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name in _ANEW:
                continue
            if entry.is_symlink():
                parts += ["--symlink", os.readlink(entry.path), entry.path]
            else:
                parts += ["--ro-bind-try", entry.path, entry.path]
    return parts
