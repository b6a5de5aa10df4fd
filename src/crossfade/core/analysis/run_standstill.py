"""
Analysis runs while users move between clusters: what was measured does not count.  Pure.

The clock of a run stands still as that of its rollout does: waits and deadlines end as much later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from crossfade.core.analysis.argo import Counters, Measurement, Phase, Result
from crossfade.core.analysis.runs import Comparison, Gap, RunState, look_at

_NAMES = {
    Phase.SUCCESSFUL: "successful",
    Phase.FAILED: "failed",
    Phase.INCONCLUSIVE: "inconclusive",
    Phase.ERROR: "error",
}


def stood_still(state: RunState, comparison: Comparison | None, since: float) -> RunState:
    """Return the run stopped, without what it measured later than `since`; once is enough."""
    if state.still_since is not None:
        return state
    since = max(since, state.started_at, *(each.end for each in state.gaps))
    results = {name: _until(each, since) for name, each in state.results.items()}
    scores = state.scores
    if comparison is not None:
        ends = [look_at(comparison, state, number) for number in range(len(scores))]
        scores = scores[: sum(end <= since for end in ends)]
    same = results == state.results and scores == state.scores
    phase = state.phase if same else Phase.RUNNING
    return replace(state, still_since=since, results=results, scores=scores, phase=phase)


def gone_on(state: RunState, now: float) -> RunState:
    """Return the run with its clock going again."""
    if state.still_since is None:
        return state
    return replace(state, still_since=None, gaps=(*state.gaps, Gap(state.still_since, now)))


def _until(result: Result, since: float) -> Result:
    """Return the result without measurements that ended later, or have not ended."""
    kept = tuple(
        each
        for each in result.measurements
        if each.phase.completed and (each.finished_at is None or each.finished_at <= since)
    )
    dropped = result.measurements[len(kept) :]
    if not dropped:
        return result
    counters = _without(result.counters, [each.phase for each in dropped], kept)
    return Result(counters=counters, measurements=kept)


def _without(counters: Counters, dropped: Sequence[Phase], kept: Sequence[Measurement]) -> Counters:
    numbers = {
        name: getattr(counters, name) - dropped.count(phase) for phase, name in _NAMES.items()
    }
    count = numbers["successful"] + numbers["failed"] + numbers["inconclusive"]
    return Counters(
        count,
        **numbers,
        consecutive_success=_in_a_row(kept, Phase.SUCCESSFUL),
        consecutive_error=_in_a_row(kept, Phase.ERROR),
    )


def _in_a_row(kept: Iterable[Measurement], phase: Phase) -> int:
    """Return how many of the newest that are kept have the phase: as many as are sure."""
    count = 0
    for each in kept:
        count = count + 1 if each.phase is phase else 0
    return count
