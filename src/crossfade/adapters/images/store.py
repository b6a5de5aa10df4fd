"""
Images by their content, in a folder that is an OCI image layout: other tools can read it.

Nothing is there in part: blobs and the index are written beside their place, brought to the disk
and moved.  Locks of files go with the process that holds them, so that a crash leaves none.
"""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.adapters.images.folders import remove_folder
from crossfade.base.errors import Conflict, NotFound, Unavailable
from crossfade.core.image.documents import (
    MANIFEST,
    MANIFESTS,
    NAME,
    Descriptor,
    canonical,
    index_document,
)
from crossfade.core.image.reference import Reference

_LARGEST_DOCUMENT = 16 << 20


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed since no image needs it."""

    blobs: int
    size: int
    """Bytes."""


class ImageStore:
    """The images of one state folder; processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def roots(self) -> Path:
        """Where files of images are unpacked to be run on."""
        return self._folder / "roots"

    @contextmanager
    def adding(self) -> Iterator[None]:
        """Keep blobs that no image names yet: hold this from the first blob to the name."""
        with self._lock("adding.lock", fcntl.LOCK_SH):
            yield

    @contextmanager
    def working(self) -> Iterator[Path]:
        """Yield a folder for what is half made; what a crash leaves of it goes with `prune`."""
        self._prepare()
        place = self._folder / "working"
        try:
            place.mkdir(exist_ok=True, mode=0o700)
            found = Path(tempfile.mkdtemp(dir=place))
        except OSError as error:
            raise _unwritable(error) from error
        try:
            yield found
        finally:
            remove_folder(found)

    def put(self, pieces: Iterable[bytes], expected: str = "") -> tuple[str, int]:
        """
        Return digest and size of the content, once it is kept.  Safe to repeat.

        Raises Unavailable when the content is not what is `expected`; nothing is kept then.
        """
        try:
            return self._put(pieces, expected)
        except OSError as error:
            raise _unwritable(error) from error

    def _put(self, pieces: Iterable[bytes], expected: str) -> tuple[str, int]:
        self._prepare()
        found, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(dir=self._folder / "incoming")
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    found.update(piece)
                    size += len(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            digest = f"sha256:{found.hexdigest()}"
            if expected and digest != expected:
                raise Unavailable(
                    "content came otherwise than it was announced",
                    hint="try again; if it stays so, the image is damaged where it comes from",
                    expected=expected,
                    found=digest,
                )
            Path(name).replace(self.path(digest))
        finally:
            Path(name).unlink(missing_ok=True)
        _folder_to_disk(self._blobs)
        return digest, size

    def path(self, digest: str) -> Path:
        """Return where the content of a digest is, or would be."""
        return self._blobs / digest.removeprefix("sha256:")

    def has(self, digest: str) -> bool:
        """Return whether the content is kept."""
        return self.path(digest).is_file()

    def document(self, digest: str) -> dict[str, Any]:
        """Return a document of an image.  Raises NotFound, or Unavailable when it is damaged."""
        try:
            with self.path(digest).open("rb") as file:
                content = file.read(_LARGEST_DOCUMENT)
        except OSError as error:
            hint = "build or pull the image again"
            raise NotFound("a part of an image is gone", hint=hint, digest=digest) from error
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise Unavailable(
                "a part of an image is damaged",
                hint=f"remove the file, and build or pull the image again: {self.path(digest)}",
                digest=digest,
            )
        found = json.loads(content)
        return found if isinstance(found, dict) else {}

    def images(self) -> Mapping[str, Descriptor]:
        """Return the images by their names, as `colors:2.0`."""
        return dict(self._named())

    def _named(self) -> Iterator[tuple[str, Descriptor]]:
        path = self._folder / "index.json"
        try:
            for each in json.loads(path.read_bytes())["manifests"]:
                name = (each.get("annotations") or {}).get(NAME)
                if name:
                    yield name, Descriptor(each["mediaType"], each["digest"], each["size"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise Unavailable(
                f"the index of images cannot be read: {error}",
                hint="move the file away: images are then without names, and can be built again",
                file=str(path),
            ) from error

    def find(self, wanted: Reference) -> Descriptor | None:
        """
        Return the image of a name or, if one is given, of a digest; None: it is not here.

        One that has lost its names is still found by its digest, until it is pruned.
        """
        if not wanted.digest:
            return self.images().get(str(wanted))
        try:
            size = self.path(wanted.digest).stat().st_size
            document = self.document(wanted.digest)
        except (OSError, ValueError):  # not here; or a layer, and no image
            return None
        kind = str(document.get("mediaType") or (MANIFEST if "layers" in document else ""))
        return Descriptor(kind, wanted.digest, size) if kind in MANIFESTS else None

    def name(self, image: Descriptor, names: Iterable[Reference]) -> None:
        """Give an image names, and take them from other images."""
        with self._changing() as images:
            images |= {str(each): image for each in names}

    def remove(self, name: Reference) -> None:
        """Take a name away; the content stays until it is pruned.  Raises NotFound."""
        with self._changing() as images:
            if images.pop(str(name), None) is None:
                known = ", ".join(sorted(images)[:10])
                hint = f"images are {known}" if known else "there are no images"
                raise NotFound(f"there is no image {name}", hint=hint)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Descriptor]]:
        """Yield the images by name to be changed; they are saved in the end, if all goes well."""
        with self._lock("index.lock", fcntl.LOCK_EX):
            images = dict(self._named())
            yield images
            try:
                self._write("index.json", canonical(index_document(images)))
            except OSError as error:
                raise _unwritable(error) from error

    def prune(self) -> Pruned:
        """
        Remove what no named image needs.

        Raises Conflict while an image is being built or pulled: what it needs has no name yet.
        """
        try:
            with (
                self._lock("adding.lock", fcntl.LOCK_EX | fcntl.LOCK_NB),
                self._lock("index.lock", fcntl.LOCK_EX),  # nobody writes a new index now
            ):
                return self._sweep()
        except BlockingIOError:
            raise Conflict(
                "an image is being built or pulled", hint="prune again when that is done"
            ) from None

    def _sweep(self) -> Pruned:
        needed = self._needed()
        remove_folder(self._folder / "working")
        leftovers = [*self._blobs.iterdir(), *(self._folder / "incoming").iterdir()]
        count = size = 0
        for each in leftovers:
            if each.name not in needed:
                count, size = count + 1, size + each.stat().st_size
                each.unlink()
        return Pruned(count, size)

    def _needed(self) -> set[str]:
        """Return the names of the files that images need; nothing is guessed of damaged ones."""
        found, waiting = set[str](), [each.digest for each in self.images().values()]
        while waiting:
            digest = waiting.pop()
            if digest in found or not self.has(digest):
                continue
            found.add(digest)
            document = self.document(digest)
            inner = document.get("manifests") or ()
            waiting += [each["digest"] for each in inner]
            parts = (document.get("config"), *(document.get("layers") or ()))
            found |= {each["digest"] for each in parts if each}
        return {each.removeprefix("sha256:") for each in found}

    @property
    def _blobs(self) -> Path:
        return self._folder / "blobs" / "sha256"

    def _prepare(self) -> None:
        if (self._folder / "oci-layout").is_file():
            return
        for each in (self._blobs, self._folder / "incoming"):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write("oci-layout", canonical({"imageLayoutVersion": "1.0.0"}))

    def _write(self, name: str, content: bytes) -> None:
        handle, part = tempfile.mkstemp(dir=self._folder / "incoming")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(self._folder / name)
        finally:
            Path(part).unlink(missing_ok=True)
        _folder_to_disk(self._folder)

    @contextmanager
    def _lock(self, name: str, kind: int) -> Iterator[None]:
        try:
            self._prepare()
            lock = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(error) from error
        try:
            fcntl.flock(lock, kind)
            yield
        finally:
            os.close(lock)


def _folder_to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems cannot
            os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(error: OSError) -> Unavailable:
    return Unavailable(
        f"images cannot be kept: {error.strerror or error}",
        hint="see that the state folder can be written and has room",
        file=error.filename,
    )
