"""What a COPY or ADD takes, and where in the image it goes."""

import hashlib
import os
import posixpath
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from crossfade.adapters.images.layers import Item, Owner, unpack
from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.base.words import did_you_mean
from crossfade.core.image.documents import canonical, digest
from crossfade.core.image.evaluate import Copy
from crossfade.core.image.ignore import Ignored, matching, parse

_LARGEST_IGNORE_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Files:
    """A folder to copy from, and the paths in it that may be copied, with `/`."""

    root: Path
    paths: tuple[str, ...]


def context_files(context: Path, dockerfile: Path) -> Files:
    """
    Return the files of a build context without what is to be ignored.

    `NAME.dockerignore` beside a Dockerfile goes before `.dockerignore`, as in BuildKit.
    """
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    path = own if own.is_file() else context / ".dockerignore"
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_IGNORE_FILE).decode(errors="replace")
    except FileNotFoundError:
        text = ""
    return Files(context, tuple(sorted(_walk(context, parse(text)))))


def all_files(root: Path) -> Files:
    """Return everything in a folder."""
    return Files(root, tuple(sorted(_walk(root, Ignored()))))


def _walk(root: Path, ignored: Ignored, below: str = "") -> Iterator[str]:
    with os.scandir(root / below) as entries:
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            left_out = ignored.leaves_out(path)
            if not left_out:
                yield path
            if entry.is_dir(follow_symlinks=False) and not ignored.may_skip(path):
                yield from _walk(root, ignored, path)


def items(
    act: Copy, files: Files, problem: Callable[[str, str], InputError], place: Callable[[str], str]
) -> Iterator[tuple[str, Item]]:
    """
    Yield what is copied, with the kind of its source: `folder/` or the file's name.

    `place` turns the target into a path relative to the image's root, that ends with `/` for a
    folder.  `problem` makes the error for what cannot be copied.
    """
    owner, mode = _owner(act, problem), _mode(act, problem)
    sources = [each for one in act.sources for each in _sources(one, files, problem)]
    target = place(act.target)
    if len(sources) > 1 and target and not target.endswith("/"):  # "": the root
        folders = [each for each in sources if (files.root / each).is_dir()]
        if not folders:
            raise problem(f"several files cannot all become {act.target}", f"write {act.target}/")
    for source in sources:
        for item in _of_source(source, files, target):
            folder = item.source.is_dir() and not item.source.is_symlink()
            given = mode if mode is not None and not folder else item.mode
            yield source, replace(item, owner=owner, mode=given)


def _of_source(source: str, files: Files, target: str) -> Iterator[Item]:
    where = files.root / source
    if not where.is_dir() or where.is_symlink():
        name = posixpath.basename(source)
        yield Item(where, f"{target}{name}" if target.endswith("/") or not target else target)
        return
    target = target.rstrip("/")
    if target:
        yield Item(where, target, mode=0o755)
    prefix = f"{source}/" if source else ""
    for path in files.paths:
        if path.startswith(prefix):
            yield Item(files.root / path, f"{target}/{path[len(prefix) :]}".lstrip("/"))


def _sources(text: str, files: Files, problem: Callable[[str, str], InputError]) -> tuple[str, ...]:
    """Return the paths that a source means; `..` does not lead out of the folder."""
    path = posixpath.normpath(f"/{text}").lstrip("/")
    if not path:
        return ("",)
    if any(character in path for character in "*?["):
        found = matching(path, files.paths)
    else:
        found = (path,) if path in files.paths else ()
    if not found and any(each.startswith(f"{path}/") for each in files.paths):
        found = (path,)
    if found:
        return tuple(_followed(each, files, problem) for each in found)
    if (files.root / path).exists():
        hint = "it is left out by .dockerignore, or behind a link: take the rule away"
    else:
        hint = f"paths are relative to the context{did_you_mean(path, files.paths)}"
    raise problem(f"there is no {text!r} to copy", hint)


def _followed(path: str, files: Files, problem: Callable[[str, str], InputError]) -> str:
    """Return what a link means that is named itself; links in folders stay links."""
    if not (files.root / path).is_symlink():
        return path
    root = files.root.resolve()
    real = (files.root / path).resolve()
    if not real.is_relative_to(root) or str(real.relative_to(root)) not in files.paths:
        raise problem(f"{path!r} is a link that leads out of what can be copied", "copy the file")
    return str(real.relative_to(root))


def _owner(act: Copy, problem: Callable[[str, str], InputError]) -> Owner:
    if not act.owner:
        return Owner()
    user, colon, group = act.owner.partition(":")
    numbers = ["0" if each == "root" else each for each in (user, group if colon else user)]
    if not all(each.isascii() and each.isdigit() and len(each) < 10 for each in numbers):
        hint = "write numbers: names are known only in the image, as in --chown=65532:65532"
        raise problem(f"--chown={act.owner} is not supported", hint)
    return Owner(int(numbers[0]), int(numbers[1]))


def _mode(act: Copy, problem: Callable[[str, str], InputError]) -> int | None:
    if not act.mode:
        return None
    if len(act.mode) > 5 or set(act.mode) - set("01234567"):
        raise problem(f"--chmod={act.mode} is not supported", "write it as --chmod=755")
    return int(act.mode, 8)


def unpacked(found: Iterable[tuple[str, Item]], target: str, working: Path) -> Iterator[Item]:
    """Yield the items of an ADD: of archives, the files that they have."""
    for number, (source, item) in enumerate(found):
        whole = item.source.name == posixpath.basename(source) and item.source.is_file()
        if not whole or item.source.is_symlink() or not tarfile.is_tarfile(item.source):
            yield item
            continue
        folder = working / f"archive-{number}"
        folder.mkdir()
        unpack(item.source, folder)
        inside = target.rstrip("/")
        for path in all_files(folder).paths:
            yield Item(folder / path, f"{inside}/{path}".lstrip("/"), item.owner)


def inputs(found: Iterable[Item]) -> str:
    """Return the digest of what is copied: paths, modes, and contents."""
    return digest(canonical([_said(each) for each in sorted(found, key=lambda one: one.path)]))


def _said(item: Item) -> list[Json]:
    status = item.source.lstat()
    kind, mode = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content, mode = os.readlink(item.source), 0o777
    elif stat.S_ISREG(status.st_mode):
        with item.source.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    return [item.path, kind, mode if item.mode is None else item.mode, content]
