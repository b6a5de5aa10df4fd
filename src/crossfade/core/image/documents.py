"""The JSON documents of an OCI image: configuration, manifest, index; their bytes and digests."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crossfade.base.json_value import Json

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MANIFESTS = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
NAME = "org.opencontainers.image.ref.name"
"""The annotation of an entry of an index that has the image's name."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A document or a layer by its content."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Layer:
    """Files on top of others."""

    blob: Descriptor
    """As it is kept and sent: compressed."""
    diff_id: str
    """Digest of the files' archive itself."""
    made_by: str


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """How containers of the image run, unless they say otherwise."""

    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    working_directory: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    """As `8080/tcp`."""
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    shell: tuple[str, ...] = ()
    """Empty: `/bin/sh -c`."""
    health: tuple[str, ...] = ()
    """`NONE`, or `CMD` and words, or `CMD-SHELL` and a line."""
    health_timing: Mapping[str, int] = field(default_factory=dict)
    """Interval, Timeout, StartPeriod in nanoseconds, Retries."""
    author: str = ""
    """Who made it, as MAINTAINER says."""


def canonical(document: Json) -> bytes:
    """Return a document's bytes: the same document always has the same."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(content: bytes) -> str:
    """Return the digest that names the content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(media_type: str, content: bytes) -> Descriptor:
    """Return the descriptor of a document."""
    return Descriptor(media_type, digest(content), len(content))


def config_document(
    config: ImageConfig, layers: Sequence[Layer], platform: tuple[str, str], created: str
) -> Json:
    """Return the configuration; `platform` is (system, architecture), `created` as RFC 3339."""
    system, architecture = platform
    return {
        **({"author": config.author} if config.author else {}),
        "created": created,
        "os": system,
        "architecture": architecture,
        "config": _run_part(config),
        "rootfs": {"type": "layers", "diff_ids": [each.diff_id for each in layers]},
        "history": [{"created": created, "created_by": each.made_by} for each in layers],
    }


def _run_part(config: ImageConfig) -> Json:
    health: dict[str, Json] = {"Test": list(config.health), **config.health_timing}
    whole: dict[str, Json] = {
        "Env": [f"{name}={value}" for name, value in config.environment.items()],
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.command),
        "User": config.user,
        "WorkingDir": config.working_directory,
        "Labels": dict(config.labels),
        "ExposedPorts": {each: {} for each in config.ports},
        "Volumes": {each: {} for each in config.volumes},
        "StopSignal": config.stop_signal,
        "Shell": list(config.shell),
        "Healthcheck": health if config.health else {},
    }
    return {key: value for key, value in whole.items() if value}


def read_config(document: Mapping[str, Json]) -> ImageConfig:
    """Return how containers of an image run, of its configuration; what is not there is empty."""
    part = _object(document.get("config"))
    pairs = (each.partition("=") for each in _texts(part.get("Env")))
    health = _object(part.get("Healthcheck"))
    return ImageConfig(
        environment={name: value for name, _, value in pairs},
        entrypoint=_texts(part.get("Entrypoint")),
        command=_texts(part.get("Cmd")),
        user=_text(part.get("User")),
        working_directory=_text(part.get("WorkingDir")),
        labels={name: _text(value) for name, value in _object(part.get("Labels")).items()},
        ports=tuple(_object(part.get("ExposedPorts"))),
        volumes=tuple(_object(part.get("Volumes"))),
        stop_signal=_text(part.get("StopSignal")),
        shell=_texts(part.get("Shell")),
        health=_texts(health.get("Test")),
        health_timing={name: value for name, value in health.items() if isinstance(value, int)},
        author=_text(document.get("author")),
    )


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else ()


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def manifest_document(config: Descriptor, layers: Sequence[Layer]) -> Json:
    """Return the manifest, whose digest is that of the image."""
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _entry(config),
        "layers": [_entry(each.blob) for each in layers],
    }


def index_document(images: Mapping[str, Descriptor]) -> Json:
    """Return the index of a store: images by name."""
    entries: list[Json] = [
        {**_entry(image), "annotations": {NAME: name}} for name, image in sorted(images.items())
    ]
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}


def _entry(of: Descriptor) -> dict[str, Json]:
    return {"mediaType": of.media_type, "digest": of.digest, "size": of.size}
