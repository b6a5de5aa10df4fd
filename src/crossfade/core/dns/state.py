"""What is remembered of a name in DNS."""

from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName
from crossfade.core.dns.record import Published


@dataclass(frozen=True, slots=True)
class NameState:
    """The name of one application, as it was last looked at."""

    application: ApplicationName
    host: str
    published: Published = field(default_factory=Published)
    want: Published = field(default_factory=Published)
    reason: str = ""
    refused: bool = False
    trouble: str = ""
    """Why the server could not be read or written; "" when it could."""
    changes: tuple[float, ...] = ()
    """When the newest changes were made, the oldest first."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who we are in zones: one identity for all hubs on a store."""

    identity: str
