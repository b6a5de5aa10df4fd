"""Writes down which edges there are and which plan each has in force, whenever that changes."""

from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.core.fleet.edges import EdgeState, Look, after, news
from crossfade.engine.records import EDGES, Records, save_edges
from crossfade.ports.documents import Event
from crossfade.ports.edge import Edges

LOOK_SECONDS = 1.0


@dataclass(slots=True)
class EdgeWatch:
    """All edges at once; they are few."""

    records: Records
    edges: Edges
    clock: Clock
    _seen_at: dict[str, float] = field(default_factory=dict)

    async def keys(self) -> list[str]:
        """Return the one key."""
        return [EDGES]

    async def reconcile(self, _: str) -> float:
        """Save what has changed since the look before."""
        before, now = await self.records.edges(), self.clock.now()
        connected = tuple(
            EdgeState(each.edge, each.acknowledged, each.refused)
            for each in await self.edges.status()
        )
        for known in before.value.edges:  # a hub that starts has seen none of them yet
            self._seen_at.setdefault(known.edge, now)
        self._seen_at.update({each.edge: now for each in connected})
        value = after(before.value, Look(now, connected, self._seen_at))
        names = {each.edge for each in value.edges}
        self._seen_at = {name: at for name, at in self._seen_at.items() if name in names}
        if value != before.value:
            events = tuple(
                Event(f"{EDGES}/{edge}", now, reason, {"edge": edge})
                for edge, reason in news(before.value, value)
            )
            await self.records.commit(save_edges(before.version, value), events=events)
        return LOOK_SECONDS
