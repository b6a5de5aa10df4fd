"""Whether pods that nobody probes stay up: Kubernetes calls them ready as soon as they run."""

import time
from typing import TypeAlias

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.kubernetes.workloads import PodsOf
from crossfade.core.release.kinds import mapping, mappings, name_of

STEADY_SECONDS = 3.0
"""How long pods without a readiness probe must run before they are believed."""

_Footprint: TypeAlias = tuple[tuple[str, int], ...]
"""Each pod's name and how often its containers were started again."""


class Steadiness:
    """Remembers since when pods have run without any restart."""

    def __init__(self) -> None:
        self._since: dict[PodsOf, tuple[_Footprint, float]] = {}
        self._believed: set[PodsOf] = set()

    async def holds(self, api: KubeApi, whose: PodsOf) -> bool:
        """
        Return whether the pods have run unchanged for a while; for those that are ready now.

        Once they have, no more is asked until `forget`.  Raises Unavailable.
        """
        now = time.monotonic()
        if whose in self._believed:
            return True
        pods, _ = await api.list(f"/api/v1/namespaces/{whose.namespace}/pods", whose.labels)
        footprint = tuple(sorted((name_of(pod), _restarts(pod)) for pod in pods))
        known = self._since.get(whose)
        if known is None or known[0] != footprint:
            self._since[whose] = (footprint, now)
        elif now - known[1] >= STEADY_SECONDS:
            self._believed.add(whose)
        return whose in self._believed

    def forget(self, whose: PodsOf) -> None:
        """Start anew: they are not ready."""
        self._since.pop(whose, None)
        self._believed.discard(whose)


def _restarts(pod: Object) -> int:
    statuses = mappings(mapping(pod.get("status")).get("containerStatuses"))
    counts = (each.get("restartCount") for each in statuses)
    return sum(count for count in counts if isinstance(count, int))
