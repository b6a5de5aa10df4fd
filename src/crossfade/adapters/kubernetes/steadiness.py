"""Whether pods that nobody probes stay up: Kubernetes calls them ready as soon as they run."""

import time
from typing import TypeAlias

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.base.ids import RevisionId
from crossfade.core.release.kinds import REVISION_LABEL, mapping, mappings, name_of

STEADY_SECONDS = 3.0
"""How long pods without a readiness probe must run before they are believed."""

_Footprint: TypeAlias = tuple[tuple[str, int], ...]
"""Each pod's name and how often its containers were started again."""


class Steadiness:
    """Remembers since when each revision's pods have run without any restart."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, RevisionId], tuple[_Footprint, float]] = {}
        self._believed: set[tuple[str, RevisionId]] = set()

    async def holds(self, api: KubeApi, namespace: str, revision: RevisionId) -> bool:
        """
        Return whether the pods have run unchanged for a while; for a revision that is ready now.

        Once they have, no more is asked until `forget`.  Raises Unavailable.
        """
        key, now = (namespace, revision), time.monotonic()
        if key in self._believed:
            return True
        selector = f"{REVISION_LABEL}={revision}"
        pods, _ = await api.list(f"/api/v1/namespaces/{namespace}/pods", selector)
        footprint = tuple(sorted((name_of(pod), _restarts(pod)) for pod in pods))
        known = self._since.get(key)
        if known is None or known[0] != footprint:
            self._since[key] = (footprint, now)
        elif now - known[1] >= STEADY_SECONDS:
            self._believed.add(key)
        return key in self._believed

    def forget(self, namespace: str, revision: RevisionId) -> None:
        """Start anew: the revision is not ready."""
        self._since.pop((namespace, revision), None)
        self._believed.discard((namespace, revision))


def _restarts(pod: Object) -> int:
    statuses = mappings(mapping(pod.get("status")).get("containerStatuses"))
    counts = (each.get("restartCount") for each in statuses)
    return sum(count for count in counts if isinstance(count, int))
