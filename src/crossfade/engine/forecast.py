"""What a deployment would do, asked of the clusters that are first, before anything is done."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.ids import ClusterName
from crossfade.core.analysis.evidence import Evidence
from crossfade.core.analysis.plan import visible_ratio
from crossfade.core.application import Application
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.placement import placed
from crossfade.core.release.objection import Objection
from crossfade.core.release.revision import Revision
from crossfade.core.rollout.forecast import Expected, expected
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.waves import wave_of
from crossfade.engine.records import Records, rollout_name
from crossfade.ports.cluster_access import Connections

CHECK_SECONDS = 20.0
"""For one cluster to say what it has against the objects; later it counts as silent."""
_AT_ONCE = 8
"""Clusters that are asked at the same time."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What one cluster says to the revision's objects."""

    cluster: ClusterName
    objections: tuple[Objection, ...]
    silence: str = ""
    """Why it could not be asked; "" when it was."""

    def refusals(self, shared: bool) -> tuple[Objection, ...]:
        """Return what keeps the revision out; `shared` charts may bring kinds that are missing."""
        return tuple(
            each
            for each in self.objections
            if not each.warning and not (shared and each.unknown_kind)
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of a rollout."""

    checked: tuple[Checked, ...]
    expected: Expected
    rps: float
    """Requests per second that the application had in its newest rollout; 0: not known."""
    visible: float | None
    """The smallest ratio of error rates that the judge can see in that time, None: not known."""


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Asks clusters and the store."""

    records: Records
    connections: Connections

    async def forecast(self, record: Record, revision: Revision, chart: bytes) -> Forecast:
        """Return what is to be expected; clusters that are silent are told as such."""
        checked = await self.check(record.spec, revision, chart)
        evidence = await self._newest_evidence(record)
        foreseen = expected(record.spec.strategy, record.spec.analysis)
        rps = evidence.rps if evidence else 0.0
        return Forecast(checked, foreseen, rps, _visible(evidence, foreseen))

    async def check(
        self, spec: Application, revision: Revision, chart: bytes
    ) -> tuple[Checked, ...]:
        """Ask every cluster of the first wave to take the objects, without keeping them."""
        clusters = [each.value for each in await self.records.clusters()]
        mine = [each for each in clusters if placed(spec.placement, each)]
        waves = spec.strategy.waves
        first = min((wave_of(waves, each) for each in mine), default=0)
        limit = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(
                    self._ask(limit, each, revision, chart, in_place=spec.strategy.in_place)
                )
                for each in mine
                if wave_of(waves, each) == first
            ]
        return tuple(each.result() for each in asked)

    async def _ask(
        self,
        limit: asyncio.Semaphore,
        cluster: Cluster,
        revision: Revision,
        chart: bytes,
        *,
        in_place: bool,
    ) -> Checked:
        releases = self.connections.cluster(cluster).releases
        try:
            async with limit:
                async with asyncio.timeout(CHECK_SECONDS):
                    found = await releases.dry_run(revision, chart, in_place=in_place)
                    return Checked(cluster.name, found)
        except TimeoutError:
            return Checked(cluster.name, (), f"no answer in {CHECK_SECONDS:g} s")
        except (Unavailable, Denied) as error:
            return Checked(cluster.name, (), error.what)

    async def _newest_evidence(self, record: Record) -> Evidence | None:
        for number in range(record.rollout, max(0, record.rollout - 10), -1):
            stored = await self.records.find_evidence(rollout_name(record.spec.name, number))
            if stored is not None and stored.value.rps > 0:
                return stored.value
        return None


def _visible(evidence: Evidence | None, foreseen: Expected) -> float | None:
    """Return the smallest ratio of error rates that shows before all users have the revision."""
    if evidence is None or not foreseen.exposure_seconds:
        return None
    errors = next((m for m in evidence.plan.metrics if m.name == "errors"), None)
    if errors is None:
        return None
    requests = evidence.rps * foreseen.exposure_seconds
    return visible_ratio(errors.p0 or 0.001, requests, evidence.plan)


def require_accepted(checked: Sequence[Checked], shared: bool) -> None:
    """Raise InputError when a cluster of the first wave refuses any object."""
    told = [(each.cluster, one) for each in checked for one in each.refusals(shared)]
    if not told:
        return
    cluster, first = told[0]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    raise InputError(
        f"{cluster} refuses {first.kind}/{first.name}: {first.message}{more}",
        hint="`crossfade deploy --dry-run` lists everything that is refused; nothing was changed",
        cluster=cluster,
        policy=first.is_policy,
    )
