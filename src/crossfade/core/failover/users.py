"""
Where the users of one application are, and where they should be.  Pure.

`next_users` is the whole decision of the traffic loop for one application: who may have users,
how far returning clusters are, and the plan that follows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.application import Application
from crossfade.core.failover.eligible import Admittance, admittance
from crossfade.core.failover.evidence import DOWN
from crossfade.core.failover.exposure import within_exposure
from crossfade.core.failover.failback import Phase, Return, ReturnSight, advance
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.shedding import Shedding, shedding
from crossfade.core.failover.stale import stale
from crossfade.core.failover.standby import Standby, at_rest, full_pods, grown, size_of
from crossfade.core.failover.standing import Presence
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.release.report import Report
from crossfade.core.release.sizing import FULL
from crossfade.core.release.wanted import Wanted
from crossfade.core.traffic.destinations import (
    EVERYBODY,
    Destination,
    Goal,
    Matrix,
    Mode,
    PriorityClass,
)
from crossfade.core.traffic.lost import plan_while_lost
from crossfade.core.traffic.matrix import TrafficPlan
from crossfade.core.traffic.priorities import refused

DEFAULT_WEIGHT = 100
_UNLIMITED = 1
"""Demand when nothing is known of it: then nothing is known of capacity in its unit either."""


@dataclass(frozen=True, slots=True)
class Users:
    """Saved together with the plan of the edges."""

    application: ApplicationName
    parts: Matrix = field(default_factory=dict)
    """Of 10,000, by cluster and revision."""
    returns: Mapping[ClusterName, Return] = field(default_factory=dict)
    """Clusters that are away, or on their way back."""
    reasons: Mapping[ClusterName, str] = field(default_factory=dict)
    shed: int = 0
    """Parts of all users that nobody can carry."""
    shedding: Shedding | None = None
    """How edges turn them away, by priority class; None while everybody is served."""
    demand: int | None = None
    """Requests per second that the plan was made for; None when nobody counts them."""
    recent: int | None = None
    """What users asked for in the last seconds, when it was last told."""
    classes: tuple[PriorityClass, ...] = EVERYBODY
    """How large the priority classes are."""
    standbys: Mapping[ClusterName, Standby] = field(default_factory=dict)
    """Standbys that are not at rest."""
    sizes: Mapping[ClusterName, int] = field(default_factory=dict)
    """Percent of its pods that each standby is to run, at rest or not."""
    missing: int = 0
    """Requests per second that are asked for and that nobody can carry."""
    frozen: bool = False
    """Nobody is known to serve, so everything stays as it was."""
    limited: bool = False
    """Capacities are known, and the demand that they are compared with."""

    def share(self, cluster: ClusterName) -> int:
        """Return the parts of all users whom the cluster has."""
        return sum(self.parts.get(cluster, {}).values())


@dataclass(frozen=True, slots=True)
class Load:
    """What users ask for, beside the highest rate of the last minute."""

    recent: int | None = None
    """Requests per second of the last seconds: what is turned away follows from it, since room
    for peaks is what there is none of."""
    classes: tuple[PriorityClass, ...] = EVERYBODY
    """The most important first."""
    proven: frozenset[RevisionId] = frozenset()
    """Revisions that may have any number of users; none before the first has all of them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One cluster that runs the application, as it was last seen."""

    wanted: Wanted
    report: Report
    health: ClusterHealth
    wish: ClusterWish
    room: int | None = None
    """Requests per second that the cluster carries beside other applications."""
    verdict: Verdict = Verdict.UNKNOWN
    """On its users against those of the others, while it returns."""
    served: bool = False
    """Most edges find that the application's users are served there."""
    given_back: bool = False
    """It was away for a drill only: nothing there has changed, and its users come back at once."""

    @property
    def cluster(self) -> ClusterName:
        """Its name."""
        return self.report.cluster


