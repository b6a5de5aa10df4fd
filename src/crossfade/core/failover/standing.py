"""
Whether a cluster may have users, by one table: where it stands, and what is true of it now.

It leaves at once when its data plane is confirmed down, and comes back only after it has been
well without a break; for twice as long with each flap, up to an hour.  So a cloud that flaps all
day costs one move.  Silence changes nothing for a cluster that serves, and proves nothing for
one that does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from crossfade.base.ids import ClusterName
from crossfade.core.failover.evidence import DOWN, Condition


class Standing(StrEnum):
    """Where a cluster stands."""

    SERVING = "serving"
    """It may have users."""
    DOUBTED = "doubted"
    """It has its users still, while grey failure is being confirmed."""
    OUT = "out"
    """It has no users."""
    RECOVERING = "recovering"
    """It has no users, and has been well since it began to recover."""


SERVING = frozenset({Standing.SERVING, Standing.DOUBTED})
"""A cluster that stands so may have users."""

_SERVING, _DOUBTED, _OUT, _RECOVERING = Standing

TABLE: Mapping[Standing, Mapping[Condition, Standing]] = MappingProxyType(
    {
        _SERVING: {
            Condition.HEALTHY: _SERVING,
            Condition.API_DOWN: _SERVING,
            Condition.UNKNOWN: _SERVING,
            Condition.GREY: _DOUBTED,
            Condition.DATA_PLANE_DOWN: _OUT,
            Condition.BOTH_DOWN: _OUT,
        },
        _DOUBTED: {
            Condition.HEALTHY: _SERVING,
            Condition.API_DOWN: _SERVING,
            Condition.UNKNOWN: _DOUBTED,
            Condition.GREY: _DOUBTED,  # out, after `grey_seconds`
            Condition.DATA_PLANE_DOWN: _OUT,
            Condition.BOTH_DOWN: _OUT,
        },
        _OUT: {
            Condition.HEALTHY: _RECOVERING,
            Condition.API_DOWN: _OUT,
            Condition.UNKNOWN: _OUT,
            Condition.GREY: _OUT,
            Condition.DATA_PLANE_DOWN: _OUT,
            Condition.BOTH_DOWN: _OUT,
        },
        _RECOVERING: {
            Condition.HEALTHY: _RECOVERING,  # serving, after its wait
            Condition.API_DOWN: _OUT,
            Condition.UNKNOWN: _OUT,
            Condition.GREY: _OUT,
            Condition.DATA_PLANE_DOWN: _OUT,
            Condition.BOTH_DOWN: _OUT,
        },
    }
)
"""The next standing; two cells also need time, see `advance`."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things must last, in seconds."""

    grey_seconds: float = 5.0
    """Grey failure, before users leave."""
    recover_seconds: float = 60.0
    """Health without a break, before users may come back for the first time."""
    longest_seconds: float = 3600.0
    """The recovery wait is doubled with each flap up to this."""
    forget_seconds: float = 3600.0
    """A cluster that has served so long since it came back has no flaps."""


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Presence:
    """A cluster and its standing; what is remembered of it."""

    cluster: ClusterName
    standing: Standing = Standing.SERVING
    since: float = 0.0
    """When it began to stand so."""
    wait_seconds: float = 0.0
    """How long it must be well before it serves again; 0 while it never left."""
    returned_at: float | None = None
    """When it last came back, None when it never left."""

    @property
    def serves(self) -> bool:
        """Whether it may have users."""
        return self.standing in SERVING


def advance(
    presence: Presence, condition: Condition, now: float, patience: Patience = PATIENCE
) -> Presence:
    """Return the presence after a look; the time since the look before does not matter."""
    wanted = TABLE[presence.standing][condition]
    lasted = now - presence.since
    if presence.standing is _DOUBTED and condition is Condition.GREY:
        wanted = _OUT if lasted >= patience.grey_seconds else _DOUBTED
    if presence.standing is _RECOVERING and condition is Condition.HEALTHY:
        wanted = _SERVING if lasted >= presence.wait_seconds else _RECOVERING
    if wanted is presence.standing:
        return presence
    moved = replace(presence, standing=wanted, since=now)
    if wanted is _OUT:
        return replace(moved, wait_seconds=_wait(presence, condition, now, patience))
    if presence.standing is _RECOVERING:
        return replace(moved, returned_at=now)
    return moved


def _wait(presence: Presence, condition: Condition, now: float, patience: Patience) -> float:
    """Return how long a cluster that goes out must be well; a flap doubles it."""
    if presence.standing is _RECOVERING and condition not in DOWN:
        return presence.wait_seconds  # doubt ends the recovery, and is no flap
    back = presence.returned_at
    steady = presence.serves and (back is None or now - back >= patience.forget_seconds)
    if steady:
        return patience.recover_seconds
    return min(patience.longest_seconds, 2 * presence.wait_seconds)
