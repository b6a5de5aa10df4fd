"""How the gateway of one cluster splits an application's users over its revisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.base.ids import RevisionId


class MatchKind(StrEnum):
    """How a header's value is compared."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """A condition on one request header or cookie."""

    name: str
    """Of the header, or of the cookie."""
    value: str
    kind: MatchKind = MatchKind.EXACT
    cookie: bool = False


@dataclass(frozen=True, slots=True)
class HeaderRoute:
    """Sends the requests that meet all matches to one revision, whatever the shares are."""

    name: str
    matches: tuple[HeaderMatch, ...]
    revision: RevisionId


@dataclass(frozen=True, slots=True)
class Mirror:
    """Copies this percentage of requests to a revision; its answers are thrown away."""

    revision: RevisionId
    percent: int = 100


@dataclass(frozen=True, slots=True)
class Sticky:
    """Users keep the revision that they met first, by a cookie, while it has a share."""

    cookie: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Split:
    """Everything that a cluster's route says of an application's users."""

    shares: Mapping[RevisionId, float] = field(default_factory=dict)
    """Percent per revision, at most two decimals; sums to 100, or is empty before the first
    deployment."""
    headers: tuple[HeaderRoute, ...] = ()
    """The first one that matches decides, before the shares."""
    mirror: Mirror | None = None
    sticky: Sticky | None = None

    def share(self, revision: RevisionId) -> float:
        """Return the percentage of `revision`, 0 when it has none."""
        return self.shares.get(revision, 0)

    def meets_users(self, revision: RevisionId) -> bool:
        """Say whether any request, or copy of one, is sent to `revision`."""
        routed = any(each.revision == revision for each in self.headers)
        mirrored = self.mirror is not None and self.mirror.revision == revision
        return self.share(revision) > 0 or routed or mirrored
