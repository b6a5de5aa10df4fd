"""Images that are kept here, given to an engine that builds or runs on them."""

import io
import os
import tarfile
from pathlib import Path

from crossfade.adapters.images.engine import DOCKER, Engine
from crossfade.adapters.images.loading import Loaded
from crossfade.adapters.images.store import ImageStore
from crossfade.base.json_value import Json
from crossfade.core.image.documents import INDEX, NAME, canonical
from crossfade.core.image.reference import reference

_LAYOUT = {"imageLayoutVersion": "1.0.0"}


def lend(engine: Engine, store: ImageStore, found: Loaded, name: str, folder: Path) -> None:
    """Give the engine an image under a name; `folder` is new.  Raises Unavailable."""
    called = called_by(engine.name, name)
    files = _layout(store, found, called, folder)
    if engine.name != DOCKER:
        image = engine.ask("pull", "--quiet", f"oci:{folder}:base").split()[-1]
        engine.ask("tag", image, called)
        return
    archive = folder.with_suffix(".tar")
    with tarfile.open(archive, "w") as packed:
        for path in files:
            packed.add(path, arcname=str(path.relative_to(folder)))
        # Docker before 25 knows no layouts, but its own form of the same files.
        content = canonical([_in_dockers_form(found, called)])
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(content)
        packed.addfile(entry, io.BytesIO(content))
    engine.ask("load", "--quiet", "--input", str(archive))


def _layout(store: ImageStore, found: Loaded, called: str, folder: Path) -> list[Path]:
    """Return the files of an OCI layout with this image alone."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    layers = (each.blob.digest for each in found.layers)
    files = []
    for digest in sorted({found.image.digest, found.config_digest, *layers}):
        files.append(blobs / digest.removeprefix("sha256:"))
        os.link(store.path(digest), files[-1])
    notes: dict[str, Json] = {NAME: "base", "io.containerd.image.name": called}
    entry: dict[str, Json] = {"mediaType": found.image.media_type, "digest": found.image.digest}
    entry |= {"size": found.image.size, "annotations": notes}
    index: dict[str, Json] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    (folder / "index.json").write_bytes(canonical(index))
    (folder / "oci-layout").write_bytes(canonical(dict(_LAYOUT)))
    return [folder / "oci-layout", folder / "index.json", *files]


def _in_dockers_form(found: Loaded, called: str) -> dict[str, Json]:
    return {
        "Config": _file(found.config_digest),
        "RepoTags": [called],
        "Layers": [_file(each.blob.digest) for each in found.layers],
    }


def _file(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def called_by(engine: str, name: str) -> str:
    """Return the name as an engine calls it: where it looks when no registry is given."""
    found = reference(name)
    if found.registry:
        return str(found)
    if engine != DOCKER:
        return f"localhost/{found}"
    return f"docker.io/{found}" if "/" in found.repository else f"docker.io/library/{found}"
