"""
RUN: a command on the files of an image, and what it has changed.

Each folder of the root is an overlay: changes go into a folder of their own, above the image's
files and those of the machine where the image builds on it, which stay as they are.  That needs
namespaces for users, and no rights.
"""

import os
import shlex
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.images.layers import Item
from crossfade.adapters.images.telling import told
from crossfade.base.errors import Unavailable
from crossfade.core.image.evaluate import Run

MACHINE = ("bin", "etc", "lib", "lib32", "lib64", "libx32", "nix", "opt", "sbin", "usr", "var")
"""Folders of the machine that are below images which build on it."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OWN = ("dev", "proc")
_OF_RUNS = {"root": 0o700, "tmp": 0o1777}
"""Folders that are there for every command; in the layer only when something is in them."""
_OF_HOSTS = dict.fromkeys(("home", "media", "mnt", "srv"), 0o755)
"""The same where the machine stands for an image: those that every system has, without its files.
Commands that are written for the image which is meant count on them."""
_PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_FREE = {"PIP_BREAK_SYSTEM_PACKAGES": "1"}
"""Lets pip install: what it would protect is the machine, and the machine stays as it is."""
_MOUNTED = ("/etc/resolv.conf", "/etc/hosts")
_OPAQUE = "user.overlay.opaque"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command runs."""

    root: Path
    """The image's own files."""
    on_host: bool
    working: Path
    """A new folder, for the mounts and what is changed."""


def machine_links() -> Iterator[tuple[str, str]]:
    """Yield the links among the machine's folders, as `bin` to `usr/bin`."""
    for name in MACHINE:
        path = Path("/", name)
        if path.is_symlink():
            yield name, os.readlink(path)


def check_usable(working: Path) -> None:
    """Raise Unavailable unless commands can be run here; `working` is a new folder."""
    for name in ("lower", "upper", "work", "root"):
        (working / name).mkdir(parents=True)
    try:
        done = subprocess.run(
            boxed([_mount("lower", "upper", "work", "root")], ["--ro-bind", "/", "/"], ["true"]),
            cwd=working,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        why = "" if done.returncode == 0 else (done.stderr.strip() or "it fails")
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    if why:
        raise Unavailable(
            f"RUN cannot be done on this machine: {why.splitlines()[-1]}",
            hint="it needs bubblewrap, unshare and overlays for users (Linux 5.11); or run the "
            "command before the build and COPY what it makes",
        )


def run(act: Run, place: Place, say: Callable[[str], None]) -> int:
    """Run the command, tell each line that it prints, and return its exit code."""
    mounts, view = mounted(place)
    view += ["--dir", act.directory, "--chdir", act.directory]
    command = boxed(mounts, view, act.argv)
    return told(command, _environment(act), say, directory=place.working)


def mounted(place: Place) -> tuple[list[str], list[str]]:
    """
    Return the commands that mount the files, from within the working folder, and bubblewrap's view.

    Links and single files of the root are put in their places at once.
    """
    new_root = place.working / "root"
    new_root.mkdir()
    mounts = []
    for name, lower in _lowers(place):
        for kind in ("root", "upper", "work"):
            (place.working / kind / name).mkdir(parents=True)
        mounts.append(_mount(lower, f"upper/{name}", f"work/{name}", f"root/{name}"))
    for name, target in _links(place):
        (new_root / name).symlink_to(target)
    for each in place.root.iterdir():
        if each.is_file() and not each.is_symlink():
            shutil.copy2(each, new_root / each.name)
    view = ["--bind", "root", "/", "--dev", "/dev", "--proc", "/proc"]
    if place.on_host:
        view += names_of_hosts(place.root)
    for name in _always(place):
        view += ["--dir", f"/{name}"]
    return mounts, view


def _always(place: Place) -> Mapping[str, int]:
    """Return the folders that are there for every command, with their modes."""
    return {**_OF_RUNS, **_OF_HOSTS} if place.on_host else _OF_RUNS


def _lowers(place: Place) -> Iterator[tuple[str, str]]:
    """Yield each folder of the root with what is below its changes, the topmost first."""
    names = {each.name for each in place.root.iterdir() if each.is_dir() and not each.is_symlink()}
    machine = {each for each in MACHINE if place.on_host and _is_folder(Path("/", each))}
    for name in sorted((names | machine) - set(_OWN)):
        own = os.path.relpath(place.root / name, place.working)
        parts = ([own] if name in names else []) + ([f"/{name}"] if name in machine else [])
        yield name, ":".join(parts)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _links(place: Place) -> Iterator[tuple[str, str]]:
    for each in place.root.iterdir():
        if each.is_symlink():
            yield each.name, os.readlink(each)


def names_of_hosts(root: Path) -> list[str]:
    """Return the mounts of files that containers have as mounts, which overlays do not show."""
    found = []
    for path in _MOUNTED:
        own = os.path.lexists(root / path[1:])
        if not own and Path(path).is_file() and not Path(path).is_symlink():
            found += ["--ro-bind", path, path]
    return found


def _mount(lower: str, upper: str, work: str, target: str) -> str:
    options = f"userxattr,lowerdir={lower},upperdir={upper},workdir={work}"
    return f"mount -t overlay overlay -o {shlex.quote(options)} {shlex.quote(target)}"


def boxed(mounts: Sequence[str], view: Sequence[str], argv: Sequence[str]) -> list[str]:
    """Return the command that mounts, and becomes the one in the view."""
    box = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", *view, "--", *argv]
    script = "\n".join(["set -e", f"PATH=$PATH:{PATH}", *mounts, 'exec "$@"'])
    return ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh", *box]


def _environment(act: Run) -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {"PATH": PATH, "HOME": "/root", **_FREE, **passed, **act.environment}


def changes(place: Place) -> Iterator[Item]:
    """Yield what the command has changed, as a layer has it: what is gone as marks of it."""
    nothing = place.working / "nothing"
    nothing.touch()
    always = _always(place)
    uppers = {name: place.working / "upper" / name for name, _ in _lowers(place)}
    for name, folder in uppers.items():
        yield from _changed(folder, name, place, nothing)
    for each in (place.working / "root").iterdir():
        old = place.root / each.name
        if each.name in uppers or each.name in _OWN or _is_same(each, old):
            continue
        if each.name not in always or any(each.iterdir()):
            yield Item(each, each.name, mode=always.get(each.name))
        if _is_folder(each):
            yield from _changed(each, each.name, place, nothing)


def _is_same(new: Path, old: Path) -> bool:
    if new.is_symlink() or old.is_symlink():
        return new.is_symlink() and old.is_symlink() and os.readlink(new) == os.readlink(old)
    return new.is_file() and old.is_file() and new.read_bytes() == old.read_bytes()


def _changed(folder: Path, path: str, place: Place, nothing: Path) -> Iterator[Item]:
    for each in sorted(folder.iterdir()):
        inner = f"{path}/{each.name}"
        status = each.lstat()
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            # Of the machine's own files nothing is taken away: it is not in the image.
            if os.path.lexists(place.root / inner):
                yield Item(nothing, f"{path}/.wh.{each.name}", mode=0o644)
            continue
        if f"/{inner}" in _MOUNTED and not os.path.lexists(place.root / inner):
            continue  # where a file of the machine was mounted
        yield Item(each, inner)
        if _is_folder(each):
            if _is_opaque(each) and (place.root / inner).is_dir():
                yield Item(nothing, f"{inner}/.wh..wh..opq", mode=0o644)
            yield from _changed(each, inner, place, nothing)


def _is_opaque(folder: Path) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE) == b"y"
    except OSError:
        return False
