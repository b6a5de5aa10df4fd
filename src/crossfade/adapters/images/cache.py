"""Layers that were made before, by what they were made of."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from crossfade.adapters.images.store import ImageStore
from crossfade.base.json_value import Json
from crossfade.core.image.documents import LAYER, Descriptor, Layer, canonical


class LayerCache:
    """Records beside the images; a record whose layer was pruned counts as none."""

    def __init__(self, store: ImageStore, folder: Path) -> None:
        self._store, self._folder = store, folder

    def find(self, key: str, made_by: str) -> Layer | None:
        """Return the layer of a key, None when it has to be made."""
        try:
            found = json.loads(self._path(key).read_bytes())
            blob = Descriptor(LAYER, str(found["digest"]), int(found["size"]))
            layer = Layer(blob, str(found["diffId"]), made_by)
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return layer if self._store.has(blob.digest) else None

    def keep(self, key: str, layer: Layer) -> None:
        """Remember the layer.  A record that cannot be written is only a layer made again."""
        record: dict[str, Json] = {
            "digest": layer.blob.digest,
            "size": layer.blob.size,
            "diffId": layer.diff_id,
        }
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, part = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "wb") as file:
                file.write(canonical(record))
            Path(part).replace(self._path(key))

    def forget_pruned(self) -> None:
        """Drop the records of layers that are gone."""
        with suppress(FileNotFoundError):
            for each in list(self._folder.iterdir()):
                if self.find(f"sha256:{each.name}", "") is None:
                    each.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / key.removeprefix("sha256:")
