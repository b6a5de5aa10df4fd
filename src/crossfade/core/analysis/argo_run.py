"""A whole analysis run as in Argo Rollouts: its metrics together, and what a rollout does then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crossfade.core.analysis.argo import (
    Metric,
    Phase,
    Result,
    assess_result,
    broken_limit,
)

_FROM_BEST_TO_WORST = (
    Phase.SUCCESSFUL,
    Phase.RUNNING,
    Phase.PENDING,
    Phase.INCONCLUSIVE,
    Phase.ERROR,
    Phase.FAILED,
)


@dataclass(frozen=True, slots=True)
class Summary:
    """Metrics of a run, and how those that ended did so."""

    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0

    def ended(self, phase: Phase | None) -> "Summary":
        """Return the summary with one more metric that ended by this limit, None for none."""
        match phase:
            case Phase.FAILED:
                return replace(self, failed=self.failed + 1)
            case Phase.INCONCLUSIVE:
                return replace(self, inconclusive=self.inconclusive + 1)
            case Phase.ERROR:
                return replace(self, error=self.error + 1)
            case _:
                return replace(self, successful=self.successful + 1)


@dataclass(frozen=True, slots=True)
class Run:
    """The phase of a run, with the results as they are now."""

    phase: Phase
    message: str
    results: Mapping[str, Result]
    summary: Summary = field(default_factory=Summary)
    dry_run_summary: Summary = field(default_factory=Summary)


def is_terminating(
    metrics: Sequence[Metric], results: Mapping[str, Result], terminate: bool = False
) -> bool:
    """Say whether no more measurements are begun: somebody wishes so, or a metric ended badly."""
    return terminate or any(
        results[each.name].phase in (Phase.FAILED, Phase.ERROR, Phase.INCONCLUSIVE)
        for each in metrics
        if each.name in results and not each.dry_run
    )


def assess_run(
    metrics: Sequence[Metric], results: Mapping[str, Result], terminate: bool = False
) -> Run:
    """
    Return the phase of a run and its results: running until all metrics have ended, then the worst.

    A metric that ends badly ends the others with the next look.  Metrics in a dry run are told but
    have no say.
    """
    terminating = is_terminating(metrics, results, terminate)
    verdict = _Verdict("Run Terminated" if terminate else "")
    found = dict(results)
    for metric in metrics:
        verdict.count(metric)
        if metric.name in found:
            found[metric.name] = verdict.look(metric, found[metric.name], terminating)
        else:
            verdict.all_ended = False
    if not terminating and (not verdict.all_ended or verdict.worst is None):
        phase, message = Phase.RUNNING, ""
    else:
        phase, message = verdict.worst or Phase.SUCCESSFUL, verdict.message
    return Run(phase, message, found, verdict.summary, verdict.dry_run_summary)


@dataclass(slots=True)
class _Verdict:
    """What comes together while the metrics are looked at."""

    message: str
    worst: Phase | None = None
    all_ended: bool = True
    summary: Summary = field(default_factory=Summary)
    dry_run_summary: Summary = field(default_factory=Summary)

    def count(self, metric: Metric) -> None:
        if metric.dry_run:
            self.dry_run_summary = replace(
                self.dry_run_summary, count=self.dry_run_summary.count + 1
            )
        else:
            self.summary = replace(self.summary, count=self.summary.count + 1)

    def look(self, metric: Metric, result: Result, terminating: bool) -> Result:
        """Return the result as it is now, and let it have its say."""
        now = assess_result(metric, result, terminating)
        if now.phase is not result.phase:
            last = result.measurements[-1].message if result.measurements else result.message
            result = replace(result, phase=now.phase, message=last)
        if not now.phase.completed:
            self.all_ended = False
            return result
        limit, why = broken_limit(metric, now.counters)
        if metric.dry_run:
            return self._told(result, limit, why)
        self._said(metric, result, limit, why)
        return result

    def _told(self, result: Result, limit: Phase | None, why: str) -> Result:
        self.worst = self.worst or Phase.SUCCESSFUL
        self.dry_run_summary = self.dry_run_summary.ended(limit)
        if not why:
            return result
        return replace(result, message=f"Metric assessed {result.phase} due to {why}")

    def _said(self, metric: Metric, result: Result, limit: Phase | None, why: str) -> None:
        self.summary = self.summary.ended(limit)
        if self.worst is not None and not _is_worse(self.worst, result.phase):
            return
        self.worst = result.phase
        if why:
            self.message = f'Metric "{metric.name}" assessed {result.phase} due to {why}'
            if result.message:
                self.message += f': "Error Message: {result.message}"'


def _is_worse(than: Phase, phase: Phase) -> bool:
    return _FROM_BEST_TO_WORST.index(phase) > _FROM_BEST_TO_WORST.index(than)
