"""Command lines of bubblewrap: a container's own view of files, processes and host name."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_SPECIAL = ("/dev", "/proc", "/tmp")  # noqa: S108 - mounted anew for each container


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the host that a container sees elsewhere."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What a container sees of the host: everything, read-only, except these."""

    temporary: Path
    """Folder of the host that it has as `/tmp`."""
    hostname: str
    directory: str = "/"
    binds: tuple[Bind, ...] = ()
    visible: tuple[str, ...] = field(default=())
    """Paths under the host's `/tmp` that the command needs."""


@cache
def usable() -> bool:
    """Return whether bubblewrap is installed and may make namespaces here."""
    command = shutil.which("bwrap")
    if command is None:
        return False
    probe = [command, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    probe += ["--unshare-pid", "--unshare-uts", "--", "true"]
    try:
        done = subprocess.run(probe, capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def command(view: View, argv: Sequence[str], info_fd: int | None = None) -> list[str]:
    """Return the command that runs `argv` in the view; it writes its process ids to `info_fd`."""
    binds = sorted(_resolved(view.binds), key=lambda bind: bind.target.count("/"))
    return [
        shutil.which("bwrap") or "bwrap",
        "--die-with-parent",
        "--unshare-pid",
        "--unshare-uts",
        *("--hostname", view.hostname[:63]),
        *_root(binds),
        *("--dev", "/dev", "--proc", "/proc"),
        *("--bind", str(view.temporary), "/tmp"),  # noqa: S108 - that of the container
        *_visible(view.visible),
        *(part for bind in binds for part in _bind(bind)),
        *("--chdir", view.directory),
        *(("--info-fd", str(info_fd)) if info_fd is not None else ()),
        "--",
        *argv,
    ]


def _resolved(binds: Sequence[Bind]) -> Iterator[Bind]:
    """Yield the binds with links in their targets followed: `/var/run` is `/run`."""
    for bind in binds:
        yield Bind(bind.source, os.path.realpath(bind.target), bind.read_only)


def _bind(bind: Bind) -> tuple[str, str, str]:
    return ("--ro-bind" if bind.read_only else "--bind", str(bind.source), bind.target)


def _visible(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        yield from ("--ro-bind-try", path, path)


def _root(binds: Sequence[Bind]) -> list[str]:
    """
    Return the host's files, read-only, with room for the mount points.

    Where a mount point does not exist, its folder cannot stay a read-only bind: it becomes a
    folder in memory with what is in it bound entry by entry.
    """
    opened: set[str] = set()
    for bind in binds:
        if os.path.lexists(bind.target) or _is_special(bind.target):
            continue
        folder = os.path.dirname(bind.target)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        while folder not in opened:
            opened.add(folder)
            folder = os.path.dirname(folder)
    if not opened:
        return ["--ro-bind", "/", "/"]
    return [part for folder in sorted(opened) for part in _opened(folder, opened)]


def _is_special(path: str) -> bool:
    return any(path == special or path.startswith(special + "/") for special in _SPECIAL)


def _opened(folder: str, opened: set[str]) -> Iterator[str]:
    yield from ("--tmpfs" if folder == "/" else "--dir", folder)
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.path in opened or entry.path in _SPECIAL:
                continue
            if entry.is_symlink():
                yield from ("--symlink", os.readlink(entry.path), entry.path)
            else:
                yield from ("--ro-bind-try", entry.path, entry.path)
