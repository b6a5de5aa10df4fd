"""
The sequential judge: evidence on a canary that may be looked at at any time, as often as wanted.

The formulas and why they hold: docs/math/sequential-judge.md.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.confidence import POINTS, log_mean_exp
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan
from crossfade.core.analysis.strata import Stratum, bent, grown, mixed

MOST_GAPS = 100
"""So many gaps between the ids of a cluster are remembered."""
_LARGEST_LOG = 690.0
_ON_RATIO = 0.9
"""Part of a proof that is on the ratio where the share can be seen to be of no help."""

NOBODY: frozenset[ClusterName] = frozenset()


@dataclass(frozen=True, slots=True)
class ClusterEvidence:
    """What is known from one cluster, and which of its windows are in it."""

    last_id: int
    last_s: float
    """When its last window ended."""
    strata: tuple[Stratum, ...]
    """In the order of the plan's metrics."""
    missed: tuple[tuple[int, int], ...] = ()
    """Ranges of ids that were left out, first and last."""


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of a canary: small, and plain JSON by `to_json`."""

    since_s: float
    """When the canary met its first user."""
    clusters: Mapping[ClusterName, ClusterEvidence] = field(default_factory=dict)
    curves: tuple[tuple[float, ...], ...] = ()
    """For each metric the log likelihood of each ratio, over all clusters."""
    log_e: float = 0.0
    """Log of the evidence against the canary, over all metrics and clusters."""
    peak: float = 0.0
    """Log of the strongest evidence against the canary that there ever was."""


def update(state: State, plan: Plan, window: Window) -> State:
    """
    Return the state with one more window; a window that is in it already changes nothing.

    Raises ValueError for a cluster that is not in the plan, for a state of another plan, and for a
    window that comes after a later one of its cluster: evidence grows in the order of time.
    """
    if window.cluster not in plan.clusters:
        raise ValueError(f"cluster {window.cluster} is not in the plan: {', '.join(plan.clusters)}")
    if state.curves and len(state.curves) != len(plan.metrics):
        raise ValueError("the plan has other metrics than the state; allowed: the plan it has had")
    before = state.clusters.get(window.cluster)
    if before is not None and window.id <= before.last_id:
        _refuse_late(before, window)
        return state
    strata = (
        before.strata if before else (Stratum((0.0,) * len(plan.alternatives)),) * len(plan.metrics)
    )
    curves = state.curves or ((0.0,) * POINTS,) * len(plan.metrics)
    logs = mixed(plan, window.n_c, window.n_s) if window.n_c + window.n_s else None
    strata = tuple([grown(each, plan, m, window, logs) for m, each in enumerate(strata)])
    if logs:
        pairs, events = zip(curves, plan.metrics, strict=True), window.events
        curves = tuple([bent(c, m, events.get(m.name, (0, 0)), logs) for c, m in pairs])
    at = window.ends_at(plan.tick_s)
    after = ClusterEvidence(window.id, at, strata, _missed(before, window))
    clusters = {**state.clusters, window.cluster: after}
    log_e = _combined(clusters, plan, NOBODY) if logs else state.log_e
    return State(state.since_s, clusters, curves, log_e, max(state.peak, log_e))


def _refuse_late(before: ClusterEvidence, window: Window) -> None:
    if any(first <= window.id <= last for first, last in before.missed):
        raise ValueError(
            f"window {window.id} of {window.cluster} comes after window {before.last_id}: allowed "
            "are windows in the order of their ids"
        )


def _missed(before: ClusterEvidence | None, window: Window) -> tuple[tuple[int, int], ...]:
    if before is None:
        return ()
    if window.id == before.last_id + 1:
        return before.missed
    return (*before.missed, (before.last_id + 1, window.id - 1))[-MOST_GAPS:]


def log_evidence(state: State, plan: Plan, excluded: frozenset[ClusterName] = NOBODY) -> float:
    """
    Return the log of the evidence that the canary is worse, over all metrics and clusters.

    A weighted mean, taken first and compared afterwards, so that however many metrics and
    clusters there are, a good canary is rolled back with a probability of at most alpha.
    """
    return _combined(state.clusters, plan, excluded) if excluded else state.log_e


def _combined(
    clusters: Mapping[ClusterName, ClusterEvidence], plan: Plan, excluded: frozenset[ClusterName]
) -> float:
    known = [c for c in plan.clusters if c not in excluded and c in clusters]
    if not known:
        return 0.0
    count = sum([1 for each in plan.clusters if each not in excluded])
    found = [clusters[each].strata for each in known]
    weights = math.fsum(each.weight for each in plan.metrics)
    single = (1 - plan.pooled - plan.by_cloud) / count
    total = 0.0
    for index, metric in enumerate(plan.metrics):
        strata = [each[index] for each in found]
        e = plan.pooled * plain(pooled(strata)) + single * (count - len(known))
        e += single * sum([plain(each.log_e) for each in strata])
        if plan.by_cloud:
            e += plan.by_cloud * _mean_by_cloud(plan, known, strata)
        total += metric.weight / weights * e
    return math.log(total) if total > 0 else -_LARGEST_LOG


def pooled(strata: Sequence[Stratum]) -> float:
    """Return the log of the evidence of several clusters for one common ratio."""
    if len(strata) == 1:
        return strata[0].log_e
    return log_mean_exp([sum(logs) for logs in zip(*[each.worse for each in strata], strict=True)])


def _mean_by_cloud(plan: Plan, known: Sequence[ClusterName], strata: Sequence[Stratum]) -> float:
    members: dict[str, list[Stratum]] = {}
    for cluster, stratum in zip(known, strata, strict=True):
        members.setdefault(plan.clouds[cluster], []).append(stratum)
    count = len({plan.clouds[each] for each in plan.clusters})
    heard = math.fsum(plain(pooled(each)) for each in members.values())
    return (heard + count - len(members)) / count  # one that was not heard of knows nothing


def strata_of(
    state: State, plan: Plan, metric: Metric, excluded: frozenset[ClusterName] = NOBODY
) -> list[Stratum]:
    """Return what is known of a metric in each cluster that has reported."""
    index = plan.metrics.index(metric)
    found = state.clusters.items()
    return [each.strata[index] for name, each in found if name not in excluded]


def log_safe(
    state: State, plan: Plan, metric: Metric, excluded: frozenset[ClusterName] = NOBODY
) -> float:
    """
    Return the log of the evidence that the canary's ratio is below `r1`.

    With `rise`, a canary whose share of events is below it counts as good, too: part of the
    evidence is then on that, so that a service without any event can be proven good.
    """
    strata = strata_of(state, plan, metric, excluded)
    by_ratio = math.fsum(each.safe for each in strata)
    if not metric.rise:
        return by_ratio
    n_c, x_c = sum(each.n_c for each in strata), sum(each.x_c for each in strata)
    grown_by = log_growth_below(metric.rise, n_c, x_c) / metric.phi
    part = _on_ratio(metric)
    return log_mean_exp((by_ratio + math.log(2 * part), grown_by + math.log(2 - 2 * part)))


def _on_ratio(metric: Metric) -> float:
    """
    Return the part of the proof that is on the ratio; it is fixed before the first window.

    Half, unless stable's own share is so high that a canary like it is never seen to be below
    `rise`: then a tenth is left on that, for a history that is no longer true.
    """
    hopeless = metric.p0 is not None and log_growth_below(metric.rise, 1, metric.p0) <= 0
    return _ON_RATIO if hopeless else 0.5


def log_growth_below(share: float, n_c: int, x_c: float) -> float:
    """Return the log of the evidence that events have a share of a fifth of `share`, not more."""
    low = share / 5
    return x_c * math.log(low / share) + (n_c - x_c) * math.log((1 - low) / (1 - share))


def plain(log: float) -> float:
    """Return e to `log`, or the largest number that is still of use."""
    return math.exp(min(log, _LARGEST_LOG))


def all_of(state: State, plan: Plan, windows: Iterable[Window]) -> State:
    """Return the state with all the windows, in their order."""
    for window in windows:
        state = update(state, plan, window)
    return state
