"""Takes a cluster out for a drill, counts users meanwhile, and brings them back in any case."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.base.ids import ClusterName
from crossfade.base.units import format_duration
from crossfade.core.failover.drill import (
    BASELINE_SECONDS,
    Count,
    Drill,
    Phase,
    Sight,
    advance,
)
from crossfade.core.failover.evidence import DOWN, Condition
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.users import Users
from crossfade.engine.disclosure import with_more
from crossfade.engine.loops.traffic import Traffic
from crossfade.engine.records import CLUSTER, DRILL, Records, save_drill
from crossfade.ports.documents import Event
from crossfade.ports.edge import Edges, EdgeSight, read_until, unread

LOOK_SECONDS = 0.2
IDLE_SECONDS = 1.0
SILENT_SECONDS = 3.0
"""An edge that has not reported for so long counts nobody."""
_ANSWERS = frozenset({Condition.HEALTHY, Condition.API_DOWN})


@dataclass(slots=True)
class _Counting:
    """What this hub remembers of the drill that goes on."""

    number: int
    taken: dict[str, float]
    """When the newest report of each edge that was counted had arrived."""
    edges: frozenset[str]
    """Edges that were connected when it began: all of them must go on to report."""
    began: bool = False
    """The cluster was taken out by this hub, which has counted ever since."""


@dataclass(slots=True)
class Drills:
    """One drill at a time; a hub that is started in the middle of one ends it."""

    records: Records
    edges: Edges
    traffic: Traffic
    clock: Clock
    _counting: _Counting | None = field(default=None)

    async def keys(self) -> list[str]:
        """Return the one key."""
        return [DRILL]

    async def reconcile(self, _: str) -> float:
        """Take at most one step; return seconds until the next look."""
        stored = await self.records.active_drill()
        if stored is None:
            self._counting = None
            return IDLE_SECONDS
        drill, now = stored.value, self.clock.now()
        sights = await self.edges.sights()
        counting = self._counting
        if counting is None or counting.number != drill.number:
            connected = frozenset(each.edge for each in await self.edges.status())
            counting = _Counting(drill.number, read_until(sights), connected)
            self._counting = counting
        after = advance(drill, await self._sight(drill, counting, sights, now), now)
        if after != drill:
            await self.records.commit(
                save_drill(stored.version, after), events=_events(drill, after, now)
            )
        counting.taken = read_until(sights)
        counting.began = counting.began or drill.phase is not after.phase is Phase.OUT
        return LOOK_SECONDS

    async def _sight(
        self, drill: Drill, counting: _Counting, sights: Sequence[EdgeSight], now: float
    ) -> Sight:
        health = {name: each.value for name, each in (await self.records.health()).items()}
        users = {name: each.value for name, each in (await self.records.users()).items()}
        known = health.get(drill.cluster, ClusterHealth(drill.cluster))
        share = [
            users.get(each.application, Users(each.application)).share(drill.cluster)
            for each in drill.courses
        ]
        return Sight(
            counts=_counts(drill.cluster, counting, sights),
            silent=await self._silent(counting, sights, now),
            others_away=await self._away(drill.cluster, health),
            objections=await self._objections(drill, known, now),
            ours=counting.began,
            serving=all(share) and _answers_users(drill, sights),
            presence=known.stands,
        )

    async def _silent(self, counting: _Counting, sights: Sequence[EdgeSight], now: float) -> str:
        connected = {each.edge for each in await self.edges.status()}
        if not connected:
            return "no edge is connected, so nobody counts how users fare"
        heard = {each.edge for each in sights if now - each.at <= SILENT_SECONDS}
        silent = sorted((connected | counting.edges) - heard)
        return f"{', '.join(silent)} does not report how users fare" if silent else ""

    async def _away(
        self, cluster: ClusterName, health: dict[ClusterName, ClusterHealth]
    ) -> tuple[ClusterName, ...]:
        """Return other clusters that cannot serve, those left out that a person drained."""
        wishes = await self.records.wishes()
        return tuple(
            name
            for name, each in sorted(health.items())
            if name != cluster
            and not (name in wishes and wishes[name].value.drained)
            and (not each.stands.serves or each.condition in DOWN)
        )

    async def _objections(self, drill: Drill, known: ClusterHealth, now: float) -> tuple[str, ...]:
        """Return what speaks against beginning, once that is to be decided."""
        if drill.phase is not Phase.ASKED or now - drill.asked_at < BASELINE_SECONDS:
            return ()
        found = []
        wish = await self.records.find_wish(drill.cluster)
        if wish is not None and wish.value.drained:
            found.append(f"{drill.cluster} is drained")
        if not known.stands.serves or known.condition not in _ANSWERS:
            found.append(f"{drill.cluster} is {known.summary} itself")
        for stored in await self.records.applications():
            rollout = await self.records.rollout(stored.value)
            if rollout is not None and rollout.value.active:
                found.append(f"a rollout of {stored.value.spec.name} is under way")
        for each in (await self.records.users()).values():
            name = each.value.application
            found += [f"users of {name} are coming back to {back}" for back in each.value.returns]
        if found:
            return tuple(found)
        return tuple(
            _lacking(each) for each in await self.traffic.without(drill.cluster) if each.shed
        )


def _lacking(users: Users) -> str:
    return (
        f"{users.shed / 100:g} % of {users.application} would find no place:"
        f" {users.missing} requests per second of capacity are missing"
    )


def _answers_users(drill: Drill, sights: Sequence[EdgeSight]) -> bool:
    """Say whether every edge that reports finds the cluster well since the way is open again."""
    fresh = [each for each in sights if drill.opened_at is not None and each.at > drill.opened_at]
    mine = [each for sight in fresh for each in sight.targets if each.cluster == drill.cluster]
    return bool(mine) and all(each.healthy for each in mine)


def _counts(
    cluster: ClusterName, counting: _Counting, sights: Sequence[EdgeSight]
) -> tuple[Count, ...]:
    """Return what edges have counted since the look before, oldest first."""
    found = []
    for sight in sorted(unread(sights, counting.taken), key=lambda each: each.at):
        for each in sight.answers:
            tried = sum(
                target.requests + target.connect_failures
                for target in sight.targets
                if target.application == each.application and target.cluster == cluster
            )
            away = sum(
                one.turned_away for one in sight.classes if one.application == each.application
            )
            asked, failed = each.requests + away, each.failed + away
            found.append(Count(each.application, sight.at, asked, failed, tried))
    return tuple(found)


def _events(before: Drill, after: Drill, now: float) -> tuple[Event, ...]:
    """Return what people should read of it: each change of the phase."""
    if before.phase is after.phase:
        return ()
    said, more = _said(after)
    facts = {"drill": after.number, "phase": after.phase.value}
    event = Event(f"{CLUSTER}/{after.cluster}", now, f"drill {after.number}: {said}", facts)
    return (with_more(event, f"drill {after.number}: {more}"),)


def _said(drill: Drill) -> tuple[str, str]:
    """Return how the drill stands, and the same with the reason, which may name applications."""
    match drill.phase:
        case Phase.OUT:
            said = f"taken out for {format_duration(drill.seconds)}"
            return said, said
        case Phase.RETURNING:
            opened = "the way to the cluster is open again"
            return f"{drill.outcome}; {opened}", f"{drill.outcome}: {drill.reason}; {opened}"
        case _ if drill.opened_at is None:
            return f"{drill.outcome}", f"{drill.outcome}: {drill.reason}"
        case _ if drill.returned_at:
            return "users are back", "users are back"
        case _:
            return f"{drill.outcome}; its users are not back", drill.reason
