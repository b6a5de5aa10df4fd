"""Takes down what edges have counted, with the shares of revisions that clusters confirm."""

from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.engine.figures import Count, Figures
from crossfade.engine.records import Records
from crossfade.ports.edge import Edges, EdgeTargetSight, read_until, unread

LOOK_SECONDS = 0.4
"""Edges report every second."""
FIGURES = "figures"


@dataclass(slots=True)
class FigureLoop:
    """All edges at once; they are few."""

    records: Records
    edges: Edges
    clock: Clock
    figures: Figures
    _taken: dict[str, float] = field(default_factory=dict)
    """When the newest report that was taken down arrived, by edge."""

    async def keys(self) -> list[str]:
        """Return the one key."""
        return [FIGURES]

    async def reconcile(self, _: str) -> float:
        """Take down the reports that are new."""
        sights = await self.edges.sights()
        reports = unread(sights, self._taken)
        self._taken = read_until(sights)
        new = [each for report in reports for each in report.targets if each.requests]
        counts = [await self._count(each) for each in new]
        self.figures.add(self.clock.now(), counts)
        self.figures.records = self.records
        return LOOK_SECONDS

    async def _count(self, seen: EdgeTargetSight) -> Count:
        report = await self.records.find_report(seen.application, seen.cluster)
        shares = report.value.shares if report else {}
        return Count(seen.application, seen.cluster, seen.requests, seen.failed, shares)
