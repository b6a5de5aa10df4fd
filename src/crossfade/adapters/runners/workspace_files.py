"""Files of a workspace as who keeps some of them finds them: steps may still change them."""

import glob
import os
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from crossfade.adapters.images.folders import is_reachable
from crossfade.adapters.runners.pods.files import NO_FILE, opened

_ANY = "**"


class NoFile(Exception):
    """There is no file to be read; the text says why."""


def open_inside(volume: Path, path: Path) -> BinaryIO:
    """
    Return a regular file of the workspace, to be read.

    Raises NoFile when it is none, or somewhere else: what was looked at may be a link by now.
    Raises OSError when the machine cannot look.
    """
    try:
        file = opened(str(path))
    except OSError as error:
        if error.errno not in NO_FILE:
            raise
        raise NoFile(f"it cannot be read: {error.strerror}") from error
    where = Path(os.readlink(f"/proc/self/fd/{file.fileno()}"))
    if not where.is_relative_to(volume):
        file.close()
        raise NoFile("it is not in the workspace")
    return file


def matching(volume: Path, base: Path, pattern: str) -> Iterator[Path]:
    """
    Yield what there is of a pattern below `base`, where `**` is for folders of any depth.

    Links are followed where the pattern names them, and not out of the workspace; `**` follows
    none, or some would be found without end.
    """
    parts = [each for each in pattern.split("/") if each not in ("", ".")]
    left, seen = [(base, 0)], set[tuple[Path, int]]()
    while left:
        place, at = left.pop()
        if (place, at) in seen:
            continue
        seen.add((place, at))
        if at == len(parts):
            yield place
        elif at == 0 or not place.is_symlink() or place.resolve().is_relative_to(volume):
            left += _below(place, at, parts)


def _below(place: Path, at: int, parts: list[str]) -> Iterator[tuple[Path, int]]:
    part, rest = parts[at], at + 1
    if part == _ANY:
        yield place, rest
        for each in _entries(place):
            folder = each.is_dir(follow_symlinks=False)
            if folder or rest == len(parts):
                yield Path(each.path), at if folder else rest
    elif glob.has_magic(part):
        for each in _entries(place):
            if fnmatchcase(each.name, part) and (rest == len(parts) or each.is_dir()):
                yield Path(each.path), rest
    elif os.path.lexists(place / part):
        yield place / part, rest


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as scanned:
        return list(filter(is_reachable, scanned))
    return []
