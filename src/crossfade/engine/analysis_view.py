"""What the judge knows of a rollout, figure by figure: the new revision beside the stable one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.analysis.evidence import Evidence, verdict_of
from crossfade.core.analysis.strata import Stratum
from crossfade.core.analysis.verdict import Verdict
from crossfade.engine.records import EVIDENCE, Records, rollout_name
from crossfade.ports.documents import Event


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests and events among them, of the new and of the stable revision."""

    new_requests: int
    new_events: int
    stable_requests: int
    stable_events: int


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric over all clusters."""

    name: str
    counted: Counted
    low: float
    """Lower end of the band that holds the ratio new to stable at all looks at once."""
    high: float | None
    """Its upper end; null: there is none yet."""
    tolerated: float
    """Ratio that is no worse."""
    limit: float
    """Ratio below which the new revision must be proven to be."""
    gates: bool
    """Whether promotion waits for that proof."""
    needed: int
    """About how many more requests the proof takes; 0: it is there."""


@dataclass(frozen=True, slots=True)
class ClusterEvidence:
    """What one cluster has told, by metric."""

    cluster: ClusterName
    last_at: float | None
    """When its last window ended; null before the first."""
    metrics: dict[str, Counted]


@dataclass(frozen=True, slots=True)
class AnalysisReport:
    """The verdict now, and all that it rests on."""

    action: str
    reason: str
    percent: float
    next_percent: float
    """Share that the budget allows now."""
    evidence: float
    """Against the new revision; 1 is none."""
    threshold: float
    """Evidence with which users are taken back."""
    harmed: float
    budget: float
    """Harmed requests that the rollout may cost."""
    proven: bool
    since: float
    """When the new revision met its first user."""
    metrics: tuple[MetricView, ...]
    clusters: tuple[ClusterEvidence, ...]
    silent: tuple[ClusterName, ...]
    discarded: int
    """Windows that were thrown away, because users were moving between clusters."""


@dataclass(frozen=True, slots=True)
class Point:
    """One verdict of the past, for a chart."""

    number: int
    """Of its event: points after it are those that are new."""
    at: float
    percent: float
    evidence: float
    harmed: float
    bands: dict[str, tuple[float, float | None]]
    """By metric."""
    reason: str


async def analysis_report(
    records: Records, application: ApplicationName, number: int
) -> AnalysisReport | None:
    """Return what is known of the rollout; None before the judge has begun."""
    stored = await records.find_evidence(rollout_name(application, number))
    if stored is None:
        return None
    evidence = stored.value
    newest = max((each.last_s for each in evidence.state.clusters.values()), default=0.0)
    found = verdict_of(evidence, (), max(newest, evidence.level_since))
    plan = evidence.plan
    return AnalysisReport(
        found.action.value,
        found.reason,
        evidence.percent,
        round(100 * found.weight, 2),
        found.e,
        1 / plan.alpha,
        found.harm,
        plan.budget,
        found.proven,
        evidence.state.since_s,
        tuple(_metric(evidence, found, index) for index in range(len(plan.metrics))),
        tuple(_cluster(evidence, each) for each in plan.clusters),
        found.silent,
        evidence.discarded,
    )


async def analysis_points(
    records: Records, application: ApplicationName, number: int, after: int, limit: int
) -> tuple[Point, ...]:
    """Return verdicts whose events have a number above `after`, oldest first."""
    subject = f"{EVIDENCE}/{rollout_name(application, number)}"
    return tuple(_point(each) for each in (await records.events(subject, after))[:limit])


def _metric(evidence: Evidence, found: Verdict, index: int) -> MetricView:
    metric = evidence.plan.metrics[index]
    low, high = found.ratio.get(metric.name, (0.0, None))
    strata = [each.strata[index] for each in evidence.state.clusters.values()]
    needed = found.needed.get(metric.name, 0)
    counted = _counted(strata)
    return MetricView(metric.name, counted, low, high, metric.r0, metric.r1, metric.gate, needed)


def _cluster(evidence: Evidence, name: ClusterName) -> ClusterEvidence:
    known = evidence.state.clusters.get(name)
    if known is None:
        return ClusterEvidence(name, None, {})
    pairs = zip(evidence.plan.metrics, known.strata, strict=True)
    return ClusterEvidence(
        name, known.last_s, {metric.name: _counted([each]) for metric, each in pairs}
    )


def _counted(strata: Sequence[Stratum]) -> Counted:
    return Counted(
        sum(each.n_c for each in strata),
        sum(each.x_c for each in strata),
        sum(each.n_s for each in strata),
        sum(each.x_s for each in strata),
    )


def _point(event: Event) -> Point:
    verdict: dict[str, Any] = event.facts["verdict"]
    bands = {name: (low, high) for name, (low, high) in verdict.get("ratio", {}).items()}
    percent = float(event.facts["percent"])
    return Point(
        event.number, event.at, percent, verdict["e"], verdict["harm"], bands, event.reason
    )
