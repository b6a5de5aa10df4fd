"""What makes images of Dockerfiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crossfade.core.image.documents import Descriptor
from crossfade.core.image.reference import Reference


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """What is to be built."""

    text: str
    """The Dockerfile."""
    path: Path
    """Where the Dockerfile is."""
    context: Path
    names: tuple[Reference, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    no_cache: bool = False
    created: str = "1970-01-01T00:00:00Z"
    """In the configuration; part of what makes the same image."""
    time: int = 0
    """Of all files of the layers, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Built:
    """An image that is kept, under its names if it was given any."""

    image: Descriptor
    config_digest: str
    layers: int
    made: int
    """Layers that were made; the others were there already."""
    unchanged: bool
    """Whether all its names meant just this image before."""


class ImageBuilder(Protocol):
    """
    Builds images; whoever makes one says where it is kept, and who is told what happens.

    Every implementation passes tests/contract/test_image_builder.py.
    """

    @property
    def name(self) -> str:
        """Return what people call it."""
        ...

    def build(self, order: BuildOrder) -> Built:
        """
        Return the image, kept under its names.

        Raises InputError for what cannot be built or has failed, NotFound for a base that is not
        there, Unavailable for what this machine cannot do.  Names stay as they were then.
        """
        ...
