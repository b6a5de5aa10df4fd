"""
Stories of one rollout in which anything goes wrong, told to the real engine on a clock that is set.

One seed is one story: clouds are lost and cut off, pods and gateways fall behind, the hub is killed
between any two of its operations, or is replaced while it goes on.  `tell` looks at every promise
after each turn of each hub, and asks in the end whether all is as wanted.
"""

import copy
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from crossfade.base.errors import CrossfadeError
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.core.rollout.state import Outcome
from crossfade.ports.documents import Document, Event, Remove, Save
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.engine_hub import EngineHub, KillingDocuments
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_cluster import FakeCluster, HubKilled
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.promises import Broken, Promises

TURN_SECONDS = 1.0
_TROUBLED_TURNS = 60
_CALM_TURNS = 400
_SETTLE_TURNS = 14
"""After the end of the rollout: time for what is not wanted any more to be drained and removed."""
_LEASE_SECONDS = 15.0
_REQUESTS_PER_SECOND = 100
STEPS = (SetWeight(10), Pause(2.0), SetWeight(50), Pause(2.0))


class Mishap(StrEnum):
    """What happens at one moment of a story."""

    LOSE = "is lost"
    CUT = "loses its API server"
    DARK = "loses its gateway"
    BACK = "is back"
    LATE = "takes no new routes"
    BREAK = "has no ready pod of the new revision"
    KILL_COMMIT = "sees the hub killed before a commit"
    KILL_COMMITTED = "sees the hub killed after a commit"
    KILL_ACT = "sees the hub killed before an act"
    KILL_ACTED = "sees the hub killed after an act"
    QUIET = "has no users, as all others have none"
    REPLACE = "sees another hub take over while the old one goes on"
    PAUSE = "sees a person pause the rollout"
    RESUME = "sees a person resume the rollout"
    ABORT = "sees a person abort the rollout"


_USUAL = (*Mishap, Mishap.LOSE, Mishap.BACK, Mishap.BACK, Mishap.RESUME)


@dataclass(frozen=True, slots=True)
class Moment:
    """One mishap."""

    turn: int
    mishap: Mishap
    which: int
    """Index of the cluster."""
    after: int
    """How many operations of the hub come before."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that happens; the same for the same seed."""

    seed: int
    bad: bool
    """Half of the new revision's answers are errors."""
    moments: tuple[Moment, ...]

    def __str__(self) -> str:
        told = (f"turn {m.turn}: {CLUSTERS[m.which]} {m.mishap} ({m.after})" for m in self.moments)
        kind = "bad" if self.bad else "good"
        return "\n  ".join((f"seed {self.seed}: a {kind} revision is deployed", *told))


def story(seed: int) -> Story:
    """Return the story of a seed."""
    draw = random.Random(seed)  # noqa: S311 - a story, no secret
    moments = sorted(
        (draw.randrange(_TROUBLED_TURNS), draw.choice(_USUAL), draw.randrange(len(CLUSTERS)))
        for _ in range(draw.randint(1, 16))
    )
    return Story(
        seed, draw.random() < 0.3, tuple(Moment(*each, draw.randint(1, 6)) for each in moments)
    )


