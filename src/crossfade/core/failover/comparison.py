"""
Whether a returning cluster serves its users as well as the others serve theirs.  Pure.

The judge never forgets an error, and where the others make none nothing outweighs it: a single
request that failed, before the cluster was warm or while one edge did not reach it, would leave
the return in doubt for ever.  So doubt ends after a run of requests without any error, and the
judge begins anew.  Each run must be twice as long as the one before: a cluster that does fail some
of its users is found out all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counters import ERRORS, Tally
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import Evidence, begin, grown, judgement_of, verdict_of
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.analysis.spec import Judge

JUDGE = Judge(metrics=(ERRORS,), window_seconds=1.0, min_requests=10)
RUN_REQUESTS = 100
"""Requests in a row without an error that end the first doubt."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of the users of one returning cluster, against those of the others."""

    evidence: Evidence
    windows: int = 0
    """How many have been counted: each gets a number."""
    run: int = 0
    """Requests since the last one that failed."""
    enough: int = RUN_REQUESTS
    """The run that ends a doubt."""


def compare(cluster: ClusterName, now: float) -> Comparison:
    """Return what is known when the first user returns: nothing."""
    return Comparison(_nothing(cluster, now))


def compared(
    known: Comparison, cluster: ClusterName, windows: Sequence[Window], percent: float, now: float
) -> tuple[Comparison, Verdict]:
    """
    Return what is known after these windows, and the verdict.

    Args:
        known: what was known before.
        cluster: the one that returns.
        windows: what edges counted: its users as those of a canary, the others' as of stable.
        percent: how much of its share it has.
        now: in seconds.
    """
    run = known.run
    for each in windows:
        errors, _ = each.events[ERRORS]
        run = 0 if errors else run + each.n_c
    rps = float(sum(each.n_c for each in windows))
    evidence = grown(known.evidence, windows, percent, rps, now)
    after = replace(known, evidence=evidence, windows=known.windows + len(windows), run=run)
    verdict = judgement_of(JUDGE, evidence, verdict_of(evidence, (), now)).verdict
    if verdict is Verdict.HOLD and run >= known.enough:
        return _anew(after, cluster, 2 * known.enough, now), Verdict.UNKNOWN
    if verdict is Verdict.INCONCLUSIVE:  # few users, for hours: that is no reason to keep it out
        return _anew(after, cluster, known.enough, now), Verdict.UNKNOWN
    return after, verdict


def _anew(known: Comparison, cluster: ClusterName, enough: int, now: float) -> Comparison:
    return replace(known, evidence=_nothing(cluster, now), run=0, enough=enough)


def _nothing(cluster: ClusterName, now: float) -> Evidence:
    return begin(JUDGE, {cluster: str(cluster)}, Tally(0), 100.0, now)