def next_users(
    spec: Application,
    before: Users,
    candidates: Sequence[Candidate],
    demand: int | None,
    now: float,
    load: Load = Load(),
) -> Users:
    """
    Return where users should be.

    Args:
        spec: the application.
        before: where they are.
        candidates: clusters that run it and have a gateway.
        demand: requests per second of all its users; None when nobody counts them.
        now: in seconds.
        load: what users ask for now, by class, and who may not meet what is new.
    """
    if load.recent is not None:
        # A hub that has just begun to count has not seen the highest rate of the last minute, or
        # has counted nobody yet.
        demand = max(demand or 0, load.recent)
    returns: dict[ClusterName, Return] = {}
    admitted: list[tuple[Candidate, Admittance]] = []
    alone = sum(each.health.stands.serves and not each.wish.drained for each in candidates) < 2
    for each in candidates:
        served = each.served and before.share(each.cluster) > 0
        behind = stale(each.wanted, each.report, each.health.back_at, now, served=served)
        back, said = _returning(spec, before, each, behind, now, alone=alone)
        if back is not None:
            returns[each.cluster] = back
        may = _admittance(spec, each, behind, back)
        admitted.append((each, replace(may, reason=said) if _tells(may, back, said) else may))
    goal = _goal(spec, before, admitted, demand, load)
    shares = {each.cluster: each.wanted.split.shares for each in candidates}
    goal = within_exposure(goal, shares, load.proven)
    left = frozenset(each.cluster for each in candidates if each.health.condition in DOWN)
    plan, short = plan_while_lost(goal, left)
    if short.shed and demand is not None and load.recent is not None and load.recent < demand:
        goal = replace(goal, demand=load.recent)
        plan, short = plan_while_lost(goal, left)
    reasons = {each.cluster: each.reason for each in goal.destinations}
    counts = demand is not None and any(each.capacity is not None for each in goal.destinations)
    found = _users(before, plan, short, reasons, limited=counts or goal.exposure is not None)
    standbys = _standbys(spec, before, candidates, _Needs(goal, plan, short, demand), now)
    away = short.shed if found.shed else {}
    return replace(
        found,
        returns=returns,
        standbys=standbys,
        sizes=_sizes(spec, candidates, standbys),
        shedding=shedding(before.shedding, away, refused(goal.classes, away), now),
        demand=None if demand is None else goal.demand,
        missing=0 if demand is None else found.missing,
        recent=load.recent,
        classes=load.classes,
    )


