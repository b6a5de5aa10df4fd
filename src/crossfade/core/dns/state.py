"""What is remembered of a name in DNS."""

from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName
from crossfade.core.dns.decide import Past
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
    past: Past = field(default_factory=Past)
    """What was done to the name in the minute before the last change."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who we are in zones: one identity for all hubs on a store."""

    identity: str