@dataclass(frozen=True, slots=True)
class _Fenced:
    """The store as the hub of one lease writes to it."""

    store: FakeStore
    epoch: int
    late_writes: list[int]
    """Epochs of leases that had ended, and wrote all the same."""

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None."""
        return await self.store.get(kind, name)

    async def list(self, kind: str) -> tuple[Document, ...]:
        """Return all documents of the kind."""
        return await self.store.list(kind)

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes in the name of the lease."""
        del fence  # the loops of a simulated hub know of no lease
        sequence = await self.store.commit(changes, events, self.epoch)
        newest = await self.store.current("hub")
        if newest is not None and newest.epoch > self.epoch:
            self.late_writes.append(self.epoch)
        return sequence

    async def sequence(self) -> int:
        """Return the number of commits."""
        return await self.store.sequence()

    async def events(
        self, subject: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        """Return the history."""
        return await self.store.events(subject, after, limit)


@dataclass(slots=True)
class _Telling:
    story: Story
    world: EngineWorld
    promises: Promises
    old: EngineHub | None = None
    """A hub that was replaced and has not noticed."""
    late_writes: list[int] = field(default_factory=list)

    async def take_over(self) -> None:
        """Start a hub with a lease of its own."""
        holder = f"hub-{self.world.clock.now()}-{id(self.world.hub)}"
        current = await self.world.store.current("hub")
        if current is not None:
            await self.world.store.release("hub", current.holder)
        now = self.world.clock.now()
        lease = await self.world.store.acquire("hub", holder, now, _LEASE_SECONDS)
        fenced = _Fenced(self.world.store, lease.epoch, self.late_writes)
        self.world.hub = EngineHub(self.world, KillingDocuments(fenced))

    async def happen(self, moment: Moment) -> None:
        """Let the mishap happen."""
        cluster = self.world.clusters[CLUSTERS[moment.which]]
        match moment.mishap:
            case Mishap.REPLACE:
                self.old = self.world.hub
                await self.take_over()
            case Mishap.PAUSE | Mishap.RESUME | Mishap.ABORT:
                await self.ask(Command[moment.mishap.name])
            case Mishap.QUIET:
                self.world.requests_per_second = 0
            case Mishap.BREAK:
                for (_, revision), _ in tuple(cluster.revisions.items()):
                    if revision == self.promises.canary:
                        cluster.stop_pods(revision)
            case _:
                if moment.mishap is Mishap.BACK:
                    self.users_come()
                if moment.mishap in _WORLD:
                    _WORLD[moment.mishap](cluster)
                self.doom(moment, cluster)

    def doom(self, moment: Moment, cluster: FakeCluster) -> None:
        """Let the hub be killed at an operation to come, if that is the mishap."""
        documents, faults = self.world.hub.documents, cluster.faults
        match moment.mishap:
            case Mishap.KILL_COMMIT:
                documents.kill_before = documents.commits + moment.after
            case Mishap.KILL_COMMITTED:
                documents.kill_after = documents.commits + moment.after
            case Mishap.KILL_ACT:
                faults.kill_before = moment.after
            case Mishap.KILL_ACTED:
                faults.kill_after = moment.after
            case _:
                pass

    def users_come(self) -> None:
        """Let there be users again."""
        self.world.requests_per_second = _REQUESTS_PER_SECOND

    async def ask(self, command: Command) -> None:
        """Let a person ask for it; it may be refused."""
        try:
            await self.world.commands.change(APP, command)
        except CrossfadeError:
            return
        self.promises.asked_by_person(command)

    async def turn(self) -> None:
        """Let time pass, and every hub that is left look once; look at every promise."""
        if self.old is not None:
            replaced, self.old = self.old, None
            try:
                await replaced.turn()
                self.old = replaced
            except HubKilled:
                self.heal()
            await self.check()
        try:
            await self.world.turn(TURN_SECONDS)
        except HubKilled:
            self.heal()
            await self.take_over()
        await self.check()

    def heal(self) -> None:
        """Let nobody be killed by what has killed this one."""
        for each in self.world.clusters.values():
            each.faults.kill_before = each.faults.kill_after = None

    async def check(self) -> None:
        """Raise Broken when a promise is."""
        if self.late_writes:
            raise Broken(9, f"a hub of the ended lease {self.late_writes[0]} has written")
        await self.promises.check(self.world)

    async def calm(self) -> None:
        """Let all be well again, and wait for the end."""
        self.heal()
        self.old = None
        self.users_come()
        self.world.hub.documents.kill_before = self.world.hub.documents.kill_after = 0
        for cluster in self.world.clusters.values():
            _back(cluster)
            cluster.start_pods(self.promises.canary)
        settled = 0
        for turn in range(_CALM_TURNS):
            if turn % 10 == 0:
                await self.ask(Command.RESUME)
            await self.turn()
            settled += not (await self.world.rollout()).active
            if settled > _SETTLE_TURNS and self.promises.unlike_wanted(self.world) == "":
                return
        unlike = self.promises.unlike_wanted(self.world)
        reason = (await self.world.rollout()).state.reason
        raise Broken(8, f"it does not end as wanted: {unlike or reason}")


def _lose(cluster: FakeCluster) -> None:
    cluster.faults.unreachable = cluster.faults.gateway_down = True


def _cut(cluster: FakeCluster) -> None:
    cluster.faults.unreachable = True


def _dark(cluster: FakeCluster) -> None:
    cluster.faults.gateway_down = True


def _late(cluster: FakeCluster) -> None:
    cluster.routes_follow = False


def _back(cluster: FakeCluster) -> None:
    cluster.faults.unreachable = cluster.faults.gateway_down = False
    cluster.routes_follow = True
    cluster.follow_route()


_WORLD: Mapping[Mishap, Callable[[FakeCluster], None]] = MappingProxyType(
    {
        Mishap.LOSE: _lose,
        Mishap.CUT: _cut,
        Mishap.DARK: _dark,
        Mishap.LATE: _late,
        Mishap.BACK: _back,
    }
)


async def begin() -> EngineWorld:
    """Return a world in which a first revision serves everywhere; stories are told to copies."""
    world = EngineWorld()
    await world.prepare(application(*STEPS))
    first = await world.deploy({"colour": "blue"})
    if first.state.outcome is not Outcome.SUCCEEDED:
        raise Broken(8, f"the first deployment ended otherwise: {first.state.reason}")
    return world


async def tell(told: Story, begun: EngineWorld) -> float:
    """
    Tell the story; return how many seconds passed in it.  Raises Broken with the story.

    `begun` stays as it is.
    """
    world = copy.deepcopy(begun)
    began = world.clock.now()
    world.start_hub()
    rollout = await world.deployments.deploy(APP, {"colour": "red" if told.bad else "yellow"})
    if told.bad:
        world.error_rates[rollout.canary.id] = 0.5
    telling = _Telling(told, world, await Promises.of(world))
    await telling.take_over()
    waiting = list(told.moments)
    try:
        for turn in range(_TROUBLED_TURNS):
            while waiting and waiting[0].turn == turn:
                await telling.happen(waiting.pop(0))
            await telling.turn()
        await telling.calm()
    except Broken as broken:
        after = world.clock.now() - began
        raise Broken(broken.number, f"{broken.what}\nafter {after:g} s of {told}") from None
    return world.clock.now() - began
