"""Keeps the history of builds from growing without end: decisions of old ones go."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.core.pipeline.state import BUILD as WHOLE
from crossfade.core.rollout.retention import Ended, to_forget
from crossfade.engine.loops.retention import GO_ON_SECONDS, LOOK_SECONDS, forget_of
from crossfade.engine.pipelines.records import BUILD, DECIDED, Builds
from crossfade.ports.documents import Event
from crossfade.ports.event_log import HubStore

KEY = "builds"
_BUILDS_AT_ONCE = 20


@dataclass(slots=True)
class BuildRetention:
    """
    One look at all builds at a time; its only key is `builds`.

    What people have asked for stays, and so do the builds themselves with their results.
    """

    builds: Builds
    store: HubStore
    clock: Clock
    fence: int
    _left: dict[str, int] = field(default_factory=dict)
    """How many events each build had left when its decisions had gone."""

    async def keys(self) -> list[str]:
        """Return the one key."""
        return [KEY]

    async def reconcile(self, _key: str) -> float:
        """Forget some of what is due; return seconds until the next look."""
        counts = await self.store.event_counts()
        ended = await self._ended(counts)
        due = to_forget(ended, sum(counts.values()), self.clock.now())
        for number in due[:_BUILDS_AT_ONCE]:
            subject = f"{BUILD}/{number}"
            self._left[number] = await forget_of(self.store, subject, _is_decision, self.fence)
        return GO_ON_SECONDS if len(due) > _BUILDS_AT_ONCE else LOOK_SECONDS

    async def _ended(self, counts: Mapping[str, int]) -> list[Ended]:
        """Return the builds that are over and have decisions; nothing is read of the others."""
        known = await self.builds.all()
        newest = {each.pipeline: each.id for each in known}  # the last one is the newest
        found = []
        for each in known:
            events = counts.get(f"{BUILD}/{each.id}", 0)
            if events <= self._left.get(each.id, 0):
                continue
            whole = (await self.builds.state(each.id)).value.units.get(WHOLE)
            if whole is not None and whole.ended is not None:
                last = newest[each.pipeline] == each.id
                found.append(Ended(each.id, whole.ended, events, last))
        return found


def _is_decision(event: Event) -> bool:
    """Say whether the event was written by who runs the build, not by people."""
    return DECIDED in event.facts
