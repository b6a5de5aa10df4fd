"""Builders of container engines, where one works here; what they make is kept as ours is."""

import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crossfade.adapters.images.engine import BUILDAH, DOCKER, PODMAN, VERSION, Engine, why_not
from crossfade.adapters.images.lending import lend
from crossfade.adapters.images.loading import loaded
from crossfade.adapters.images.store import ImageStore
from crossfade.adapters.images.telling import told
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.image.bases import HOST, HOST_LABEL, SCRATCH
from crossfade.core.image.dockerfile import parse
from crossfade.core.image.documents import MANIFEST, Descriptor
from crossfade.core.image.reference import Reference, reference
from crossfade.core.image.stages import stages
from crossfade.ports.image_builder import BuildOrder, Built

ENGINES = (PODMAN, BUILDAH, DOCKER)
"""The first one that works is taken."""
_OLDEST_DOCKER = 25
_LAYOUT = re.compile(r"index\.json|blobs/sha256/[0-9a-f]{64}")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE | re.MULTILINE)
_STAGE = re.compile(r"^\s*FROM\s.*\sAS\s+(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_COPIED = re.compile(r"^\s*(?:COPY|ADD)\s.*?--from=(\S+)", re.IGNORECASE | re.MULTILINE)


@cache
def why_no_builder(engine: str) -> str:
    """Return why an engine cannot build here, "" when it can."""
    why = why_not(engine)
    if why or engine != DOCKER:
        return why
    _, text = Engine(DOCKER).tried(*VERSION)
    major = text.strip().partition(".")[0]
    if major.isdigit() and int(major) < _OLDEST_DOCKER:
        return f"its version is {text.strip()}; {_OLDEST_DOCKER} and later save images as OCI does"
    return ""


def working_engine() -> str:
    """Return the engine that is taken when nobody says which, "" when none works."""
    return next((each for each in ENGINES if not why_no_builder(each)), "")


def bases(order: BuildOrder) -> tuple[str, ...]:
    """Return the images that a Dockerfile builds on or copies from, stages left out."""
    try:
        plan = stages(parse(order.text, str(order.path)), order.arguments, order.target)
    except InputError:  # engines know more than we do
        made = {each.lower() for each in _STAGE.findall(order.text)}
        found = [*_FROM.findall(order.text), *_COPIED.findall(order.text)]
        found = [each for each in found if each.lower() not in made and not each.isdigit()]
    else:
        found = [
            name
            for stage in plan.needed
            for name in (stage.base, *(each.flag("from") for each in stage.instructions))
            if name and plan.earlier(stage, name) is None
        ]
    return tuple(dict.fromkeys(each for each in found if "$" not in each and each != SCRATCH))


def needs_host(store: ImageStore, order: BuildOrder) -> bool:
    """Return whether an image builds on this machine's own tools, which no engine can."""
    return any(each == HOST or _on_host(store, each) for each in bases(order))


def _on_host(store: ImageStore, name: str) -> bool:
    kept = _kept(store, name)
    found = None if kept is None else loaded(store, kept)
    return found is not None and found.config.labels.get(HOST_LABEL) == HOST


def _kept(store: ImageStore, name: str) -> Descriptor | None:
    try:
        return store.find(reference(name))
    except InputError:  # a stage, or a mistake that the engine points out
        return None


@dataclass(frozen=True, slots=True)
class EngineBuilder:
    """Builds with podman, buildah or docker; layers that are unchanged are in their own cache."""

    name: str
    store: ImageStore
    say: Callable[[str], None]
    fetch: Callable[[Reference], bool]

    @property
    def _engine(self) -> Engine:
        return Engine(self.name)

    def build(self, order: BuildOrder) -> Built:
        """Return the image; see the port for errors."""
        with self.store.adding(), self.store.working() as working:
            self._lend(order, working)
            image = self._build(order, working)
            return self._keep(order, self._export(image, working))

    def _lend(self, order: BuildOrder, working: Path) -> None:
        """Give the engine the images that are kept here and that it is to build on."""
        for number, name in enumerate(bases(order)):
            kept = _kept(self.store, name)
            if kept is None and self._fetched(name):
                kept = _kept(self.store, name)
            if kept is not None:
                found = loaded(self.store, kept)
                lend(self._engine, self.store, found, name, working / f"base-{number}")

    def _fetched(self, name: str) -> bool:
        try:
            return self.fetch(reference(name))
        except InputError:
            return False

    def _build(self, order: BuildOrder, working: Path) -> str:
        """Return the engine's id of the image."""
        file, ids = working / "Dockerfile", working / "id"
        file.write_text(order.text)
        words = ["build", f"--file={file}", f"--iidfile={ids}"]
        ignore = order.path.with_name(f"{order.path.name}.dockerignore")
        if ignore.is_file():
            shutil.copy(ignore, file.with_name("Dockerfile.dockerignore"))
            words += [] if self.name == DOCKER else [f"--ignorefile={ignore}"]
        if self.name != DOCKER:
            words += ["--format=oci", "--layers", f"--timestamp={order.time}"]
        if self.name == BUILDAH and "BUILDAH_ISOLATION" not in os.environ and not _has_runtime():
            words.append("--isolation=chroot")
        words += [f"--target={order.target}"] if order.target else []
        words += ["--no-cache"] if order.no_cache else []
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(order.time)}
        for name, value in order.arguments.items():
            # By their names alone: nobody sees them; but what the engine itself needs stays.
            own = f"{name}={value}" if name in environment else name
            words.append(f"--build-arg={own}")
            environment.setdefault(name, value)
        code = told([self.name, *words, str(order.context)], environment, self.say)
        if code:
            raise InputError(
                f"{self.name} could not build the image: exit code {code}",
                hint="see what it printed above; images keep what they were",
            )
        return ids.read_text().strip()

    def _export(self, image: str, working: Path) -> Path:
        """Return the image as an OCI layout."""
        folder = working / "image"
        if self.name != DOCKER:
            self._engine.ask("push", "--quiet", image, f"oci:{folder}:image")
            return folder
        archive = working / "image.tar"
        self._engine.ask("save", "--output", str(archive), image)
        (folder / "blobs/sha256").mkdir(parents=True)
        with tarfile.open(archive) as packed:
            for each in packed:
                content = packed.extractfile(each) if _LAYOUT.fullmatch(each.name) else None
                if content is not None:
                    (folder / each.name).write_bytes(content.read())
        if not (folder / "index.json").is_file():
            hint = "docker 25 and later can; or build with --builder built-in"
            raise Unavailable("this docker does not save images in the form of OCI", hint=hint)
        return folder

    def _keep(self, order: BuildOrder, folder: Path) -> Built:
        (entry,) = json.loads((folder / "index.json").read_bytes())["manifests"]
        manifest = json.loads(_blob(folder, entry["digest"]).read_bytes())
        parts = (manifest["config"]["digest"], *(each["digest"] for each in manifest["layers"]))
        new = [each for each in (*parts, entry["digest"]) if not self.store.has(each)]
        for digest in new:
            self.store.put(_pieces(_blob(folder, digest)), digest)
        kind = str(entry.get("mediaType") or MANIFEST)
        image = Descriptor(kind, str(entry["digest"]), int(entry["size"]))
        names = self.store.images()
        unchanged = bool(order.names) and all(names.get(str(n)) == image for n in order.names)
        if not unchanged:
            self.store.name(image, order.names)
        made = sum(each in new for each in parts[1:])
        return Built(image, parts[0], len(parts) - 1, made, unchanged)


@cache
def _has_runtime() -> bool:
    return any(shutil.which(each) for each in ("crun", "runc"))


def _blob(folder: Path, digest: str) -> Path:
    return folder / "blobs/sha256" / digest.removeprefix("sha256:")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece
