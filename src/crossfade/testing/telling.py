"""A world in which a story is being told, with everybody who looks on."""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

from crossfade.base.errors import CrossfadeError
from crossfade.base.ids import ClusterName
from crossfade.core.rollout.commands import Command
from crossfade.testing.broken import Broken
from crossfade.testing.engine_hub import EngineHub, KillingDocuments, Life
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_cluster import HubKilled
from crossfade.testing.mishaps import (
    BY_PERSON,
    REQUESTS_PER_SECOND,
    Mishap,
    back,
    befall,
    heal_edges,
)
from crossfade.testing.promises import Promises
from crossfade.testing.snapshots import copied
from crossfade.testing.virtual_loop import virtual_loop

TURN_SECONDS = 1.0
_LEASE_SECONDS = 15.0


@dataclass(slots=True)
class Telling:
    """One story: its world, its hubs, and what was promised."""

    world: EngineWorld
    promises: Promises
    draw: random.Random
    aheads: tuple[float, ...] = (0.0,)
    """By how many seconds the clocks of one hub after the other are ahead."""
    replaced: list[EngineHub] = field(default_factory=list)
    """Hubs that were replaced and have not noticed."""
    hubs: int = 0
    """How many there have been."""
    mishaps: int = 0
    _acts: list[list[str]] = field(init=False)
    """What is done to each cluster."""
    _looked_at: tuple[float, ...] = ()
    _broken: Broken | None = None

    def __post_init__(self) -> None:
        """Know where to look."""
        self._acts = [each.acts for each in self.world.clusters.values()]

    def branch(self, seed: str) -> "Telling":
        """Return the same moment of the same story, of which something else may become."""
        world, promises, replaced = copied((self.world, self.promises, self.replaced))
        draw = random.Random(seed)  # noqa: S311 - a story, no secret
        return Telling(world, promises, draw, self.aheads, replaced, self.hubs, self.mishaps)

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Do it, in an order that is drawn, looking on after each step.  Raises Broken."""
        loop = virtual_loop(lambda many: int(self.draw.random() * many))
        loop.after_step = self._look_on
        try:
            loop.run_until_complete(work)
        finally:
            loop.close()
        self._look_on()
        if self._broken is not None:
            raise self._broken

    def _look_on(self) -> None:
        """Look at every promise if anything has happened."""
        world = self.world
        count = world.store.commits + len(world.edges.plans) + world.told_times + self.mishaps
        for acts in self._acts:
            count += len(acts)
        marks = (count, world.clock.now())
        if marks == self._looked_at or self._broken is not None:
            return
        self._looked_at = marks
        try:
            if world.store.late_epochs:
                ended = world.store.late_epochs[0]
                raise Broken(9, f"a hub of the ended lease {ended} has written")
            self.promises.check(world)
        except Broken as broken:
            self._broken = broken

    async def take_over(self) -> None:
        """Start a hub with a lease of its own."""
        world, ahead = self.world, self.aheads[self.hubs % len(self.aheads)]
        self.hubs += 1
        current = await world.store.current("hub")
        if current is not None:
            await world.store.release("hub", current.holder)
        now = world.clock.now()
        lease = await world.store.acquire("hub", f"hub-{self.hubs}", now, _LEASE_SECONDS)
        documents = KillingDocuments(world.store, life=Life(yields=True))
        world.hub = EngineHub(world, documents, epoch=lease.epoch, ahead=ahead)

    async def happen(self, mishap: Mishap, which: ClusterName, many: int) -> None:
        """
        Let it happen.

        `many` says which edge or application it is, or after how many operations a hub dies.
        """
        self.mishaps += 1
        world = self.world
        match mishap:
            case Mishap.KILL:
                world.hub.life.left = many
            case Mishap.REPLACE:
                self.replaced = [world.hub]
                await self.take_over()
            case _ if mishap in BY_PERSON:
                await self.ask(mishap, which, many)
            case _:
                edge = world.edge_names[many % len(world.edge_names)]
                befall(world, mishap, which, edge, self._rolling(many).canary)

    def _rolling(self, many: int) -> Promises:
        """Return one of the applications that get a new revision."""
        every = [each for each in self.promises.every if each.rolls]
        return every[many % len(every)]

    async def ask(self, wish: Mishap, which: ClusterName, many: int = 0) -> None:
        """Let a person ask for it; it may be refused.  `many` says for which application."""
        commands = self.world.commands
        with suppress(CrossfadeError):
            match wish:
                case Mishap.DRAIN:
                    await commands.drain_cluster(which)
                case Mishap.RESTORE:
                    await commands.restore_cluster(which)
                case _:
                    command = Command[wish.name]
                    promises = self._rolling(many)
                    await commands.change(promises.application, command)
                    promises.asked_by_person(command)

    async def turn(self) -> None:
        """Let time pass, and every loop of every hub look once; some times side by side."""
        world = self.world
        world.pass_time(TURN_SECONDS)
        for hub in (*self.replaced, world.hub):
            await self._turn_of(hub, side_by_side=self.draw.random() < 0.5)
        await self.bury()
        world.tell_edges(*world.edge_names)

    async def _turn_of(self, hub: EngineHub, *, side_by_side: bool) -> None:
        try:
            await hub.refresh()
            looks = [(name, key) for name in hub.loops for key in await hub.keys(name)]
        except HubKilled:
            return
        if not side_by_side:
            for name, key in looks:
                await hub.look(name, key)
            return
        async with asyncio.TaskGroup() as group:
            for name, key in looks:
                group.create_task(hub.look(name, key))

    async def bury(self) -> None:
        """Let hubs that were killed be replaced."""
        self.replaced = [each for each in self.replaced if not each.life.dead]
        if self.world.hub.life.dead:
            await self.take_over()

    async def calm(self) -> None:
        """Let all be well again."""
        self.mishaps += 1
        world = self.world
        self.replaced = []
        world.hub.life.left = None
        world.requests_per_second = REQUESTS_PER_SECOND
        heal_edges(world)
        for cluster in world.clusters.values():
            back(cluster)
            for each in self.promises.every:
                cluster.start_pods(each.canary)
        for name in world.clusters:
            await self.ask(Mishap.RESTORE, name)
        await self.resume()

    async def resume(self) -> None:
        """Let a person resume every rollout."""
        first = next(iter(self.world.clusters))
        for number in range(len(self.promises.every)):
            await self.ask(Mishap.RESUME, first, number)
