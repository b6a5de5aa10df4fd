"""What a cluster could still serve that does not get along with a revision: asks the store."""

from dataclasses import dataclass, replace

from crossfade.base.clock import Clock
from crossfade.base.ids import RevisionId
from crossfade.core.fleet.placement import placed
from crossfade.core.release.revision import Revision
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.skew import Misfit, Place, mentioned, misfits, refuse_misfits
from crossfade.engine.records import Records

_OLD_ROLLOUTS = 50
"""How many rollouts are looked through for a revision that was never promoted."""


@dataclass(frozen=True, slots=True)
class Skew:
    """Looks at every cluster of an application as it was last seen, reachable or not."""

    records: Records
    clock: Clock

    async def misfits(self, record: Record, revision: Revision) -> tuple[Misfit, ...]:
        """Return what stands against bringing out `revision`; nothing without a declaration."""
        if revision.data is None and record.spec.strategy.max_versions is None:
            return ()
        places = await self._places(record)
        known = await self._known(record, mentioned(record, places))
        return misfits(record, revision, places, known, self.clock.now())

    async def overruled(self, record: Record, revision: Revision, *, force: bool) -> str:
        """Return what a person overrules by force, in words.  Raises UnsafePlan without force."""
        found = await self.misfits(record, revision)
        refuse_misfits(revision.id, found, force=force)
        return "; ".join(each.summary for each in found)

    async def _places(self, record: Record) -> tuple[Place, ...]:
        health = await self.records.health()
        reports = {
            each.value.cluster: each.value
            for each in await self.records.reports()
            if each.value.application == record.spec.name
        }
        return tuple(
            Place(name, name not in health or health[name].value.api.up, reports.get(name))
            for name, cluster in ((s.value.name, s.value) for s in await self.records.clusters())
            if placed(record.spec.placement, cluster)
        )

    async def _known(
        self, record: Record, wanted: frozenset[RevisionId]
    ) -> dict[RevisionId, Revision]:
        """Return the revisions of these ids; the record forgets those that were taken back."""
        names = wanted | {each.revision.id for each in record.kept}
        found = {each: known for each in names if (known := record.known(each)) is not None}
        oldest = max(0, record.rollout - _OLD_ROLLOUTS)
        for number in range(record.rollout, oldest, -1):
            if names <= found.keys():
                break
            stored = await self.records.rollout(replace(record, rollout=number))
            if stored is not None:
                found.setdefault(stored.value.canary.id, stored.value.canary)
        return found