@dataclass(frozen=True, slots=True)
class _Needs:
    """What standbys are needed for."""

    goal: Goal
    plan: TrafficPlan
    short: TrafficPlan
    demand: int | None

    def percent(self, cluster: ClusterName, ready: int, full: int) -> int:
        """Return the percentage of its pods that the cluster needs; capacities in requests."""
        share, reserve = self.plan.share(cluster), self.short.reserve.get(cluster, 0)
        needed = ready + reserve if reserve else 0
        if share:
            needed = max(needed, full if self.demand is None else self.goal.units(share))
        return min(100, -(-100 * needed // full)) if full else 0


def _standbys(
    spec: Application, before: Users, candidates: Sequence[Candidate], needs: _Needs, now: float
) -> dict[ClusterName, Standby]:
    """Return how large standbys should be, for those who are there or are to come."""
    placement, linger, found = spec.placement, spec.failover.step_seconds, {}
    for each in candidates:
        rest, known = at_rest(placement, each.cluster), before.standbys.get(each.cluster)
        if rest == FULL or placement.pod_capacity is None:
            continue
        full = full_pods(each.wanted, each.report) * placement.pod_capacity
        ready = capacity(placement.pod_capacity, each) or 0
        percent = needs.percent(each.cluster, ready, full)
        if needs.plan.frozen and known is not None:
            percent = max(percent, known.percent)  # it may be we who are cut off
        after = grown(known, rest, percent, now, linger)
        if after is not None:
            found[each.cluster] = after
    return found


def _sizes(
    spec: Application, candidates: Sequence[Candidate], standbys: Mapping[ClusterName, Standby]
) -> dict[ClusterName, int]:
    placement = spec.placement
    names = [c.cluster for c in candidates if at_rest(placement, c.cluster) < FULL]
    return {name: size_of(placement, name, standbys) for name in names}


def _tells(may: Admittance, back: Return | None, said: str) -> bool:
    """Say whether the state of the return says more than the admittance."""
    return bool(said) and back is not None and not may.reason.startswith(("stale", "drained"))


def _returning(
    spec: Application, before: Users, each: Candidate, behind: str, now: float, *, alone: bool
) -> tuple[Return | None, str]:
    """Return where the return of the cluster stands, None when it never left, and why."""
    if each.given_back:
        return None, ""
    known = before.returns.get(each.cluster)
    if not spec.failover.auto and not each.wish.drained and known is None:
        return None, ""
    if _away(before, each, auto=spec.failover.auto):
        waits = known is not None and known.phase is Phase.WAITING
        return (known if waits else Return(each.cluster, since=now)), ""
    if known is None:
        return None, ""
    sight = ReturnSight(
        reported=None if behind else each.wanted.epoch,
        wanted=each.wanted.epoch,
        verdict=each.verdict,
        # Where no other one serves, nobody is asked whether users may come back.
        approved=each.wish.restored_at > known.since or alone,
    )
    policy, seconds = spec.failover.failback, spec.failover.step_seconds
    after, said = advance(known, sight, policy, now, seconds=seconds)
    # All of its users at once are a move that others must know of for as long as one step lasts.
    at_once = after.phase is Phase.BACK and after.step == 0 and now - after.since < seconds
    return (None if after.phase is Phase.BACK and not at_once else after), said


def _away(before: Users, each: Candidate, *, auto: bool) -> bool:
    if each.wish.drained:
        return before.share(each.cluster) == 0
    return auto and not each.health.stands.serves


def _admittance(spec: Application, each: Candidate, behind: str, back: Return | None) -> Admittance:
    presence = each.health.stands if spec.failover.auto else Presence(each.cluster)
    return admittance(presence, stale=behind, drained=each.wish.drained, back=back)


def _goal(
    spec: Application,
    before: Users,
    admitted: Sequence[tuple[Candidate, Admittance]],
    demand: int | None,
    load: Load,
) -> Goal:
    placement = spec.placement
    destinations = tuple(_destination(spec, each, may, demand) for each, may in admitted)
    return Goal(
        destinations,
        demand or _UNLIMITED,
        mode=placement.mode,
        classes=load.classes,
        before=before.parts,
        exclusive=placement.exclusive,
        full_percent=placement.full_percent,
    )


def _destination(
    spec: Application,
    each: Candidate,
    may: Admittance,
    demand: int | None,
) -> Destination:
    placement, name = spec.placement, each.cluster
    standby = at_rest(placement, name) < FULL
    carried = capacity(placement.pod_capacity, each)
    full = full_pods(each.wanted, each.report) * (placement.pod_capacity or 0)
    pilot = standby and placement.mode is Mode.PILOT_LIGHT
    return Destination(
        cluster=name,
        revisions={r: round(100 * share) for r, share in each.wanted.split.shares.items()},
        weight=spec.edge_weights.get(name, DEFAULT_WEIGHT),
        order=placement.orders.get(name, 0),
        eligibility=may.eligibility,
        reason=may.reason,
        # A standby grows to a number of pods, whether anybody counts users or not.
        capacity=None if demand is None and not standby else carried,
        startable=max(0, full - (carried or 0)) if standby else 0,
        minimum=full * placement.minimum_percent // 100 if pilot else 0,
        ramp_percent=may.ramp_percent,
        full=each.room is not None and each.room <= 0,
    )


def capacity(pod_capacity: int | None, each: Candidate) -> int | None:
    """Return the requests per second that the cluster carries now, None when nobody knows."""
    limits = [] if each.room is None else [max(0, each.room)]
    if pod_capacity is not None:
        serving = [r for r, share in each.wanted.split.shares.items() if share > 0]
        pods = sum(each.report.of(revision).ready_pods for revision in serving)
        if pods or not each.served:  # who serves has pods, whatever its control plane says
            limits.append(pods * pod_capacity)
    return min(limits, default=None)


def _users(
    before: Users,
    plan: TrafficPlan,
    short: TrafficPlan,
    reasons: Mapping[ClusterName, str],
    *,
    limited: bool,
) -> Users:
    if plan.frozen:
        said = "frozen: no cluster is known to serve, so the last plan stays"
        reasons = {**dict.fromkeys(plan.parts, said), **dict.fromkeys(reasons, said)}
    # Each cluster's parts are rounded down: so few are no users whom nobody can carry.
    away = sum(short.shed.values())
    known = limited and not plan.frozen
    rounding = len(reasons)
    return Users(
        before.application,
        plan.parts,
        reasons=reasons,
        shed=away if known and away > rounding else 0,
        missing=short.missing if limited else 0,
        frozen=plan.frozen,
        limited=limited,
    )
