"""Folders with the files of images and steps: nobody may enter some, and some are very deep."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LONGEST_PATH = 4096


def walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """
    Yield each folder with its folders and files, as `os.walk` does, however deep they are.

    Links to folders are among the folders, and are not followed.  What has too long a path for
    anybody to open it is left out.
    """
    left = [str(folder)]
    while left:
        here = left.pop()
        folders: list[str] = []
        files: list[str] = []
        with suppress(OSError), os.scandir(here) as entries:
            for each in filter(is_reachable, entries):
                (folders if each.is_dir() else files).append(each.name)
        yield here, folders, files
        below = (os.path.join(here, each) for each in reversed(folders))
        left += [each for each in below if not os.path.islink(each)]


def is_reachable(entry: "os.DirEntry[str]") -> bool:
    """Return whether its path can be opened."""
    return len(os.fsencode(entry.path)) < _LONGEST_PATH


def remove_folder(folder: Path) -> None:
    """Remove a folder with everything in it, also folders that nobody may enter."""
    for parent, names, _ in walk(folder):
        for name in names:
            inner = Path(parent, name)
            if not inner.is_symlink():
                with suppress(OSError):
                    inner.chmod(0o700)
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):  # it is deeper than Python goes
        command = [shutil.which("rm") or "rm", "-rf", "--", str(folder)]
        subprocess.run(command, capture_output=True, check=False)
