"""Files of steps kept in the state folder: contents by digest, and an index for each run."""

import asyncio
import hashlib
import json
import os
import posixpath
import shutil
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from crossfade.adapters.images.folders import walk
from crossfade.adapters.runners.contents import CHUNK, Contents, TooLarge
from crossfade.adapters.runners.old_files import LOCK, OldFiles, locked, read_index, write_index
from crossfade.adapters.runners.workspace_files import NoFile, matching, open_inside
from crossfade.base.codec import to_json
from crossfade.base.errors import Unavailable
from crossfade.core.pipeline.forgetting import Forgotten, InUse, Limits
from crossfade.core.pipeline.junit import Case, NoReport, cases
from crossfade.core.pipeline.keeping import (
    LARGEST_FILE_BYTES,
    LARGEST_REPORT_BYTES,
    LARGEST_STEP_BYTES,
    MOST_CASES,
    MOST_FILES,
    Artifact,
    Kept,
    wanted,
)
from crossfade.core.pipeline.masking import Mask
from crossfade.core.pipeline.work import VOLUME
from crossfade.ports.runner import Order, RunId

T = TypeVar("T")

_MAY_EXECUTE = stat.S_IXUSR


class KeptFiles:
    """Files of workspaces on this machine."""

    def __init__(
        self,
        folder: Path,
        volume: Callable[[str], Path],
        *,
        largest_file: int = LARGEST_FILE_BYTES,
        largest_step: int = LARGEST_STEP_BYTES,
    ) -> None:
        """`volume` says where the workspace of a build is."""
        self._folder, self._volume = folder, volume
        self._contents = Contents(folder / "contents")
        self._largest_file, self._largest_step = largest_file, largest_step

    async def restore(self, order: Order) -> str:
        """Put cached folders back before a run; see the port."""
        return await asyncio.to_thread(self._locked, lambda: self._restore(order))

    async def keep(self, order: Order, *, succeeded: bool) -> Kept:
        """Keep what an ended run has left; see the port."""
        return await asyncio.to_thread(self._locked, lambda: self._keep(order, succeeded))

    async def kept(self, build: str) -> tuple[Kept, ...]:
        """Return what the runs of a build have left; see the port."""
        return await asyncio.to_thread(self._kept, build)  # thousands of results of tests

    async def read(self, artifact: Artifact) -> bytes:
        """Return the content of an artifact; see the port."""
        return await asyncio.to_thread(self._contents.read, artifact.digest)

    async def pieces(self, artifact: Artifact) -> AsyncIterator[bytes]:
        """Yield the content of an artifact, little by little; see the port."""
        with await asyncio.to_thread(self._contents.open, artifact.digest) as file:
            while piece := await asyncio.to_thread(file.read, CHUNK):
                yield piece

    async def forget(
        self, limits: Limits, in_use: InUse, now: float, *, dry_run: bool = False
    ) -> tuple[Forgotten, ...]:
        """Drop what is over the limits; see the port."""
        old = OldFiles(self._folder, self._contents)
        if dry_run:
            return await asyncio.to_thread(_answered, lambda: old.due(limits, in_use, now))
        return await asyncio.to_thread(_answered, lambda: old.forget(limits, in_use, now))

    def last_tidied(self) -> float:
        """Return when something was forgotten last, or could have been; 0 when nothing is kept."""
        lock = self._folder / LOCK
        return lock.stat().st_mtime if lock.exists() else 0.0

    def _kept(self, build: str) -> tuple[Kept, ...]:
        paths = sorted((self._folder / build / "kept").glob("*.json"), key=_age)
        return tuple(read_index(path) for path in paths)

    def _locked(self, act: Callable[[], T]) -> T:
        """Act while nothing is forgotten."""

        def alone() -> T:
            with locked(self._folder):
                return act()

        return _answered(alone)

    def _restore(self, order: Order) -> str:
        wish = wanted(order.environment)
        if not wish.cache:
            return ""
        rows = self._rows(self._cache(order))
        if rows is None:
            return "nothing is cached for these inputs"
        volume = self._volume(order.run.build)
        os.utime(self._cache(order))  # by when it was used last it is decided what is forgotten
        for path, digest, mode in rows:
            target = volume / path
            if target.is_symlink() or not _inside(volume, target):
                continue  # a step of this build has put a link there, which may lead anywhere
            target.parent.mkdir(parents=True, exist_ok=True)
            if digest.startswith("->"):
                target.unlink(missing_ok=True)
                target.symlink_to(digest[2:])
            else:
                self._contents.copy(digest, target)
                target.chmod(mode)
        return f"from the cache: {', '.join(wish.cache)}"

    def _rows(self, index: Path) -> list[tuple[str, str, int]] | None:
        """Return path, content and mode of what is cached; None when it is not there whole."""
        if not index.exists():
            return None
        rows = [(path, digest, mode) for path, digest, mode in json.loads(index.read_text())]
        contents = {digest for _, digest, _ in rows if not digest.startswith("->")}
        return rows if all(self._contents.has(each) for each in contents) else None

    def _cache(self, order: Order) -> Path:
        """Return where the index of the cached folders is, by all that they depend on."""
        wish = wanted(order.environment)
        volume = self._volume(order.run.build).resolve()
        digest = hashlib.sha256(json.dumps([order.run.key, order.image, wish.cache]).encode())
        for path in self._found(order, wish.cache_key):
            digest.update(f"\0{path.relative_to(volume)}\0".encode())
            inner = hashlib.sha256()
            with suppress(NoFile), open_inside(volume, path.resolve()) as file:
                while chunk := file.read(CHUNK):
                    inner.update(chunk)
            digest.update(inner.digest())
        return self._folder / "caches" / f"{digest.hexdigest()}.json"

    def _keep(self, order: Order, succeeded: bool) -> Kept:
        wish = wanted(order.environment)
        run = order.run
        notes: list[str] = []
        artifacts = tuple(self._artifacts(order, wish.artifacts, notes))
        tests = self._cases(order, wish.tests, notes)
        told = tuple(_printable(each) for each in notes)
        kept = Kept(run.build, run.key, run.generation, run.number, artifacts, tests, told)
        if succeeded and wish.cache:
            self._save_cache(order, wish.cache)
        if artifacts or tests or notes:
            write_index(self._index(run), json.dumps(to_json(kept)))
        return kept

    def _artifacts(
        self, order: Order, patterns: Sequence[str], notes: list[str]
    ) -> Iterator[Artifact]:
        volume, total = self._volume(order.run.build).resolve(), 0
        found = [each for each in self._found(order, patterns, deep=True) if not each.is_symlink()]
        lacking = [each for each in patterns if not self._found(order, [each], deep=True)]
        notes += [f"no file is {each}" for each in lacking]
        if len(found) > MOST_FILES:
            notes.append(
                f"{len(found) - MOST_FILES} files not kept: at most {MOST_FILES} of a step"
            )
        for path in found[:MOST_FILES]:
            name = str(path.relative_to(volume))
            try:
                most = min(self._largest_file, self._largest_step - total)
                digest, size = self._add(volume, path, most)
            except (TooLarge, NoFile) as error:
                notes.append(f"{name} not kept: {error}")
                continue
            total += size
            yield Artifact(name, digest, size)

    def _cases(self, order: Order, patterns: Sequence[str], notes: list[str]) -> tuple[Case, ...]:
        found: list[Case] = []
        count = 0
        reports = self._found(order, patterns)
        if patterns and not reports:
            notes.append(f"no report of tests is {' '.join(patterns)}")
        for path in reports[:MOST_FILES]:
            try:
                report = cases(self._report(order, path))
            except (NoReport, NoFile) as error:
                notes.append(f"{path.name} is no report of tests: {error}")
                continue
            found += report[: MOST_CASES - len(found)]  # no more are held in memory
            count += len(report)
        if count > MOST_CASES:
            notes.append(f"{count - MOST_CASES} tests not kept: at most {MOST_CASES} of a step")
        mask = Mask(order.secrets)
        return tuple(
            replace(
                each,
                suite=mask.whole(each.suite),
                name=mask.whole(each.name),
                message=mask.whole(each.message),
            )
            for each in found
        )

    def _report(self, order: Order, path: Path) -> bytes:
        volume = self._volume(order.run.build).resolve()
        with open_inside(volume, path.resolve()) as file:
            data = file.read(LARGEST_REPORT_BYTES + 1)
        if len(data) > LARGEST_REPORT_BYTES:
            raise NoReport(f"it has more than {LARGEST_REPORT_BYTES >> 20} MiB")
        return data

    def _add(self, volume: Path, path: Path, most: int) -> tuple[str, int]:
        with open_inside(volume, path.parent.resolve() / path.name) as file:
            return self._contents.add(file, most)

    def _save_cache(self, order: Order, patterns: Sequence[str]) -> None:
        index = self._cache(order)
        if self._rows(index) is not None:
            return
        volume, rows = self._volume(order.run.build).resolve(), []
        for path in self._found(order, patterns, deep=True):
            name = str(path.relative_to(volume))
            if path.is_symlink():
                rows.append((name, f"->{os.readlink(path)}", 0))
                continue
            mode = 0o755 if path.stat().st_mode & _MAY_EXECUTE else 0o644
            try:
                rows.append((name, self._add(volume, path, self._largest_step)[0], mode))
            except (TooLarge, NoFile):
                return  # half a folder would be worse than none
        write_index(index, json.dumps(rows))

    def _base(self, order: Order) -> Path:
        """Return the folder that patterns are below; of a step elsewhere, the workspace."""
        volume = self._volume(order.run.build).resolve()
        inner = posixpath.relpath(order.directory, VOLUME)
        return volume if inner.startswith("..") else volume / inner

    def _found(self, order: Order, patterns: Sequence[str], *, deep: bool = False) -> list[Path]:
        """Return the files of the workspace that fit, each once; `deep`: folders whole."""
        volume, base = self._volume(order.run.build).resolve(), self._base(order)
        found: dict[Path, None] = {}
        for pattern in patterns:
            absolute = pattern.startswith("/")
            text = pattern.removeprefix(VOLUME).lstrip("/") if absolute else pattern
            place = volume if absolute else base
            for hit in sorted(matching(volume, place, text)):
                path = Path(os.path.normpath(hit))
                if not _inside(volume, path):
                    continue
                if deep:
                    # Whoever opens a pipe waits for who writes to it.
                    kept = (each for each in _files(path) if each.is_symlink() or each.is_file())
                    found |= dict.fromkeys(kept)
                elif path.is_file() and path.resolve().is_relative_to(volume):
                    found[path] = None
        return list(found)

    def _index(self, run: RunId) -> Path:
        digest = hashlib.sha256(run.key.encode()).hexdigest()[:16]
        name = f"{run.generation}-{digest}-{run.number}.json"
        return self._folder / run.build / "kept" / name


def _printable(text: str) -> str:
    """Return a text that moves no cursor: names of files may have anything in them."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _inside(volume: Path, path: Path) -> bool:
    """Return whether the path itself, with links in it followed, stays in the workspace."""
    return path.parent.resolve().is_relative_to(volume.resolve())


def _files(path: Path) -> Iterator[Path]:
    """Yield the file, or the files below a folder, in the order of their names."""
    if not path.is_dir() or path.is_symlink():
        yield path
        return
    for root, folders, files in walk(path):
        linked = [each for each in folders if (Path(root) / each).is_symlink()]
        folders[:] = sorted(each for each in folders if each not in linked)
        yield from (Path(root) / each for each in sorted([*files, *linked]))


def _age(path: Path) -> tuple[float, str]:
    return path.stat().st_mtime, path.name


def _answered(act: Callable[[], T]) -> T:
    """Return what it returns; a disk that refuses is somebody who does not answer."""
    try:
        return act()
    except (OSError, shutil.Error) as error:
        raise Unavailable(
            f"files of a step cannot be kept: {error}",
            hint="see that the state folder can be written and has room",
        ) from error
