"""The files of images, unpacked once for all who run on them; nobody changes them."""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.images.folders import remove_folder
from crossfade.adapters.images.loading import loaded
from crossfade.adapters.images.stage_files import StageFiles
from crossfade.adapters.images.store import ImageStore
from crossfade.core.image.bases import HOST, HOST_LABEL
from crossfade.core.image.documents import Descriptor, ImageConfig


@dataclass(frozen=True, slots=True)
class Root:
    """An image that can be run on."""

    files: Path
    lock: Path
    """Whoever runs on the files holds it, shared."""
    on_host: bool
    """The machine's own files are below them."""
    config: ImageConfig


class Roots:
    """Folders beside the images, one for each that was run on."""

    def __init__(self, store: ImageStore, folder: Path) -> None:
        self._store, self._folder = store, folder

    def root(self, image: Descriptor) -> Root:
        """Return the files of an image that is kept; raises as `loaded` and `unpack` do."""
        found = loaded(self._store, image)
        place = self._folder / image.digest.removeprefix("sha256:")
        on_host = found.config.labels.get(HOST_LABEL) == HOST
        lock = place.with_suffix(".lock")
        if not place.is_dir():
            with self._store.adding(), self._store.working() as working:
                part = StageFiles(self._store, working / "root", found.layers, on_host=on_host)
                part.root()
                self._folder.mkdir(exist_ok=True, mode=0o700)
                with suppress(OSError):  # another one was faster
                    (working / "root").rename(place)
        lock.touch(mode=0o600)
        return Root(place, lock, on_host, found.config)

    def forget_pruned(self) -> None:
        """Remove the files of images that are gone, unless somebody runs on them."""
        places = list(self._folder.iterdir()) if self._folder.is_dir() else []
        for place in places:
            if place.suffix == ".lock" or self._store.has(f"sha256:{place.name}"):
                continue
            lock = place.with_suffix(".lock")
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_folder(place)
                lock.unlink(missing_ok=True)
            except BlockingIOError:
                continue
            finally:
                os.close(handle)
