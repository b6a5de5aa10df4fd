"""The sequential judge's verdict: roll back, promote, hold, advance, or give up on deciding."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.blame import Blame, blamed, incidents, scope, worse
from crossfade.core.analysis.confidence import EVERYTHING, Interval, interval
from crossfade.core.analysis.plan import Metric, OnTimeout, Plan
from crossfade.core.analysis.ramp import carries_everybody, harm, next_weight
from crossfade.core.analysis.sequential import (
    NOBODY,
    State,
    log_evidence,
    log_safe,
    plain,
    strata_of,
)

HOLD_EVIDENCE = 2.0
"""
Evidence against the canary above which its share may only fall.

A healthy canary is rarely here for long; waiting costs it nothing, and more users make what a bad
one does harm without making it clearer: evidence per event is best while the share is small.
"""

PROVING_WEIGHT = 0.4
"""
The largest share of a canary that is not proven good yet.

A proof grows with `w (1 - w)` of the users, harm with `w`: beyond this share, which has 96 % of
what there is at most, more users cost harm and prove nothing sooner.
"""

_CLOSE = 1e-9
_ALL = "telemetry"
_REQUESTS = "canary requests"


class Action(StrEnum):
    """What should happen to the canary's share of users."""

    ROLLBACK = "rollback"
    PROMOTE = "promote"
    HOLD = "hold"
    ADVANCE = "advance"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Moment:
    """What the verdict needs to know beside the evidence."""

    now_s: float
    """On the clock of `State.since_s` and of the windows."""
    rps: float
    """Requests per second of all users of the clusters that are judged."""
    weight: float
    """Share of users that the canary has now, 0 to 1."""
    level_since_s: float
    """Since when it has had this share in force everywhere."""
    excluded: frozenset[ClusterName] = NOBODY
    """Clusters that no longer count: rolled back by themselves, or skipped."""
    full: bool = False
    """Whether the canary is to be judged at this share: the last step, or a record."""
    stopped_s: float = 0.0
    """Of the time since `State.since_s`, how long the rollout stood still because of a loss."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What should happen, and all that it rests on."""

    action: Action
    weight: float
    """Share that the risk budget allows now; at most the present one unless `advance`."""
    e: float
    """Evidence against the canary; it is rolled back from 1 / alpha."""
    p: float
    """Probability of evidence as strong as it ever was, if the canary is fine."""
    ratio: Mapping[str, Interval] = field(default_factory=dict)
    """For each metric the range of the ratio canary to stable; None: no upper end yet."""
    blame: tuple[Blame, ...] = ()
    scope: tuple[ClusterName, ...] = ()
    """Clusters that a rollback is limited to; (): all of them."""
    incidents: tuple[tuple[str, ClusterName], ...] = ()
    """Metric and cluster where stable suffers, too: not the version."""
    needed: Mapping[str, int] = field(default_factory=dict)
    """For each metric that is not proven good, about how many more canary requests it takes."""
    harm: float = 0.0
    """Requests that the canary has harmed so far."""
    silent: tuple[ClusterName, ...] = ()
    """Clusters that lack recent windows, or a metric that gates in them: they prove nothing."""
    proven: bool = False
    """Whether all metrics that gate are proven good, everywhere, for long enough."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Case:
    """The evidence, read once for one verdict."""

    state: State
    plan: Plan
    moment: Moment
    e: float
    harm: float
    silent: tuple[tuple[ClusterName, str], ...]
    """Cluster and what it does not tell: a metric, or all."""
    ratio: Mapping[str, Interval]
    needed: Mapping[str, int]
    young: bool

    @property
    def proven(self) -> bool:
        """Whether all that gates is proven, nobody is silent and the canary is old enough."""
        return not (self.needed or self.silent or self.young)


def decide(state: State, plan: Plan, moment: Moment) -> Verdict:
    """
    Return the verdict on all windows so far.  The same inputs always give the same one.

    In this order: evidence or harm beyond what was accepted rolls back; silent clusters and
    doubtful evidence hold; proof promotes once the canary has its full share; time that is up
    gives up as the plan says; else the ramp goes on.
    """
    case = _case(state, plan, moment)
    strongest = case.e if moment.excluded else max(case.e, plain(state.peak))
    if strongest >= 1 / plan.alpha or case.harm >= plan.budget:
        return _roll_back(case, proven=strongest >= 1 / plan.alpha)
    full = moment.full or moment.weight >= plan.w_max - _CLOSE
    if case.proven and full and case.e <= HOLD_EVIDENCE:
        return _verdict(case, Action.PROMOTE, moment.weight, _good(case))
    if moment.now_s - state.since_s - moment.stopped_s >= plan.max_s:
        return _time_is_up(case)
    return _go_on(case)


def _case(state: State, plan: Plan, moment: Moment) -> _Case:
    curves = zip(plan.metrics, state.curves, strict=False)  # no curve before the first window
    judged = [each for each in plan.clusters if each not in moment.excluded]
    return _Case(
        state,
        plan,
        moment,
        plain(log_evidence(state, plan, moment.excluded)),
        harm(state, plan),
        tuple(silence for each in judged for silence in _silence(state, plan, each, moment.now_s)),
        {each.name: EVERYTHING for each in plan.metrics}
        | {each.name: interval(curve, plan.alpha) for each, curve in curves},
        _needed(state, plan, moment.excluded),
        moment.now_s - state.since_s - moment.stopped_s < plan.min_soak_s
        or not judged
        or any(_unheard(state, plan, each) for each in judged),
    )


def _silence(
    state: State, plan: Plan, cluster: ClusterName, now_s: float
) -> Iterator[tuple[ClusterName, str]]:
    """Return what the cluster has not told for too long."""
    found = state.clusters.get(cluster)
    if now_s - max(found.last_s if found else 0.0, state.since_s) > plan.silent_s:
        yield cluster, _ALL
    elif found:
        asked = any(each.n_c for each in found.strata)
        for metric, stratum in zip(plan.metrics, found.strata, strict=True):
            heard = max(stratum.last_s or 0.0, state.since_s)
            if metric.gate and now_s - heard > plan.silent_s:
                # What nobody asks is not broken: it has no latency because it has no requests.
                yield cluster, metric.name if asked else _REQUESTS


def _unheard(state: State, plan: Plan, cluster: ClusterName) -> bool:
    """Say whether the cluster has not told anything yet about a metric that gates."""
    found = state.clusters.get(cluster)
    if found is None:
        return True
    pairs = zip(plan.metrics, found.strata, strict=True)
    return any(metric.gate and stratum.last_s is None for metric, stratum in pairs)


def _needed(state: State, plan: Plan, excluded: frozenset[ClusterName]) -> dict[str, int]:
    """Return the metrics that gate and are not proven, with the canary requests that it takes."""
    needed = {}
    for metric in plan.metrics:
        missing = math.log(1 / plan.beta) - log_safe(state, plan, metric, excluded)
        if metric.gate and missing > 0:
            needed[metric.name] = math.ceil(missing / _growth(state, metric, plan, excluded))
    return needed


def _growth(state: State, metric: Metric, plan: Plan, excluded: frozenset[ClusterName]) -> float:
    """Return about how much a request to a good canary adds to the log of the proof."""
    strata = strata_of(state, plan, metric, excluded)
    share = (sum(each.x_s for each in strata) + 1) / (sum(each.n_s for each in strata) + 1)
    by_ratio = (metric.p0 or min(1.0, share)) * (metric.r1 - 1 - math.log(metric.r1))
    return max(by_ratio, metric.rise / 2) / metric.phi


def _verdict(case: _Case, action: Action, weight: float, reason: str) -> Verdict:
    return Verdict(
        action,
        weight,
        case.e,
        min(1.0, math.exp(-case.state.peak)),
        ratio=case.ratio,
        incidents=incidents(case.state, case.plan),
        needed=case.needed,
        harm=case.harm,
        silent=tuple(dict.fromkeys(cluster for cluster, _ in case.silent)),
        proven=case.proven,
        reason=reason,
    )


def _roll_back(case: _Case, *, proven: bool) -> Verdict:
    state, plan, excluded = case.state, case.plan, case.moment.excluded
    blames = blamed(state, plan, excluded)
    if not proven:
        spent = f"the canary has harmed {case.harm:.0f} requests; budget {plan.budget:.0f}"
        return replace(_verdict(case, Action.ROLLBACK, 0.0, spent), blame=blames)
    scoped = scope(state, plan, blames, excluded)
    reason = worse(state, plan, blames, excluded)
    if scoped:
        reason += "; nothing speaks against it on the other clusters"
    return replace(_verdict(case, Action.ROLLBACK, 0.0, reason), blame=blames, scope=scoped)


def _time_is_up(case: _Case) -> Verdict:
    """Return what the plan asks for; silence never decides, whatever the plan says."""
    plan, moment = case.plan, case.moment
    reason = f"nothing is proven after {plan.max_s / 60:.0f} min: {_waiting(case)}"
    match plan.on_timeout:
        case OnTimeout.ROLL_BACK if not case.silent:
            return _verdict(case, Action.ROLLBACK, 0.0, reason)
        case OnTimeout.PROMOTE if _is_inside_budget(case):
            inside = f"{reason}; the budget allows all users"
            return _verdict(case, Action.PROMOTE, moment.weight, inside)
    return _verdict(case, Action.INCONCLUSIVE, moment.weight, reason)


def _is_inside_budget(case: _Case) -> bool:
    unknown = case.silent or not case.state.clusters
    if unknown or case.e > HOLD_EVIDENCE:
        return False
    return carries_everybody(case.state, case.plan, case.moment.rps)


def _go_on(case: _Case) -> Verdict:
    plan, moment = case.plan, case.moment
    allowed = next_weight(case.state, plan, moment.rps, moment.weight)
    if case.needed:
        allowed = min(allowed, max(PROVING_WEIGHT, moment.weight))
    if case.silent:
        weight = min(allowed, moment.weight)
        return _verdict(case, Action.HOLD, weight, _silent(case))
    if case.e > HOLD_EVIDENCE:
        limits = f"{HOLD_EVIDENCE:g} hold, {1 / plan.alpha:g} roll back"
        reason = f"evidence against the canary is {case.e:.1f}: {limits}"
        return _verdict(case, Action.HOLD, min(allowed, moment.weight), reason)
    if allowed <= moment.weight + _CLOSE:
        return _verdict(case, Action.HOLD, min(allowed, moment.weight), _waiting(case))
    if moment.weight > 0 and moment.now_s - moment.level_since_s < plan.react_s:
        reason = f"watching {moment.weight:.1%} of users for {plan.react_s:.0f} s"
        return _verdict(case, Action.HOLD, moment.weight, reason)
    reason = f"the risk budget allows {allowed:.1%} of users; {case.harm:.0f} harmed so far"
    return _verdict(case, Action.ADVANCE, allowed, reason)


def _waiting(case: _Case) -> str:
    """Return what promotion waits for, in one sentence."""
    if case.silent:
        return _silent(case)
    if case.needed:
        most = max(case.needed, key=lambda name: case.needed[name])
        return f"{most} needs about {case.needed[most]} more canary requests to be proven good"
    if case.young:
        soak = f"until {case.plan.min_soak_s:.0f} s are over and every cluster has reported"
        return f"proven good so far; promotion waits {soak}"
    if case.e > HOLD_EVIDENCE:
        return f"evidence against the canary is {case.e:.1f}, {HOLD_EVIDENCE:g} hold"
    return f"proven good; promotion waits for {case.plan.w_max:.0%} of users"


def _silent(case: _Case) -> str:
    """Return who does not tell what."""
    silent: dict[str, dict[ClusterName, None]] = {}
    for cluster, what in case.silent:
        silent.setdefault(what, {})[cluster] = None
    alike: dict[tuple[ClusterName, ...], list[str]] = {}
    for what, clusters in silent.items():
        alike.setdefault(tuple(clusters), []).append(what)
    parts = (f"no {', '.join(what)} from {', '.join(names)}" for names, what in alike.items())
    return "; ".join(parts)


def _good(case: _Case) -> str:
    gates = [each for each in case.plan.metrics if each.gate]
    limits = ", ".join(f"{each.name} below {each.r1:g} times stable's" for each in gates)
    return f"proven good: {limits or 'nothing gates'}"
