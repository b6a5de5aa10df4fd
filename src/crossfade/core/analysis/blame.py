"""Which metric in which cluster is at fault: closed testing on the evidence of each by itself."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.plan import Plan
from crossfade.core.analysis.sequential import (
    NOBODY,
    State,
    log_evidence,
    plain,
    pooled,
    strata_of,
)
from crossfade.core.analysis.strata import Stratum

ATTRIBUTION = 0.05
"""Accepted probability that an innocent metric or cluster is named."""

_EXPLAINED = 0.0
"""Log of the evidence up to which clusters that are not at fault count as fine."""

_TIMES, _DEVIATIONS = 2.0, 4.0
"""An incident is above twice the usual rate, by more than chance."""


@dataclass(frozen=True, slots=True)
class Blame:
    """A metric that is worse on the canary in this cluster."""

    metric: str
    cluster: ClusterName
    e: float
    """Evidence, corrected for all that could have been named; 20 or more."""


def blamed(
    state: State, plan: Plan, excluded: frozenset[ClusterName] = NOBODY
) -> tuple[Blame, ...]:
    """
    Return what is at fault, the clearest first; the chance of any wrong one is 5 %.

    A set of innocent suspects has at most the mean of their evidence against it, so a suspect is
    named when the mean is high enough in every set that it is in (e-Holm).
    """
    suspects = [
        (metric.name, name, plain(found.strata[index].log_e))
        for name, found in state.clusters.items()
        if name not in excluded and name in plan.clusters
        for index, metric in enumerate(plan.metrics)
    ]
    values = [e for _, _, e in suspects]
    found = [
        Blame(metric, cluster, corrected)
        for (metric, cluster, _), corrected in zip(suspects, corrected_for_all(values), strict=True)
        if corrected >= 1 / ATTRIBUTION
    ]
    return tuple(sorted(found, key=lambda each: -each.e))


def corrected_for_all(values: Iterable[float]) -> list[float]:
    """Return for each e-value the smallest mean over all sets of them that it is in."""
    order = sorted(values := list(values))
    found = {}
    for place, value in enumerate(order):
        least, total = value, value
        for count, other in enumerate(order[:place], 2):  # larger ones never lower the mean
            total += other
            least = min(least, total / count)
        found[value] = least
    return [found[value] for value in values]


def scope(
    state: State,
    plan: Plan,
    blames: tuple[Blame, ...],
    excluded: frozenset[ClusterName] = NOBODY,
) -> tuple[ClusterName, ...]:
    """
    Return the clusters that a rollback can be limited to; () when it cannot.

    It can when the clusters that are not blamed have had canary users up to the same window, and
    what they show does not speak against the canary at all.
    """
    guilty = frozenset(each.cluster for each in blames)
    others = [each for each in plan.clusters if each not in guilty | excluded]
    if not guilty or not others:
        return ()
    newest = max(state.clusters[each].last_id for each in guilty)
    for name in others:
        found = state.clusters.get(name)
        if found is None or found.last_id < newest or not found.strata[0].n_c:
            return ()
    if log_evidence(state, plan, excluded | guilty) > _EXPLAINED:
        return ()
    return tuple(sorted(guilty))


def incidents(state: State, plan: Plan) -> tuple[tuple[str, ClusterName], ...]:
    """
    Return metric and cluster wherever stable itself has much more events than it used to.

    That is not the version: whatever lies below both arms is in trouble.
    """
    return tuple(
        (metric.name, name)
        for name, found in sorted(state.clusters.items())
        for index, metric in enumerate(plan.metrics)
        if _is_incident(found.strata[index])
    )


def _is_incident(stratum: Stratum) -> bool:
    earlier_n, earlier_x = (
        stratum.n_s - stratum.recent_n_s,
        max(0.0, stratum.x_s - stratum.recent_x_s),
    )
    if earlier_n <= stratum.recent_n_s:  # too young to say what is usual
        return False
    usual = max(1.0, _TIMES * earlier_x / earlier_n * stratum.recent_n_s)
    return stratum.recent_x_s > usual + _DEVIATIONS * math.sqrt(usual)


def worse(
    state: State,
    plan: Plan,
    blames: tuple[Blame, ...],
    excluded: frozenset[ClusterName] = NOBODY,
) -> str:
    """Return what is worse, where, and by how much, for people."""
    if blames:
        return "; ".join(
            _figures(name, [state.clusters[each.cluster].strata[index]], each.cluster)
            for each in blames[:3]
            for index, name in enumerate(metric.name for metric in plan.metrics)
            if name == each.metric
        )
    by_metric = [(m.name, strata_of(state, plan, m, excluded)) for m in plan.metrics]
    name, strata = max(by_metric, key=lambda each: _strength(each[1]))
    return _figures(name, strata, "all clusters together")


def _strength(strata: list[Stratum]) -> float:
    if not strata:
        return 0.0
    return max(pooled(strata), *(each.log_e for each in strata))


def _figures(metric: str, strata: list[Stratum], where: str) -> str:
    n_c, n_s = sum(each.n_c for each in strata), sum(each.n_s for each in strata)
    x_c, x_s = sum(each.x_c for each in strata), sum(each.x_s for each in strata)
    usual = f"stable has {x_s / n_s:.2%}" if n_s else "stable has no requests"
    return f"{metric} is worse on the canary on {where}: {x_c} of {n_c} requests, {usual}"
