"""
What is known of a cluster's health, who says so, and what was decided from it.  Pure.

One step from all that was seen to all that is saved: `assess` weighs the votes, decides what
happens to users, and writes down both with the witnesses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crossfade.base.ids import ClusterName
from crossfade.core.failover.decide import Action, Decision, Fleet, Wishes, decide
from crossfade.core.failover.evidence import (
    DOWN,
    ClusterSignals,
    Condition,
    Evidence,
    Statement,
    VantageName,
    weigh,
)
from crossfade.core.failover.guard import Removal
from crossfade.core.failover.standing import Presence
from crossfade.core.fleet.nodes import Nodes
from crossfade.core.fleet.signals import Vote

_ANSWERS = frozenset({Condition.HEALTHY, Condition.API_DOWN, Condition.GREY})
"""The data plane is known to answer."""

DYING_SECONDS = 2.0
"""A cloud does not die all at once: what it answered sooner after going dark proves nothing."""
PODS, NODES = VantageName("pods"), VantageName("nodes")
"""What a cluster says of itself; told, and no vote in any quorum."""


@dataclass(frozen=True, slots=True)
class Api:
    """Whether anything can be asked of a cluster; sooner to say no than its vote is."""

    up: bool = True
    detail: str = ""
    """What the newest failure said, "" while it is up."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What one vantage point says of the data plane, or the cluster of itself."""

    name: VantageName
    vote: Vote
    detail: str = ""
    """Why, in a few words; "" while all is well."""


@dataclass(frozen=True, slots=True)
class ClusterHealth:
    """Saved whenever anything but words has changed."""

    cluster: ClusterName
    condition: Condition = Condition.UNKNOWN
    presence: Presence | None = None
    """None before the first decision: it serves."""
    action: Action = Action.STAY
    reason: str = ""
    """Of the newest decision."""
    api: Api = Api()
    witnesses: tuple[Witness, ...] = ()
    version: str = ""
    """Version of its Kubernetes API, once it has answered."""
    answered: bool = False
    """Its data plane has answered once: a door that was never open is not broken."""
    removal: Removal | None = None
    """The last time that automation took it out."""
    lost_since: float | None = None
    """Since when its data plane has been down, None while it is not known to be."""
    failing_since: float | None = None
    """When the first of those had seen it fail who called it down: before anybody could know."""
    back_at: float = 0.0
    """When it was last no longer lost: what was known of it before must be read again."""
    statement: Statement = Statement.FINE
    """What it has said since it was lost."""

    @property
    def stands(self) -> Presence:
        """Where it stands."""
        return self.presence or Presence(self.cluster)

    @property
    def lost(self) -> bool:
        """Whether users are not served, and what was seen there counts no more."""
        return self.lost_since is not None

    @property
    def summary(self) -> str:
        """One word for people; that nothing can be asked of it is told before it is a vote."""
        if self.condition is Condition.HEALTHY and not self.api.up:
            return Condition.API_DOWN.value
        return self.condition.value

    @property
    def detail(self) -> str:
        """Why it is not simply well, in the words of whoever saw it; "" when it is."""
        if self.api.detail:
            return self.api.detail
        against = (each.detail for each in self.witnesses if each.vote is not Vote.UP)
        return next((detail for detail in against if detail), "")

    def same_as(self, other: "ClusterHealth") -> bool:
        """Say whether only words differ, which change with each look."""
        return self == other or _without_words(self) == _without_words(other)


@dataclass(frozen=True, slots=True)
class Look:
    """All that was seen of one cluster."""

    signals: ClusterSignals
    api: Api = Api()
    version: str = ""
    details: Mapping[VantageName, str] = field(default_factory=dict)
    """What is wrong, in the words of each vantage point."""
    inside: tuple[Witness, ...] = ()
    """What the cluster says of itself, told beside the vantage points."""
    answered_at: float | None = None
    """When its API server was last asked something that it answered."""
    bad_since: float | None = None
    """When the first of those who see its data plane fail now saw it fail."""
    nodes: Nodes | None = None
    """As they were seen last, however long ago; None before the first look."""


