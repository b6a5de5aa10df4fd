"""
What may come of one moment of a story: operations of hubs, losses and time in any order.

An *interleaving* goes on from a moment of a story in a copy of its world.  Loops of up to two
hubs look, many at once, and whose operation is next is drawn each time; in between time passes,
edges hear of plans, something goes wrong, or a hub is killed between any two operations.  It ends
after some twenty such events; some are then followed until all is well and as wanted.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from crossfade.testing.broken import Broken
from crossfade.testing.engine_hub import EngineHub
from crossfade.testing.fake_cluster import HubKilled
from crossfade.testing.histories import ending
from crossfade.testing.mishaps import USUAL, Mishap
from crossfade.testing.telling import Telling

EVENTS = 18
FOLLOWED = 0.002
"""The part of interleavings that are followed to the end."""
_SECONDS = (0.0, 0.05, 0.2, 0.5, 1.0, 1.0, 2.0, 5.0)
_BUSY = ("rollouts", "convergence", "convergence", "failover", "traffic", "traffic", "fleet")
"""Loops that change something more often than others."""
_MOST_OPERATIONS = 12


@dataclass(slots=True)
class _Interleaving:
    telling: Telling
    log: list[str] = field(default_factory=list)
    """What has happened, for people."""
    busy: set[tuple[int, str, str]] = field(default_factory=set)
    """Who looks at what just now: a loop has one worker a key."""
    known: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """Which keys each hub's loops have."""

    async def tell(self) -> None:
        """Let the events happen, and wait until nobody looks any more."""
        async with asyncio.TaskGroup() as group:
            await self.mishap()
            for _ in range(EVENTS):
                await self.event(group)
                await self.telling.bury()
        await self.telling.bury()

    async def event(self, group: asyncio.TaskGroup) -> None:
        """Let one thing happen."""
        dice = self.telling.draw.random()
        if dice < 0.72:
            await self.look(group)
        elif dice < 0.86:
            self.time()
        elif dice < 0.93:
            self.edges()
        else:
            await self.mishap()

    async def look(self, group: asyncio.TaskGroup) -> None:
        """Let a loop of some hub begin to look at one of its keys."""
        telling, draw = self.telling, self.telling.draw
        hub = draw.choice((telling.world.hub, telling.world.hub, *telling.replaced))
        if draw.random() < 0.1:
            with suppress(HubKilled):
                await hub.refresh()
        looks = await self.looks(hub)
        if draw.random() < 0.7:
            wanted = draw.choice(_BUSY)
            looks = [each for each in looks if each[0] == wanted] or looks
        free = [each for each in looks if (id(hub), *each) not in self.busy]
        if not free or hub.life.dead:
            return
        name, key = draw.choice(free)
        self.busy.add((id(hub), name, key))
        self.log.append(f"hub {hub.epoch} looks at {name} {key}")
        group.create_task(self.looking(hub, name, key))
        await asyncio.sleep(0)

    async def looks(self, hub: EngineHub) -> list[tuple[str, str]]:
        """Return what the hub's loops can look at."""
        if id(hub) not in self.known:
            try:
                found = [(name, key) for name in hub.loops for key in await hub.keys(name)]
            except HubKilled:
                return []
            self.known[id(hub)] = found
        return self.known[id(hub)]

    async def looking(self, hub: EngineHub, name: str, key: str) -> None:
        """Look once."""
        await hub.look(name, key)
        self.busy.discard((id(hub), name, key))
        if hub.life.dead:
            self.log.append(f"hub {hub.epoch} is dead")

    def time(self) -> None:
        """Let time pass."""
        seconds = self.telling.draw.choice(_SECONDS)
        self.log.append(f"{seconds:g} s pass")
        self.telling.world.pass_time(seconds)

    def edges(self) -> None:
        """Let one edge hear of the newest plan."""
        edge = self.telling.draw.choice(self.telling.world.edge_names)
        self.log.append(f"{edge} hears of the newest plan")
        self.telling.world.tell_edges(edge)

    async def mishap(self) -> None:
        """Let something go wrong, or become well."""
        telling, draw = self.telling, self.telling.draw
        mishap = draw.choice((*USUAL, Mishap.KILL, Mishap.KILL, Mishap.REPLACE))
        which = draw.choice(tuple(telling.world.clusters))
        many = draw.randrange(_MOST_OPERATIONS)
        self.log.append(f"{which} {mishap} ({many})")
        await telling.happen(mishap, which, many)


def interleave(moment: Telling, seed: str) -> None:
    """Tell the interleaving of this seed from the moment on.  Raises Broken with what happened."""
    telling = moment.branch(seed)
    telling.promises.fleet.paced = False
    one = _Interleaving(telling)
    try:
        telling.run(one.tell())
        if telling.draw.random() < FOLLOWED:
            one.log.append("all is well")
            telling.promises.fleet.paced = True
            for _ in ending(telling):
                pass
    except Broken as broken:
        told = "\n  ".join(one.log)
        raise Broken(broken.number, f"{broken.what}\nseed {seed}:\n  {told}") from None
