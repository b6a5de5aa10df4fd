"""Builders of container engines, where one works here; what they make is kept as ours is."""

import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crossfade.adapters.images.loading import loaded
from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import InputError, Unavailable
from crossfade.base.json_value import Json
from crossfade.core.image.bases import HOST, HOST_LABEL, SCRATCH
from crossfade.core.image.dockerfile import parse
from crossfade.core.image.documents import INDEX, MANIFEST, NAME, Descriptor, canonical
from crossfade.core.image.reference import Reference, reference
from crossfade.core.image.stages import stages
from crossfade.ports.image_builder import BuildOrder, Built

PODMAN, BUILDAH, DOCKER = "podman", "buildah", "docker"
ENGINES = (PODMAN, BUILDAH, DOCKER)
"""The first one that works is taken."""
_PROBES = {
    PODMAN: ("info", "--format={{.Host.OCIRuntime.Name}}"),
    BUILDAH: ("info", "--format={{.host.OCIRuntime}}"),
    DOCKER: ("version", "--format={{.Server.Version}}"),
}
_PROBE_SECONDS = 10
_LAYOUT = re.compile(r"index\.json|blobs/sha256/[0-9a-f]{64}")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE | re.MULTILINE)
_STAGE = re.compile(r"^\s*FROM\s.*\sAS\s+(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_COPIED = re.compile(r"^\s*(?:COPY|ADD)\s.*?--from=(\S+)", re.IGNORECASE | re.MULTILINE)


@cache
def why_not(engine: str) -> str:
    """Return why an engine cannot build here, "" when it can."""
    if shutil.which(engine) is None:
        return "it is not installed"
    try:
        done = subprocess.run(
            [engine, *_PROBES[engine]],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it does not answer: {type(error).__name__}"
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        return said[-1] if said else f"it ends with exit code {done.returncode}"
    return ""


def working_engine() -> str:
    """Return the engine that is taken when nobody says which, "" when none works."""
    return next((each for each in ENGINES if not why_not(each)), "")


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
                self._give(name, kept, working / f"base-{number}")

    def _fetched(self, name: str) -> bool:
        try:
            return self.fetch(reference(name))
        except InputError:
            return False

    def _give(self, name: str, kept: Descriptor, folder: Path) -> None:
        found = loaded(self.store, kept)
        blobs = folder / "blobs/sha256"
        blobs.mkdir(parents=True)
        layers = (each.blob.digest for each in found.layers)
        for digest in {kept.digest, found.config_digest, *layers}:
            os.link(self.store.path(digest), blobs / digest.removeprefix("sha256:"))
        called = _called(self.name, name)
        notes: dict[str, Json] = {NAME: "base", "io.containerd.image.name": called}
        entry: dict[str, Json] = {"mediaType": kept.media_type, "digest": kept.digest}
        entry |= {"size": kept.size, "annotations": notes}
        index: dict[str, Json] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
        (folder / "index.json").write_bytes(canonical(index))
        (folder / "oci-layout").write_bytes(canonical({"imageLayoutVersion": "1.0.0"}))
        if self.name == DOCKER:
            archive = folder.with_suffix(".tar")
            with tarfile.open(archive, "w") as packed:
                packed.add(folder, arcname="")
            self._run("load", "--input", str(archive))
            return
        image = self._run("pull", "--quiet", f"oci:{folder}:base").split()[-1]
        self._run("tag", image, called)

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
        self._tell([self.name, *words, str(order.context)], environment)
        return ids.read_text().strip()

    def _tell(self, command: list[str], environment: dict[str, str]) -> None:
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            try:
                for line in process.stdout or ():
                    self.say(line.rstrip("\n"))
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            raise InputError(
                f"{self.name} could not build the image: exit code {process.returncode}",
                hint="see what it printed above; images keep what they were",
            )

    def _export(self, image: str, working: Path) -> Path:
        """Return the image as an OCI layout."""
        folder = working / "image"
        if self.name != DOCKER:
            self._run("push", "--quiet", image, f"oci:{folder}:image")
            return folder
        archive = working / "image.tar"
        self._run("save", "--output", str(archive), image)
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

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [self.name, *words], capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise Unavailable(
                f"{self.name} {words[0]} fails: {said[-1] if said else done.returncode}",
                hint="see that it works by itself, or build with --builder built-in",
            )
        return done.stdout


@cache
def _has_runtime() -> bool:
    return any(shutil.which(each) for each in ("crun", "runc"))


def _called(engine: str, name: str) -> str:
    """Return the name as an engine calls it: where it looks when no registry is given."""
    found = reference(name)
    if found.registry:
        return str(found)
    if engine != DOCKER:
        return f"localhost/{found}"
    return f"docker.io/{found}" if "/" in found.repository else f"docker.io/library/{found}"


def _blob(folder: Path, digest: str) -> Path:
    return folder / "blobs/sha256" / digest.removeprefix("sha256:")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece
