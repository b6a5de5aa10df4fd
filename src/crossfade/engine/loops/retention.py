"""Keeps the history from growing without end: details of rollouts that are long over go."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.core.rollout.retention import KEEP_SECONDS, Ended, to_forget
from crossfade.engine.decisions import is_decision
from crossfade.engine.records import (
    ANSWERS,
    EDGE_PLAN,
    EVIDENCE,
    GATE,
    ROLLOUT,
    RUN,
    Records,
    rollout_name,
)
from crossfade.ports.documents import Event, Remove
from crossfade.ports.event_log import HubStore

KEY = "history"
LOOK_SECONDS = 3600.0
GO_ON_SECONDS = 1.0
"""Between two parts of what is to be forgotten, so that nobody waits for it."""
_ROLLOUTS_AT_ONCE = 20
_PAGE = 500
_DETAILS = (EVIDENCE, GATE, RUN, ROLLOUT)


@dataclass(slots=True)
class Retention:
    """One look at the whole history at a time; its only key is `history`."""

    records: Records
    store: HubStore
    clock: Clock
    fence: int
    _left: dict[str, int] = field(default_factory=dict)
    """How many events each rollout had left when its details had gone: commands of people."""

    async def keys(self) -> list[str]:
        """Return the one key."""
        return [KEY]

    async def reconcile(self, _key: str) -> float:
        """Forget some of what is due; return seconds until the next look."""
        counts = await self.store.event_counts()
        now = self.clock.now()
        await self._forget_plans(now)
        events = _by_rollout(counts)
        ended = [each for each in await self._ended(events) if self._has_details(each)]
        due = to_forget(ended, sum(counts.values()), now)
        for name in due[:_ROLLOUTS_AT_ONCE]:
            subjects = [each for each in counts if _is_of(each, name)]
            self._left[name] = await self._forget(name, subjects)
        return GO_ON_SECONDS if len(due) > _ROLLOUTS_AT_ONCE else LOOK_SECONDS

    def _has_details(self, each: Ended) -> bool:
        return each.events > self._left.get(each.name, 0)

    async def _ended(self, events: Mapping[str, int]) -> list[Ended]:
        rollouts = [each.value for each in await self.records.rollouts()]
        newest = {each.application: each.number for each in rollouts}  # the last one is the newest
        return [
            Ended(
                name := rollout_name(each.application, each.number),
                each.state.phase_since,
                events.get(name, 0),
                each.number == newest[each.application],
            )
            for each in rollouts
            if not each.active
        ]

    async def _forget(self, name: str, subjects: list[str]) -> int:
        """Forget a rollout's details, not what people have asked for; return how many are left."""
        left = 0
        for subject in subjects:
            left += await forget_of(self.store, subject, _is_detail, self.fence)
        documents = [
            *[await self.store.get(kind, name) for kind in (EVIDENCE, ANSWERS)],
            *[each for each in await self.store.list(RUN) if _rollout_of(f"/{each.name}") == name],
        ]
        gone = [Remove(each.kind, each.name, each.version) for each in documents if each]
        if gone:
            await self.records.commit(*gone)
        return left

    async def _forget_plans(self, now: float) -> None:
        """Forget old plans of the edges: there is no end to them."""
        oldest = now - KEEP_SECONDS
        while page := await self.store.events(f"{EDGE_PLAN}/current", limit=_PAGE):
            old = [each for each in page if each.at < oldest]
            await self._forget_events(old)
            if len(old) < len(page):
                return

    async def _forget_events(self, events: list[Event]) -> None:
        if events:
            await self.store.forget_events(tuple(each.number for each in events), self.fence)


async def forget_of(
    store: HubStore, subject: str, goes: Callable[[Event], bool], fence: int
) -> int:
    """Forget the events of the subject that may go; return how many are left."""
    after, left = 0, 0
    while page := await store.events(subject, after, _PAGE):
        gone = tuple(each.number for each in page if goes(each))
        if gone:
            await store.forget_events(gone, fence)
        after, left = page[-1].number, left + len(page) - len(gone)
    return left


def _is_detail(event: Event) -> bool:
    """Say whether the event is the hub's own: what people have done is never forgotten."""
    return not event.subject.startswith(f"{ROLLOUT}/") or is_decision(event)


def _rollout_of(subject: str) -> str:
    """Return the rollout's document of `kind/rollout`, or of `kind/rollout/more`."""
    return subject.partition("/")[2].partition("/")[0]


def _is_of(subject: str, rollout: str) -> bool:
    return subject.partition("/")[0] in _DETAILS and _rollout_of(subject) == rollout


def _by_rollout(counts: Mapping[str, int]) -> Counter[str]:
    found = Counter[str]()
    for subject, count in counts.items():
        if _is_of(subject, name := _rollout_of(subject)):
            found[name] += count
    return found
