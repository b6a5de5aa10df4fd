"""What must hold of the whole fleet at every moment: who is taken out, and who gets how many."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.failover.evidence import DOWN
from crossfade.core.failover.guard import BUDGET
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.users import Users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.rollout.record import Record
from crossfade.core.traffic.demand import RECENT_SECONDS, band
from crossfade.engine.records import HEALTH, USERS, WISH
from crossfade.testing.broken import Broken
from crossfade.testing.crowds import Crowd, capacity_broken, full, in_vain
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.onlooker import Onlooker

_COUNTING_SECONDS = RECENT_SECONDS + 2.0
"""After so long the hub must know how many users there are."""
_LOOK_SECONDS = 1.0
"""A look that is under way when something is noticed may save its plan a turn later."""
_MOMENT_SECONDS = 10.0
"""A plan rests on what was read just before, and a step has a moment to be made."""


@dataclass(slots=True)
class FleetPromises:
    """Rules 3, 5 (for clusters that get users) and 11; remembers what it needs for them."""

    skew: float = 0.0
    """Seconds by which clocks of hubs differ: times are promised to within that much."""
    paced: bool = True
    """Hubs take their turns in time, so that what takes too long is their fault."""
    serving: dict[ClusterName, bool] = field(default_factory=dict)
    """Whether each cluster stood so that it may have users."""
    taken_out: list[tuple[float, ClusterName]] = field(default_factory=list)
    """When automation took out which cluster."""
    users: dict[ApplicationName, Users] = field(default_factory=dict)
    """Where the users of each application are."""
    crowds: list[Crowd] = field(default_factory=list)
    """The same, with how many they are."""
    epochs: dict[tuple[ApplicationName, ClusterName], list[tuple[float, int]]] = field(
        default_factory=dict
    )
    """Which epoch of an application each cluster was to serve since when; the last ones."""
    demand: tuple[float, tuple[int, ...]] = (0.0, ())
    """Since when there are so many users, and the hub could know it."""
    down: frozenset[ClusterName] = frozenset()
    """Of which clusters the hub knows that they are down."""
    before: frozenset[ClusterName] = frozenset()
    """The same, before the moment in which it was noticed last that one is, or is no longer."""
    noticed: float = 0.0
    """When that was."""
    cut_off: dict[str, tuple[int, tuple[int, ...]] | None] = field(default_factory=dict)
    """For edges that are cut off, which hub had counted their users, and how many all users were;
    None when it cannot have done so."""

    def check(
        self, world: EngineWorld, onlooker: Onlooker, records: Mapping[ApplicationName, Record]
    ) -> None:
        """Raise Broken when a promise is; these are the records of all applications."""
        now, demand = world.clock.now(), demands(world)
        # Only hubs that take their turns in time have counted after that time.
        unread = now - self.demand[0] < _COUNTING_SECONDS and not self.paced
        if demand != self.demand[1] or self._uncounted(world, demand, now) or unread:
            self.demand = (now, demand)
        for name in world.clusters:
            health = onlooker.see(world.store, HEALTH, name, ClusterHealth)
            self._budget(world, name, health)
            self._notice(name, now, down=health is not None and health.condition in DOWN)
        planned = []
        for application, record in records.items():
            for name in world.clusters:
                self._epoch(application, name, record.at(name).epoch, now)
            users = onlooker.see(world.store, USERS, application, Users)
            known = self.users.get(application)
            if users is not None and users is not known:
                planned.append((record, known or users))
                self.users[application] = users
        if not planned:
            return
        self.crowds = self._crowds(world, records)
        for record, before in planned:
            self._moved(world, onlooker, record, before)
        self._capacity_first(world, records)

    def crowded(self, world: EngineWorld, application: ApplicationName, name: ClusterName) -> bool:
        """Say whether more important users have all the room of the cluster."""
        if len(self.crowds) == 1 or name not in world.capacities:
            return False
        own = next((each.priority for each in self.crowds if each.application == application), 0)
        above = [each for each in self.crowds if each.priority > own]
        capacity = world.capacities[name]
        return full(capacity, above, name) or full(capacity, above, name, self.down)

    def _moved(self, world: EngineWorld, onlooker: Onlooker, record: Record, before: Users) -> None:
        """Look at which clusters have got users, and which have lost them."""
        application = record.spec.name
        users = self.users[application]
        for name in world.clusters:
            if before.share(name) == 0 < users.share(name):
                self._converged(world, application, name)
            left = before.share(name) > 0 == users.share(name) and not users.frozen
            if left and not self.crowded(world, application, name):
                self._has_left(world, onlooker, record, name)

    def _uncounted(self, world: EngineWorld, demand: tuple[int, ...], now: float) -> bool:
        """
        Say whether an edge is cut off whose users the hub cannot know.

        They are as many as before, if it is still the hub that has counted them, and none came.
        """
        known = (world.hub.epoch, demand)
        settled = self.paced and now - self.demand[0] >= _COUNTING_SECONDS
        heard = known if settled and now - world.hub.began >= _COUNTING_SECONDS else None
        self.cut_off = {edge: self.cut_off.get(edge, heard) for edge in world.deaf}
        return any(each != known for each in self.cut_off.values())

    def _notice(self, name: ClusterName, now: float, *, down: bool) -> None:
        if down is (name in self.down):
            return
        if now - self.noticed > _LOOK_SECONDS:
            self.before = self.down
        self.noticed = now
        self.down = self.down | {name} if down else self.down - {name}

    def _epoch(
        self, application: ApplicationName, name: ClusterName, epoch: int, now: float
    ) -> None:
        known = self.epochs.setdefault((application, name), [(now, epoch)])
        if known[-1][1] != epoch:
            known.append((now, epoch))
            del known[:-4]

    def _budget(self, world: EngineWorld, name: ClusterName, health: ClusterHealth | None) -> None:
        """Rule 3: at most one cluster, or a third of all capacity, is taken out in a minute."""
        serves = health is None or health.stands.serves
        if self.serving.get(name, True) and not serves:
            now = world.clock.now()
            self.taken_out.append((now, name))
            recent = {each for at, each in self.taken_out if now - at < BUDGET.seconds - self.skew}
            percent = 100 * len(recent) / len(world.clusters)
            if len(recent) > 1 and percent > BUDGET.percent:
                raise Broken(3, f"{' and '.join(sorted(recent))} were taken out within a minute")
        self.serving[name] = serves

    def _converged(
        self, world: EngineWorld, application: ApplicationName, name: ClusterName
    ) -> None:
        """Rule 5: who gets users serves what is wanted, or was wanted a moment ago."""
        served = world.clusters[name].epoch(application)
        now, known = world.clock.now(), self.epochs[application, name]
        until = [at for at, _ in known[1:]] + [now]
        good = {
            epoch
            for (_, epoch), end in zip(known, until, strict=True)
            if now - end <= _MOMENT_SECONDS + self.skew
        }
        if served not in good:
            raise Broken(
                5, f"{name} got users, serves epoch {served}, and should serve {known[-1][1]}"
            )

    def _has_left(
        self, world: EngineWorld, onlooker: Onlooker, record: Record, name: ClusterName
    ) -> None:
        """Rule 3: whoever lost all users was taken out, drained, is behind, or was returning."""
        wish = onlooker.see(world.store, WISH, name, ClusterWish)
        users = self.users[record.spec.name]
        reason = users.reasons.get(name, "")
        known = (
            not self.serving.get(name, True)
            or (wish is not None and (wish.drained or "drained" in reason))
            or "stale" in reason
            or name in users.returns
            or not record.at(name).split.shares
        )
        if not known:
            raise Broken(3, f"{name} lost its users, and nobody took it out: {reason}")

    def _capacity_first(
        self, world: EngineWorld, records: Mapping[ApplicationName, Record]
    ) -> None:
        """Rule 11: clusters carry whom they are sent; only those are turned away who do not fit."""
        now, since = world.clock.now(), self.demand[0]
        counted = all(each.recent is not None for each in self.users.values())
        # What hubs know that take no turns in time is all to go by.
        if now - since < _COUNTING_SECONDS and (self.paced or not counted):
            return
        if not world.capacities or any(each.frozen for each in self.users.values()):
            return
        # How soon it is planned anew after a loss is a matter of pace; a plan of the turn in which
        # one goes down, or is well again, rests on what was read before that, or after.
        settled = now - self.noticed > _LOOK_SECONDS
        views = {self.down} if settled else {self.down, self.before}
        if not self.paced:
            views = {frozenset()}
        crowds = self.crowds
        broken = {view: capacity_broken(world.capacities, crowds, view) for view in views}
        if all(broken.values()):
            raise Broken(11, next(iter(broken.values())))
        # Where only some have the new revision alone, it is limited how many may meet it.
        if self.paced and settled and not any(_limited(world, each, records) for each in crowds):
            sights = [view for view, said in broken.items() if not said]
            vain = [in_vain(world.capacities, crowds, view) for view in sights]
            if all(vain):
                raise Broken(11, vain[0])
        for crowd in crowds:
            if crowd.users.shed > 0 and crowd.users.missing == 0:
                raise Broken(
                    11, f"{crowd.users.shed} parts of users are turned away, and none are missing"
                )

    def _crowds(self, world: EngineWorld, records: Mapping[ApplicationName, Record]) -> list[Crowd]:
        """Return the users of all applications."""
        return [
            Crowd(name, record.spec.placement.priority, self.users[name], self._asked(world, name))
            for name, record in records.items()
            if name in self.users
        ]

    def _asked(self, world: EngineWorld, application: ApplicationName) -> int:
        """Return how many users there are, as far as the hub can know it."""
        recent, demand = self.users[application].recent, world.demand(application)
        if recent is None or (self.paced and len(self.users) == 1):
            return demand
        # What few users ask for is known no better than chance allows.
        by_chance = abs(recent - demand) <= band(max(demand, 1)) * demand
        return recent if by_chance or not self.paced else demand


def demands(world: EngineWorld) -> tuple[int, ...]:
    """Return the requests per second of the users of each application."""
    return tuple(world.demand(each) for each in world.applications)


def _limited(world: EngineWorld, crowd: Crowd, records: Mapping[ApplicationName, Record]) -> bool:
    record = records[crowd.application]
    rows = [
        *crowd.users.parts.values(),
        *(record.at(each).split.shares for each in world.clusters),
    ]
    return len({frozenset(row) for row in rows}) > 1
