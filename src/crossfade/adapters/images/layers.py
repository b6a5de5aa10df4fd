"""
Layers: archives of files that are the same bytes for the same files, and their files again.

An archive is not trusted: whatever paths and links it has, nothing is written outside of the
folder that it is unpacked into.
"""

import gzip
import io
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from crossfade.base.errors import InputError, Unavailable

_GONE, _OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has the files of a layer, by numbers."""

    user: int = 0
    group: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One file, folder or link of a layer."""

    source: Path
    """Where it is on this machine; links are taken as links."""
    path: str
    """Where it is in the image, relative to the root."""
    owner: Owner = Owner()
    mode: int | None = None
    """None: as the source has it."""


def pack(items: Iterable[Item], target: IO[bytes], time: int = 0) -> None:
    """
    Write the layer, compressed; `time` is that of all files, in seconds since 1970.

    The same files make the same bytes, in whichever order they come and whenever they were made.
    Raises InputError for what no image can have: sockets, devices; Unavailable for files that
    cannot be read, or that change meanwhile.
    """
    ordered = sorted(items, key=lambda item: item.path)
    try:
        with (
            gzip.GzipFile("", "wb", fileobj=target, mtime=0, compresslevel=6) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for item in ordered:
                _add(archive, item, time)
    except OSError as error:
        raise _unavailable("the files cannot be packed", error) from error


def _unavailable(what: str, error: OSError) -> Unavailable:
    return Unavailable(
        f"{what}: {error.strerror or error}",
        hint="see that the files can be read, stay as they are, and that the disk has room",
        file=error.filename,
    )


def _add(archive: tarfile.TarFile, item: Item, time: int) -> None:
    found = item.source.lstat()
    entry = tarfile.TarInfo(item.path.strip("/"))
    entry.uid, entry.gid, entry.mtime = item.owner.user, item.owner.group, time
    entry.mode = stat.S_IMODE(found.st_mode) if item.mode is None else item.mode
    if stat.S_ISLNK(found.st_mode):
        entry.type, entry.mode = tarfile.SYMTYPE, 0o777
        entry.linkname = os.readlink(item.source)
        archive.addfile(entry)
    elif stat.S_ISDIR(found.st_mode):
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
    elif stat.S_ISREG(found.st_mode):
        with item.source.open("rb") as content:
            entry.size = os.fstat(content.fileno()).st_size
            archive.addfile(entry, content)
    else:
        raise InputError(
            "only files, folders and links can be in an image",
            hint="leave it out with .dockerignore, or remove it in the same RUN",
            file=str(item.source),
        )


def unpack(blob: Path, root: Path) -> None:
    """
    Put the files of a layer into a folder that has the layers below it.

    Files belong to whoever does this.  Raises InputError for an archive that cannot be read, or
    that would write outside of the folder, Unavailable when the machine has no room; the folder is
    then to be thrown away.
    """
    try:
        with tarfile.open(blob, mode="r:*", errorlevel=1) as archive:
            fresh = set[str]()
            for entry in archive:
                _take(archive, entry, root, fresh)
    except (tarfile.TarError, EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"the layer cannot be unpacked: {error}",
            hint="build or pull the image again",
            layer=blob.name,
        ) from error
    except OSError as error:
        raise _unavailable("the layer cannot be unpacked", error) from error


def _take(archive: tarfile.TarFile, entry: tarfile.TarInfo, root: Path, fresh: set[str]) -> None:
    parts = _parts(entry.name)
    if not parts:
        return
    folder = _folder(root, parts[:-1])
    name, key = parts[-1], "/".join(parts)
    if name == _OPAQUE:
        _empty(folder, {each.rpartition("/")[2] for each in fresh if _is_in(each, parts[:-1])})
        return
    if name.startswith(_GONE):
        _remove(folder / _plain(name.removeprefix(_GONE)))
        return
    fresh.update("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    place = folder / name
    if entry.isdir():
        _make_folder(place, entry.mode)
        return
    _remove(place)
    if entry.issym():
        place.symlink_to(entry.linkname)
    elif entry.islnk():
        place.hardlink_to(_existing(root, entry.linkname))
    elif entry.isreg():
        _write(archive, entry, place)
    else:
        raise ValueError(f"{key} is neither file, folder nor link")


def _parts(name: str) -> tuple[str, ...]:
    """Return the parts of a path of an archive."""
    parts = tuple(part for part in PurePosixPath(name).parts if part not in ("/", "."))
    return tuple(_plain(part) for part in parts)


def _plain(part: str) -> str:
    if part in ("", ".", "..") or "/" in part or "\0" in part:
        raise ValueError(f"a path of the archive has the part {part!r}")
    return part


def _folder(root: Path, parts: Iterable[str]) -> Path:
    """
    Return the folder, made if it is not there.

    A link in its place is followed within the image, as the image's own programs would; links that
    lead on to other links are too: never through the machine's root.
    """
    place, waiting, followed = root, list(parts), 0
    while waiting:
        part = waiting.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            place = place if place == root else place.parent
            continue
        inner = place / part
        if inner.is_symlink():
            followed += 1
            if followed > 40:
                raise ValueError(f"links of {inner.name} lead in a circle")
            target = os.readlink(inner)
            place = root if target.startswith("/") else place
            waiting = [*target.split("/"), *waiting]
            continue
        if not inner.is_dir():
            inner.unlink(missing_ok=True)
            inner.mkdir(mode=0o755)
        place = inner
    return place


def _existing(root: Path, name: str) -> Path:
    parts = _parts(name)
    if not parts:
        raise ValueError("a link leads to the root")
    found = _folder(root, parts[:-1]) / parts[-1]
    if found.is_symlink() or not found.is_file():
        raise ValueError(f"a link leads to {name}, which is no file of the image")
    return found


def _make_folder(place: Path, mode: int) -> None:
    if place.is_symlink() or not place.is_dir():
        _remove(place)
        place.mkdir()
    # Its owner, who is us, must be able to put files in and to remove it in the end.
    place.chmod(stat.S_IMODE(mode) | 0o700)


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, place: Path) -> None:
    content = archive.extractfile(entry) or io.BytesIO()
    with content, place.open("xb") as file:
        shutil.copyfileobj(content, file)
    # Not set-user-ID: files belong to whoever unpacks, root perhaps.
    place.chmod(stat.S_IMODE(entry.mode) & 0o777 | 0o400)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _empty(folder: Path, besides: set[str]) -> None:
    for each in list(folder.iterdir()):
        if each.name not in besides:
            _remove(each)


def _is_in(path: str, folder: tuple[str, ...]) -> bool:
    return path.rpartition("/")[0] == "/".join(folder)
