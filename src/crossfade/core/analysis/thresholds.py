"""The error-rate threshold: is the new revision's share of failed first tries above the limit?"""

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.judgement import Judgement, Verdict
from crossfade.core.analysis.spec import ErrorThreshold


def judge(
    threshold: ErrorThreshold, requests: int, errors: int, silent: tuple[ClusterName, ...]
) -> Judgement:
    """
    Return the verdict on the new revision's first tries within the window.

    Args:
        threshold: the limit, and how many requests a verdict needs.
        requests: first tries that the new revision got, over all clusters.
        errors: those of them that failed.
        silent: clusters that give it users but whose counters could not be read.
    """
    percent = 100.0 * errors / requests if requests else 0.0
    figures = f"{errors} of {requests} requests failed ({percent:.1f} %)"
    limit = f"limit {threshold.max_percent:g} %"
    if requests >= threshold.min_requests and percent > threshold.max_percent:
        return Judgement(Verdict.FAIL, requests, errors, f"{figures}, {limit}")
    if silent:
        names = ", ".join(sorted(silent))
        return Judgement(Verdict.UNKNOWN, requests, errors, f"no telemetry from {names}")
    if requests < threshold.min_requests:
        reason = f"{requests} of {threshold.min_requests} requests needed for a verdict"
        return Judgement(Verdict.UNKNOWN, requests, errors, reason)
    return Judgement(Verdict.PASS, requests, errors, f"{figures}, {limit}")
