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

    async def forget(self, build: str) -> bool:
        """Remove it unless something runs in it; see the port."""
        return await asyncio.to_thread(self._forget, build)

    def _folders(self, build: str) -> tuple[Path, ...]:
        """Return what goes; logs and lists of artifacts stay."""
        places = self._places
        return places.volume(build), places.home(build), places.build(build) / "runs"

    def _forget(self, build: str) -> bool:
        if any(is_held(lock) for lock in self._places.build(build).glob("runs/*/lock")):
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
