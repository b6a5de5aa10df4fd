"""Whether pods are ready; if not why, and whether waiting will help."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.kubernetes.diagnosis import Diagnosis, diagnose
from crossfade.adapters.kubernetes.pods import GRACE_SECONDS, Rank
from crossfade.adapters.kubernetes.steadiness import Steadiness
from crossfade.adapters.kubernetes.workloads import PodsOf, Workload
from crossfade.core.release.report import Cause

_DIAGNOSE_EVERY_SECONDS = 1.0
_MEASURE_EVERY_SECONDS = 5.0
"""For what asks for all pods of the cluster."""
_STARTING = Diagnosis("pods are starting")
_SCALED_TO_NONE = Diagnosis("it is scaled to 0 pods")
_NO_WORKLOADS = Diagnosis("there is no Deployment, StatefulSet or DaemonSet of it in the cluster")
_WATCHED = Diagnosis("its pods have no readiness probe: do they stay up?")


@dataclass(frozen=True, slots=True)
class _Known:
    """The newest diagnosis of a revision."""

    asked: float
    diagnosis: Diagnosis
    since: float
    """When a trouble of this rank was first seen, without any other in between."""


@dataclass(slots=True)
class Readiness:
    """Remembers what was seen in one cluster, since looks are frequent."""

    clock: Callable[[], float] = time.monotonic
    _known: dict[PodsOf, _Known] = field(default_factory=dict)
    _steadiness: Steadiness = field(default_factory=Steadiness)

    async def trouble(
        self, api: KubeApi, whose: PodsOf, workloads: Sequence[Workload]
    ) -> Diagnosis | None:
        """Return why what is installed is not ready, None when it is.  Raises Unavailable."""
        if not workloads:
            return _NO_WORKLOADS
        wanted = sum(each.wanted for each in workloads)
        if wanted == 0 and any(each.scale == 0 for each in workloads):
            return _SCALED_TO_NONE
        fine = all(each.ready >= each.wanted and not each.failure for each in workloads)
        if not fine or wanted == 0:
            self._steadiness.forget(whose)
            return await self._diagnosis(api, whose, workloads)
        probed = all(each.probed or each.wanted == 0 for each in workloads)
        if probed or await self._steadiness.holds(api, whose):
            self.forget(whose)
            return None
        # What crashes again and again looks fine in between, and is told as it is.
        known = self._known.get(whose)
        return known.diagnosis if known and known.diagnosis is not _STARTING else _WATCHED

    def forget(self, whose: PodsOf) -> None:
        """Start anew: they are gone, or fine."""
        self._known.pop(whose, None)

    async def _diagnosis(
        self, api: KubeApi, whose: PodsOf, workloads: Sequence[Workload]
    ) -> Diagnosis:
        """Return why it is not ready, asked anew now and then."""
        now = self.clock()
        # Most are ready a moment after the first look, which therefore asks nothing.
        known = self._known.setdefault(whose, _Known(now, _STARTING, now))
        no_room = known.diagnosis.rank is Rank.NO_ROOM
        pause = _MEASURE_EVERY_SECONDS if no_room else _DIAGNOSE_EVERY_SECONDS
        if now - known.asked < pause:
            return known.diagnosis
        found = await diagnose(api, whose, workloads)
        if known.diagnosis.rank is Rank.CRASH and found.rank is Rank.STARTING:
            # Between two restarts nothing is wrong with its pods: why they end is still so.
            self._known[whose] = replace(known, asked=now)
            return known.diagnosis
        same = found.rank is known.diagnosis.rank
        fresh = _Known(now, _judged(found, now - known.since if same else 0.0), now)
        self._known[whose] = replace(fresh, since=known.since) if same else fresh
        return fresh.diagnosis


def _judged(found: Diagnosis, seconds: float) -> Diagnosis:
    """Return the diagnosis of a trouble that has lasted for so long."""
    if found.rank is Rank.PROBE and seconds < GRACE_SECONDS:
        return replace(found, cause=Cause.NONE)  # as every pod does while it starts
    patience = found.patience_seconds
    return replace(found, hopeless=patience is not None and seconds >= patience)