def assess(
    known: Mapping[ClusterName, ClusterHealth], looks: Sequence[Look], wishes: Wishes, now: float
) -> tuple[ClusterHealth, ...]:
    """
    Return the health of every cluster that was looked at, in the same order.

    Those that nobody has looked at yet, as right after the start of a hub, stay as they are
    `known`: what was taken out before still counts against the budget.
    """
    before = {
        each.signals.cluster: known.get(each.signals.cluster, ClusterHealth(each.signals.cluster))
        for each in looks
    }
    before |= {n: _given_back(before[n], at) for n, at in wishes.given_back.items() if n in before}
    heard = [_heard(before[each.signals.cluster], each.signals) for each in looks]
    evidence = _excused(weigh(heard), wishes)
    every = {**before, **{name: each for name, each in known.items() if name not in before}}
    removals = [each.removal for each in every.values() if each.removal is not None]
    fleet = Fleet(
        {name: each.stands for name, each in every.items()},
        tuple(sorted(removals, key=lambda each: each.at)),
    )
    after, decisions = decide(fleet, evidence, wishes, now)
    return tuple(
        _after(
            _decided(before[decision.cluster], decision, after),
            look,
            evidence.conditions[decision.cluster],
            now,
        )
        for look, decision in zip(looks, decisions[: len(looks)], strict=True)
    )


def _given_back(health: ClusterHealth, stood: Presence) -> ClusterHealth:
    """Return the health of a cluster after a drill: as if it had never been away."""
    if health.stands.serves:
        return health
    return replace(health, presence=stood, removal=None, lost_since=None)


def _excused(evidence: Evidence, wishes: Wishes) -> Evidence:
    """Return the evidence without what was seen while nobody was let through for a drill."""
    excused = {
        name: Condition.UNKNOWN
        for name in wishes.given_back
        if evidence.conditions.get(name) in {*DOWN, Condition.GREY}
    }
    return replace(evidence, conditions={**evidence.conditions, **excused})


def _decided(before: ClusterHealth, decision: Decision, after: Fleet) -> ClusterHealth:
    # The newest first: one that left and came back and left again counts from the last time.
    removed = (each for each in reversed(after.removals) if each.cluster == before.cluster)
    return replace(
        before,
        presence=after.presences[before.cluster],
        action=decision.action,
        reason=decision.reason,
        removal=next(removed, before.removal),
    )


def _heard(before: ClusterHealth, signals: ClusterSignals) -> ClusterSignals:
    """Return the signals; who has never seen the data plane cannot say that it went down."""
    if before.answered or _seen_up(signals):
        return signals
    return replace(signals, edges=dict.fromkeys(signals.edges, Vote.UNKNOWN))


def _seen_up(signals: ClusterSignals) -> bool:
    return Vote.UP in signals.edges.values()


def _after(before: ClusterHealth, look: Look, condition: Condition, now: float) -> ClusterHealth:
    since = before.lost_since
    if condition in DOWN and since is None:
        since = now
    back = since is not None and condition in _ANSWERS
    lost_since = None if back else since
    return replace(
        before,
        condition=condition,
        api=look.api,
        witnesses=tuple(
            Witness(name, vote, "" if vote is Vote.UP else look.details.get(name, ""))
            for name, vote in sorted(look.signals.edges.items())
        )
        + look.inside,
        version=look.version or before.version,
        answered=before.answered or _seen_up(look.signals),
        lost_since=lost_since,
        failing_since=_failing_since(before, look, lost_since),
        back_at=now if back else before.back_at,
        statement=_statement(before, look, condition, lost_since),
    )


def _failing_since(before: ClusterHealth, look: Look, lost_since: float | None) -> float | None:
    """Return when a loss began, as it is known once it is one."""
    if lost_since is None or before.lost_since is not None:
        return None if lost_since is None else before.failing_since
    return lost_since if look.bad_since is None else min(look.bad_since, lost_since)


def _statement(
    before: ClusterHealth, look: Look, condition: Condition, lost_since: float | None
) -> Statement:
    """Return what the cluster has said since it was lost; a cloud comes back bit by bit."""
    if lost_since is None:
        return Statement.FINE
    dead = look.nodes is not None and look.nodes.mostly_dead
    if dead or condition is Condition.BOTH_DOWN or before.statement is Statement.LOST:
        return Statement.LOST
    if look.answered_at is None or look.answered_at < lost_since + DYING_SECONDS:
        return Statement.SILENT
    if look.nodes is None or not look.nodes.lived_after(lost_since + DYING_SECONDS):
        return Statement.SILENT  # an API server may outlive all of its nodes
    return Statement.FINE


def _without_words(health: ClusterHealth) -> ClusterHealth:
    return replace(
        health,
        reason="",
        api=Api(health.api.up),
        witnesses=tuple(replace(each, detail="") for each in health.witnesses),
    )
