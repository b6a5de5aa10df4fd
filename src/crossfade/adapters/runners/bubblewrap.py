"""A step's own view of the machine: its files read-only, a workspace, and processes of its own."""

import os
import posixpath
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crossfade.core.pipeline.work import KUBECONFIG, VOLUME

PLACE = "/codefresh"
TOOLS, HOME = f"{PLACE}/bin", f"{PLACE}/home"
EXPORTS, MASKED = f"{VOLUME}/env_vars_to_export", f"{PLACE}/masked"
_ANEW = ("dev", "proc", "tmp", PLACE.strip("/"))


@dataclass(frozen=True, slots=True)
class View:
    """Folders of the machine that a step sees, each in its place."""

    volume: Path
    home: Path
    temporary: Path
    tools: Path
    """Read-only: its script, and `cf_export`."""
    exports: Path
    """The file that the step appends its exports to."""
    masked: Path
    """The file of names that it wants masked."""
    kube: Path | None = None
    """The folder with its kubeconfig."""
    more: tuple[tuple[Path, str], ...] = ()
    """Other folders, and where it sees them."""


@cache
def usable() -> bool:
    """Return whether bubblewrap is installed and may make namespaces here."""
    command = shutil.which("bwrap")
    if command is None:
        return False
    probe = [command, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    try:
        done = subprocess.run(
            [*probe, "--unshare-pid", "--", "true"], capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def command(seen: Sequence[str], directory: str, argv: Sequence[str]) -> list[str]:
    """Return the command that runs `argv` and sees these places; its processes end with it."""
    return [
        shutil.which("bwrap") or "bwrap",
        "--die-with-parent",
        "--unshare-pid",
        *("--tmpfs", "/"),
        *_machine(),
        *("--dev", "/dev", "--proc", "/proc"),
        *seen,
        *("--chdir", directory),
        "--",
        *argv,
    ]


def places(view: View) -> list[str]:
    """Return the options that put the folders of the view in their places."""
    return [
        *("--bind", str(view.temporary), "/tmp"),  # noqa: S108 - the step's own
        *("--dir", PLACE),
        *("--bind", str(view.volume), VOLUME),
        *("--bind", str(view.exports), EXPORTS),
        *("--bind", str(view.masked), MASKED),
        *("--bind", str(view.home), HOME),
        *("--ro-bind", str(view.tools), TOOLS),
        *(("--bind", str(view.kube), posixpath.dirname(KUBECONFIG)) if view.kube else ()),
        *(word for source, target in view.more for word in ("--bind", str(source), target)),
    ]


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
