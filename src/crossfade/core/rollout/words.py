"""Clusters and their reasons in one sentence."""

from collections.abc import Iterable, Mapping

from crossfade.base.ids import ClusterName


def names(clusters: Iterable[ClusterName]) -> str:
    """Return the names for a sentence: `aws, gcp`."""
    return ", ".join(clusters)


def tell(reasons: Mapping[ClusterName, str]) -> str:
    """Return each reason once: alone when it is the same everywhere, else with its clusters."""
    by_reason: dict[str, list[ClusterName]] = {}
    for cluster, reason in reasons.items():
        if reason:
            by_reason.setdefault(reason, []).append(cluster)
    if len(by_reason) == 1:
        return next(iter(by_reason))
    return "; ".join(f"{names(where)}: {reason}" for reason, where in by_reason.items())
