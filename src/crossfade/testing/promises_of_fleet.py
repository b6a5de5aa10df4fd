"""What must hold of the whole fleet at every moment: who is taken out, and who gets how many."""

from dataclasses import dataclass, field

from crossfade.base.ids import ClusterName
from crossfade.core.failover.evidence import DOWN
from crossfade.core.failover.guard import BUDGET
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.users import Users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.rollout.record import Record
from crossfade.core.traffic.demand import RECENT_SECONDS
from crossfade.core.traffic.destinations import PARTS
from crossfade.engine.records import HEALTH, USERS, WISH
from crossfade.testing.broken import Broken
from crossfade.testing.builders import APP
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.onlooker import Onlooker

_CHANCE = 1.03
"""Users are counted, and so known as exactly as chance allows."""
_IN_VAIN = 0.1
"""Up to this part of users are turned away in vain, for counts are steadied and shares rounded."""
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
    users: Users | None = None
    epochs: dict[ClusterName, list[tuple[float, int]]] = field(default_factory=dict)
    """Which epoch each cluster was to serve since when; the last ones."""
    demand: tuple[float, int] = (0.0, 0)
    """Since when there are so many users, and the hub could know it."""
    down: frozenset[ClusterName] = frozenset()
    """Of which clusters the hub knows that they are down."""
    before: frozenset[ClusterName] = frozenset()
    """The same, before the moment in which it was noticed last that one is, or is no longer."""
    noticed: float = 0.0
    """When that was."""
    cut_off: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    """For edges that are cut off, which hub had counted their users, and how many all users were;
    None when it cannot have done so."""

    def check(self, world: EngineWorld, onlooker: Onlooker, record: Record) -> None:
        """Raise Broken when a promise is."""
        now = world.clock.now()
        # Only hubs that take their turns in time have counted after that time.
        unread = now - self.demand[0] < _COUNTING_SECONDS and not self.paced
        if world.demand != self.demand[1] or self._uncounted(world, now) or unread:
            self.demand = (now, world.demand)
        for name in world.clusters:
            self._epoch(name, record.at(name).epoch, now)
            health = onlooker.see(world.store, HEALTH, name, ClusterHealth)
            self._budget(world, name, health)
            self._notice(name, now, down=health is not None and health.condition in DOWN)
        users = onlooker.see(world.store, USERS, APP, Users)
        if users is None or users is self.users:
            return
        before, self.users = self.users or users, users
        for name in world.clusters:
            if before.share(name) == 0 < users.share(name):
                self._converged(world, name)
            if before.share(name) > 0 == users.share(name) and not users.frozen:
                self._has_left(world, onlooker, record, name)
        self._capacity_first(world, record, users)

    def _uncounted(self, world: EngineWorld, now: float) -> bool:
        """
        Say whether an edge is cut off whose users the hub cannot know.

        They are as many as before, if it is still the hub that has counted them, and none came.
        """
        known = (world.hub.epoch, world.demand)
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

    def _epoch(self, name: ClusterName, epoch: int, now: float) -> None:
        known = self.epochs.setdefault(name, [(now, epoch)])
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

    def _converged(self, world: EngineWorld, name: ClusterName) -> None:
        """Rule 5: who gets users serves what is wanted, or was wanted a moment ago."""
        served = next((r.epoch for (_, a), r in world.clusters[name].served.items() if a == APP), 0)
        now, known = world.clock.now(), self.epochs[name]
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
        reason = (self.users or Users(APP)).reasons.get(name, "")
        known = (
            not self.serving.get(name, True)
            or (wish is not None and (wish.drained or "drained" in reason))
            or "stale" in reason
            or (self.users is not None and name in self.users.returns)
            or not record.at(name).split.shares
        )
        if not known:
            raise Broken(3, f"{name} lost its users, and nobody took it out: {reason}")

    def _capacity_first(self, world: EngineWorld, record: Record, users: Users) -> None:
        """Rule 11: clusters carry whom they are sent; only those are turned away who do not fit."""
        now, (since, demand) = world.clock.now(), self.demand
        if not self.paced and users.recent is not None:
            demand = users.recent  # what hubs know that take no turns in time is all to go by
        elif now - since < _COUNTING_SECONDS:
            return
        if not world.capacities or users.frozen:
            return
        served = demand * (PARTS - users.shed) / PARTS
        # How soon it is planned anew after a loss is a matter of pace; a plan of the turn in which
        # one goes down, or is well again, rests on what was read before that, or after.
        settled = now - self.noticed > _LOOK_SECONDS
        views = {self.down} if settled else {self.down, self.before}
        spares = [
            self._spare(world, users, served, view if self.paced else frozenset()) for view in views
        ]
        spare = min((each for each in spares if isinstance(each, float)), default=None)
        if spare is None:
            raise next(each for each in spares if isinstance(each, Broken))
        vain = min(spare, demand - served)
        # Where only some have the new revision alone, it is limited how many may meet it.
        rows = [*users.parts.values(), *(record.at(each).split.shares for each in world.clusters)]
        limited = len({frozenset(row) for row in rows}) > 1
        if self.paced and settled and not limited and vain > demand * _IN_VAIN:
            raise Broken(11, f"{vain:g} a second are turned away whom others could carry")
        if users.shed > 0 and users.missing == 0:
            raise Broken(11, f"{users.shed} parts of users are turned away, and none are missing")

    def _spare(
        self, world: EngineWorld, users: Users, served: float, down: frozenset[ClusterName]
    ) -> float | Broken:
        """Return how many more the others carry while these are down, or what is broken then."""
        alive = [name for name in users.parts if name not in down]
        placed = sum(users.share(name) for name in alive)
        spare = 0.0
        for name in alive:
            # Edges leave dead clusters by themselves, and send those users to the others.
            asked = served * users.share(name) / max(placed, 1)
            carries = world.capacities[name]
            if asked > carries * _CHANCE:
                return Broken(11, f"{name} was sent {asked:g} a second, and carries {carries}")
            if "drained" not in users.reasons.get(name, ""):
                spare += carries - asked
        return spare
