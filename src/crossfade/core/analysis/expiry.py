"""How long a verdict holds when nothing new is counted: it changes by silence, age and patience."""

import math
from collections.abc import Collection, Iterator

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.evidence import Evidence
from crossfade.core.analysis.plan import Plan
from crossfade.core.analysis.sequential import State

_BLUR = 0.001
"""Around a limit nothing is taken for certain: some are passed when they are met, some after."""


def expires_at(evidence: Evidence, excluded: Collection[ClusterName], now: float) -> float:
    """
    Return the first time from `now` on at which the verdict may be another one.

    Until then `verdict_of` says the same of this evidence without the clusters `excluded`.
    """
    state, plan = evidence.state, evidence.plan
    judged = [each for each in plan.clusters if each not in excluded]
    stopped = evidence.stopped_seconds(now)
    limits = (
        state.since_s + stopped + plan.min_soak_s,
        state.since_s + stopped + plan.max_s,
        evidence.level_since + stopped - evidence.level_stopped + plan.react_s,
        *(at + plan.silent_s for at in _heard(state, plan, judged)),
    )
    ahead = min((each for each in limits if each + _BLUR > now), default=math.inf)
    return max(ahead - _BLUR, now)


def _heard(state: State, plan: Plan, judged: Collection[ClusterName]) -> Iterator[float]:
    """Return when each cluster was last heard of, and each of its metrics that gates."""
    for cluster in judged:
        found = state.clusters.get(cluster)
        yield max(found.last_s if found else 0.0, state.since_s)
        if found:
            for metric, stratum in zip(plan.metrics, found.strata, strict=True):
                if metric.gate:
                    yield max(stratum.last_s or 0.0, state.since_s)
