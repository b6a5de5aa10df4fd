"""
Forgets what steps have kept, so that the disk does not fill up.

First the lists of contents go, one by one, then the contents that no list names.  Whoever keeps or
restores files holds the lock together with others; who forgets holds it alone.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from crossfade.adapters.runners.contents import Contents
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import InputError
from crossfade.core.pipeline.forgetting import Entry, Forgotten, InUse, Kind, Limits, forgotten
from crossfade.core.pipeline.keeping import Kept

LOCK = "kept.lock"
"""Its time is that of the last time."""
_LINK = "->"
"""Begins what stands for the content of a link."""


@contextmanager
def locked(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold the lock of kept files; others wait if one of us is to be alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def write_index(path: Path, text: str) -> None:
    """Write a list of contents, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


class OldFiles:
    """The folder of kept files, as who tidies it up sees it."""

    def __init__(self, folder: Path, contents: Contents) -> None:
        self._folder, self._contents = folder, contents

    def due(self, limits: Limits, in_use: InUse, now: float) -> tuple[Forgotten, ...]:
        """Return what would be forgotten.  Raises InputError for a list that cannot be read."""
        with locked(self._folder):
            return forgotten(self._entries(), limits, in_use, now)

    def forget(self, limits: Limits, in_use: InUse, now: float) -> tuple[Forgotten, ...]:
        """Forget what is due, and return it.  Raises InputError as `due`."""
        with locked(self._folder, alone=True):
            entries = self._entries()
            due = forgotten(entries, limits, in_use, now)
            for each in due:
                self._drop(each)
            gone = {each.entry.name for each in due}
            left = (each for each in entries if each.name not in gone)
            self._contents.sweep({digest for each in left for digest in each.contents})
            os.utime(self._folder / LOCK)
        return due

    def _entries(self) -> list[Entry]:
        return [*self._artifacts(), *self._caches()]

    def _artifacts(self) -> Iterator[Entry]:
        for path in sorted(self._folder.glob("*/kept/*.json")):
            kept = read_index(path)
            if kept.artifacts:
                contents = {each.digest: each.size for each in kept.artifacts}
                name = str(path.relative_to(self._folder))
                yield Entry(Kind.ARTIFACTS, name, path.stat().st_mtime, contents, kept.build)

    def _caches(self) -> Iterator[Entry]:
        for path in sorted(self._folder.glob("caches/*.json")):
            contents = {each: self._contents.size(each) for each in _cached(path)}
            name = str(path.relative_to(self._folder))
            yield Entry(Kind.CACHE, name, path.stat().st_mtime, contents)

    def _drop(self, each: Forgotten) -> None:
        path = self._folder / each.entry.name
        if each.entry.kind is Kind.CACHE:
            path.unlink(missing_ok=True)
            return
        written = path.stat().st_mtime
        left = replace(read_index(path), artifacts=(), forgotten=each.why)
        write_index(path, json.dumps(to_json(left)))
        os.utime(path, (written, written))  # runs stay in their order


def read_index(path: Path) -> Kept:
    """Return what a list says that a run has left.  Raises InputError."""
    try:
        return from_json(Kept, json.loads(path.read_text()))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        # Whatever it names would count as needed by nobody.
        raise InputError(
            f"a list of artifacts cannot be read: {error}",
            hint="mend the file, or remove it: its artifacts are lost then",
            file=str(path),
        ) from error


def _cached(path: Path) -> set[str]:
    try:
        rows = json.loads(path.read_text())
        return {digest for _, digest, _ in rows if not digest.startswith(_LINK)}
    except (ValueError, TypeError, AttributeError):
        return set()  # nobody can use it, so its contents may go
