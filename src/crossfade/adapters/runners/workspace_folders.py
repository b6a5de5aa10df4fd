"""Workspaces as folders of this machine."""

import asyncio
import os
from pathlib import Path

from crossfade.adapters.images.folders import remove_folder, walk
from crossfade.adapters.runners.lock import is_held
from crossfade.adapters.runners.places import Places
from crossfade.base.errors import Unavailable


class WorkspaceFolders:
    """The port Workspaces for steps that run as processes, or in containers, of this machine."""

    def __init__(self, folder: Path) -> None:
        self._places = Places(folder)

    async def size(self, build: str) -> int:
        """Return how many bytes it has; see the port."""
        return await asyncio.to_thread(lambda: sum(map(_size, self._folders(build))))

    async def holds(self, build: str) -> bool:
        """Return whether there is one in which nothing runs; see the port."""
        return await asyncio.to_thread(self._holds, build)

    def _holds(self, build: str) -> bool:
        return self._places.volume(build).is_dir() and not self._runs(build)

    def _runs(self, build: str) -> bool:
        return any(is_held(lock) for lock in self._places.build(build).glob("runs/*/lock"))

    async def hand_on(self, build: str, to: str) -> None:
        """Give it to another build; see the port."""
        source, target = self._places.volume(build), self._places.volume(to)
        try:
            await asyncio.to_thread(_moved, source, target)
        except OSError as error:
            raise Unavailable(
                f"the workspace of build {build} cannot be handed on: {error.strerror}",
                hint="see that the state folder can be written and has room",
                folder=str(source),
            ) from error

    async def forget(self, build: str) -> bool:
        """Remove it unless something runs in it; see the port."""
        return await asyncio.to_thread(self._forget, build)

    def _folders(self, build: str) -> tuple[Path, ...]:
        """Return what goes; logs and lists of artifacts stay."""
        places = self._places
        return places.volume(build), places.home(build), places.build(build) / "runs"

    def _forget(self, build: str) -> bool:
        if self._runs(build):
            return False
        for listed in self._places.build(build).glob("pods/agreed-*.json"):
            listed.unlink(missing_ok=True)  # what there was, as large as that had many files
        for each in self._folders(build):
            remove_folder(each)
            if each.exists():
                raise Unavailable(
                    f"the workspace of build {build} cannot be removed",
                    hint="see whom its files belong to",
                    folder=str(each),
                )
        return True


def _moved(source: Path, target: Path) -> None:
    """Move a folder, unless it was moved already."""
    if source.is_dir() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        source.rename(target)


def _size(folder: Path) -> int:
    """Return what the files in a folder take; what is linked counts where it is."""
    total = 0
    for parent, _, names in walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # it is gone meanwhile
                continue
    return total
