"""A Kubernetes Job as a metric: it passes when the Job succeeds."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.metrics.asking import unable, wrong_query
from crossfade.base.errors import Conflict, Unavailable
from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counters import Reading
from crossfade.core.analysis.queries import CounterQuery, JobQuery, Query
from crossfade.ports.measurements import Ability, Measured, Point, Span

_WHO = "a Job"
_LABEL = "crossfade.dev/measurement"
_LOOK_SECONDS = 1.0
_SPARE_SECONDS = 30.0
"""How much longer than its own deadline a Job may take to say that it has ended."""


class JobMeasurements:
    """
    The Measurements port for Jobs in clusters of the fleet.

    A measurement that is cut short is taken up where it is: its Job has a name of its own.
    """

    abilities = frozenset({Ability.MEASURE})

    def __init__(
        self, api: Callable[[ClusterName], KubeApi], look_seconds: float = _LOOK_SECONDS
    ) -> None:
        """`api` returns the API of a cluster of the fleet, or raises NotFound."""
        self._api, self._look_seconds = api, look_seconds

    async def measure(self, query: Query, now: float) -> Measured:
        """Run the Job to its end, and return whether it succeeded; see the port for errors."""
        if not isinstance(query, JobQuery):
            raise wrong_query(query, _WHO)
        api = self._api(query.cluster)
        jobs = f"/apis/batch/v1/namespaces/{query.namespace}/jobs"
        path = f"{jobs}/{job_name(query)}"
        if await api.find(path) is None:
            with suppress(Conflict):  # another hub was faster; its Job is as good as ours
                await api.create(jobs, manifest(query))
        measured = await self._end(api, path, query)
        await api.delete(path)
        return measured

    async def series(self, query: Query, span: Span) -> tuple[Point, ...]:
        """Refuse: a Job has no past."""
        raise unable(Ability.SERIES, _WHO)

    async def counts(self, query: CounterQuery, span: Span) -> tuple[Reading, ...]:
        """Refuse: a Job counts no requests."""
        raise unable(Ability.COUNTS, _WHO)

    async def close(self) -> None:
        """Do nothing: the connections are the fleet's."""

    async def _end(self, api: KubeApi, path: str, query: JobQuery) -> Measured:
        try:
            async with asyncio.timeout(query.timeout_seconds + _SPARE_SECONDS):
                while True:
                    ended = outcome(await api.get(path))
                    if ended is not None:
                        return ended
                    await asyncio.sleep(self._look_seconds)
        except TimeoutError as error:
            raise Unavailable(
                f"the Job {query.namespace}/{job_name(query)} does not end",
                hint="look at its controller: its deadline is over",
                cluster=query.cluster,
            ) from error


def job_name(query: JobQuery) -> str:
    """Return the Job's name: readable, valid, and another one for each other query."""
    digest = hashlib.sha256(f"{query.namespace}/{query.name}".encode()).hexdigest()[:10]
    readable = re.sub(r"[^a-z0-9-]+", "-", query.name.lower())[:40].strip("-")
    return f"{readable or 'measurement'}-{digest}"


def manifest(query: JobQuery) -> Object:
    """Return the Job; it ends by its deadline, and is cleaned up if we never come back for it."""
    spec: dict[str, Any] = {
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": 3600,
        **query.spec,
        "activeDeadlineSeconds": _deadline(query),
    }
    name = job_name(query)
    metadata = {"name": name, "namespace": query.namespace, "labels": {_LABEL: name}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def outcome(job: Mapping[str, Any]) -> Measured | None:
    """Return how the Job ended, None while it runs."""
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition.get("status") != "True":
            continue
        reason = str(condition.get("reason") or "")
        message = str(condition.get("message") or "")
        words = ": ".join(part for part in (reason, message) if part)
        match condition.get("type"):
            case "Complete":
                return Measured({"phase": "Successful", "message": words}, passed=True)
            case "Failed":
                return Measured({"phase": "Failed", "message": words}, passed=False)
            case _:
                continue
    return None


def _deadline(query: JobQuery) -> int:
    own = query.spec.get("activeDeadlineSeconds")
    wanted = max(int(query.timeout_seconds), 1)
    return min(own, wanted) if isinstance(own, int) else wanted
