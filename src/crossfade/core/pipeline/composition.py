"""Services that run beside a step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.json_value import Json


@dataclass(frozen=True, slots=True)
class Probe:
    """A command that is repeated until it succeeds."""

    argv: tuple[str, ...]
    image: str = ""
    """"": that of its service."""
    timeout_seconds: float = 10.0
    """Of each try."""
    period_seconds: float = 10.0
    successes: int = 1
    failures: int = 3
    """So many in a row are too many."""
    grace_seconds: float = 0.0
    """Failures before do not count."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process of a composition."""

    name: str
    image: str
    entry_point: tuple[str, ...] = ()
    """Empty: that of the image."""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    """"": where the image says."""
    volumes: tuple[tuple[str, str], ...] = ()
    """Folders of the workspace, or names, and where the service sees them."""
    after: Mapping[str, bool] = field(default_factory=dict)
    """Services that start before it, and whether they must be healthy."""
    aliases: tuple[str, ...] = ()
    health: Probe | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """Services that run beside a step, or beside candidates that take its place."""

    document: Json
    """As it is written; or the path of a file in the workspace."""
    candidates: Json = None
    """What decides the result; None: the step itself does."""
    variables: Mapping[str, str] = field(default_factory=dict)
    ready: Probe | None = None
    setup: Probe | None = None
    """Run once, when everything is ready."""
    host_images: tuple[str, ...] = ()
    """Images that the machine's tools stand for though they are not known."""
