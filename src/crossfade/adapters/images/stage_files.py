"""The files of one stage while it is built: layers, and the folder that they make together."""

import gzip
import hashlib
import os
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from crossfade.adapters.images.layers import Item, pack, unpack
from crossfade.adapters.images.running import machine_links
from crossfade.adapters.images.store import ImageStore
from crossfade.core.image.documents import LAYER, Descriptor, Layer

_CHUNK = 1 << 20


class StageFiles:
    """Layers that were made before are unpacked only once somebody needs the files."""

    def __init__(
        self, store: ImageStore, folder: Path, layers: Iterable[Layer], *, on_host: bool
    ) -> None:
        self._store, self._folder = store, folder
        self.layers = list(layers)
        self.on_host = on_host
        self._unpacked = 0

    def root(self) -> Path:
        """Return the folder with the files of all layers so far."""
        if not self._folder.exists():
            self._folder.mkdir(parents=True)
            for name, target in machine_links() if self.on_host else ():
                (self._folder / name).symlink_to(target)
        for layer in self.layers[self._unpacked :]:
            unpack(self._store.path(layer.blob.digest), self._folder)
            self._unpacked += 1
        return self._folder

    def place(self, path: str) -> str:
        """
        Return where an absolute path of the image is, relative to the root; folders end with `/`.

        Links among folders are followed as in the image; the last part only to a folder.
        """
        root, done, waiting, followed = self.root(), list[str](), path.split("/"), 0
        while waiting:
            part = waiting.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            inner = root.joinpath(*done, part)
            if inner.is_symlink() and followed < 40 and (waiting or path.endswith("/")):
                followed += 1
                target = os.readlink(inner)
                done = [] if target.startswith("/") else done
                waiting = [*target.split("/"), *waiting]
                continue
            done.append(part)
        is_folder = path.endswith("/") or root.joinpath(*done).is_dir()
        return posixpath.join(*done, "" if is_folder else ".").removesuffix("/.") if done else ""

    def add(self, items: Iterable[Item], made_by: str, time: int) -> Layer:
        """Return the new layer, kept and on top of the others."""
        part = self._folder.with_suffix(".layer")
        with part.open("wb") as target:
            pack(items, target, time)
        diff = hashlib.sha256()
        with gzip.open(part) as archive:
            while piece := archive.read(_CHUNK):
                diff.update(piece)
        digest, size = self._store.put(_pieces(part))
        part.unlink()
        layer = Layer(Descriptor(LAYER, digest, size), f"sha256:{diff.hexdigest()}", made_by)
        self.layers.append(layer)
        return layer


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece
