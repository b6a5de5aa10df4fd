"""Where steps run, and what there is."""

from collections.abc import Callable
from dataclasses import dataclass

from crossfade.ports.runner import Runner


@dataclass(frozen=True, slots=True)
class Place:
    """One kind of runner, and what steps find there."""

    runner: Runner
    has_tool: Callable[[str], bool]
    """Whether a command is there for steps of images that only tools stand for."""
    has_image: Callable[[str], bool]
    """Whether steps can run inside of an image."""
