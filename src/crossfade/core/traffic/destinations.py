"""What a traffic plan is asked for: where users may go, how many fit, and what must hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.base.ids import ClusterName, RevisionId

PARTS = 10_000
"""All users: shares are whole parts of this, a hundredth of a percent each."""

Matrix = Mapping[ClusterName, Mapping[RevisionId, int]]
"""Parts of all users by cluster and revision; cells without users are left out."""


class Mode(StrEnum):
    """How clusters stand to each other."""

    ACTIVE_ACTIVE = "active-active"
    """All serve, in proportion to their weights."""
    ACTIVE_PASSIVE = "active-passive"
    """The first order serves; the next one takes what it cannot."""
    WARM_STANDBY = "warm-standby"
    """As active-passive, with a standby that runs smaller and grows when it is needed."""
    PILOT_LIGHT = "pilot-light"
    """As warm-standby, but a standby gets nobody until it has grown to its `minimum`."""
    OVERFLOW = "overflow"
    """The first order serves until it is full, and the next one has the rest."""


class Eligibility(StrEnum):
    """Whether a cluster may get users."""

    SERVES = "serves"
    LEAVING = "leaving"
    """Drained on purpose: it gets nobody new, and keeps those whom no other can carry yet."""
    OUT = "out"
    """Lost, stale, or not converged: it gets nobody."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One cluster that runs the application."""

    cluster: ClusterName
    revisions: Mapping[RevisionId, int]
    """How its gateway splits its users, as proportions."""
    weight: int = 100
    """Its share among clusters of its order, as a proportion."""
    order: int = 0
    """Lower orders are filled first, in every mode but active-active."""
    eligibility: Eligibility = Eligibility.SERVES
    reason: str = ""
    """Why it is not simply serving, for people."""
    capacity: int | None = None
    """What its ready pods carry, in the unit of the demand; None when it is not limited."""
    startable: int = 0
    """What scaling up could add."""
    minimum: int = 0
    """Ready capacity below which it is still starting, and gets nobody."""
    ramp_percent: int = 100
    """While it returns: this part of its share, unless nobody else can carry the rest."""
    full: bool = False
    """Users of other applications have all its room: it serves, and nobody more can come."""
    revision_capacity: Mapping[RevisionId, int] = field(default_factory=dict)
    """What the ready pods of a revision carry; a revision that is not named is not limited."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """The limit on users of a revision that is not proven yet."""

    revision: RevisionId
    cap: int
    """In parts of all users."""
    clusters: frozenset[ClusterName] | None = None
    """Where its users count; None: everywhere."""


@dataclass(frozen=True, slots=True)
class PriorityClass:
    """Some of the users; those of the last class are shed first."""

    name: str
    parts: int
    """Of all users; the classes of a goal sum to all."""


EVERYBODY = (PriorityClass("everybody", PARTS),)


@dataclass(frozen=True, slots=True)
class Goal:
    """All that a traffic plan follows from."""

    destinations: tuple[Destination, ...]
    demand: int
    """What all users together ask for, in the unit of the capacities; above 0."""
    mode: Mode = Mode.ACTIVE_ACTIVE
    exposure: Exposure | None = None
    classes: tuple[PriorityClass, ...] = EVERYBODY
    """The most important first."""
    before: Matrix = field(default_factory=dict)
    """The plan in force; empty when there is none."""
    exclusive: bool = False
    """Only one order serves at a time, as for applications with a single writer."""
    full_percent: int = 80
    """In overflow: how far an order is filled before the next one is used."""

    def parts(self, capacity: int | None) -> int:
        """Return how many parts of all users a capacity carries, rounded down."""
        return PARTS if capacity is None else min(PARTS, capacity * PARTS // self.demand)

    def units(self, parts: int) -> int:
        """Return the capacity that carries these parts, rounded up."""
        return -(-parts * self.demand // PARTS)
