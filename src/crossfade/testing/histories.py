"""
Stories of one rollout in which anything goes wrong, told to the real engine on a clock that is set.

One seed is one story: clouds are lost and cut off, pods, gateways and counters fall behind, edges
lose sight, the hub is killed between any two of its operations, or is replaced while it goes on.
`tell` has every promise looked at after each event, and asks in the end whether all is as wanted.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from crossfade.base.ids import ApplicationName
from crossfade.core.application import Application, Placement
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.core.rollout.state import Outcome, Rollout
from crossfade.engine.records import ROLLOUT, rollout_name
from crossfade.testing.broken import Broken
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.mishaps import REQUESTS_PER_SECOND, USUAL, Mishap
from crossfade.testing.promises import Promises
from crossfade.testing.snapshots import copied
from crossfade.testing.telling import Telling
from crossfade.testing.virtual_loop import simulated

_TROUBLED_TURNS = 60
_CALM_TURNS = 400
_SETTLE_TURNS = 14
"""After the end of the rollout: time for what is not wanted any more to be drained and removed."""
_MOST_OPERATIONS = 40
STEPS = (SetWeight(10), Pause(2.0), SetWeight(50), Pause(2.0))
_ROOM = ((), (320, 320, 320), (150, 150, 150), (120, 120, 120), (300, 150, 60), (60, 120, 240))
"""What each of three clusters carries of 300: nobody knows, all of it, half, less, and unalike."""
_DEPLOYS = 0.6
"""How often another application gets a new revision too."""
_AHEAD = (0.0, 0.0, 1.0, -1.0)


@dataclass(frozen=True, slots=True)
class Beside:
    """An application that shares clusters, edges, hub and store with the first one."""

    name: ApplicationName
    priority: int
    """That of the first one is 0."""
    requests_per_second: int
    """Of all its users."""


SHOP = Beside(ApplicationName("shop"), -1, 120)
BANK = Beside(ApplicationName("bank"), 1, 90)
_BESIDE = (*[()] * 9, (SHOP,), (BANK,), (BANK, SHOP))
"""One tale of four is of several applications."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One mishap."""

    turn: int
    mishap: Mishap
    which: int
    """Index of the cluster."""
    many: int
    """Which edge or application it is, or how many operations of the hub come before."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that happens; the same for the same seed."""

    seed: int
    bad: bool
    """Half of the new revision's answers are errors."""
    moments: tuple[Moment, ...]
    edges: int = 1
    capacities: tuple[int, ...] = ()
    """What each cluster carries; (): nobody knows."""
    aheads: tuple[float, ...] = (0.0,)
    """By how many seconds the clocks of one hub after the other are ahead."""
    beside: tuple[Beside, ...] = ()
    """Other applications."""
    deploying: tuple[ApplicationName, ...] = ()
    """Those of them that get a new revision too, a good one; the others only serve."""

    def __str__(self) -> str:
        told = (f"turn {m.turn}: {CLUSTERS[m.which]} {m.mishap} ({m.many})" for m in self.moments)
        kind = "bad" if self.bad else "good"
        room = f"{self.capacities} requests per second" if self.capacities else "any number"
        first = (
            f"seed {self.seed}: a {kind} revision is deployed; {self.edges} edges, "
            f"clusters carry {room}, clocks of hubs are ahead by {self.aheads}"
        )
        for each in self.beside:
            does = "is deployed too" if each.name in self.deploying else "serves"
            first += f"; beside it {each.name} of priority {each.priority} {does}"
            first += f", {each.requests_per_second} requests per second"
        return "\n  ".join((first, *told))


def story(seed: int) -> Story:
    """Return the story of a seed."""
    draw = random.Random(seed)  # noqa: S311 - a story, no secret
    moments = sorted(
        (draw.randrange(_TROUBLED_TURNS), draw.choice(USUAL), draw.randrange(len(CLUSTERS)))
        for _ in range(draw.randint(1, 16))
    )
    bad, many = draw.random() < 0.3, [draw.randint(0, _MOST_OPERATIONS) for _ in moments]
    edges, capacities = draw.choice((1, 2, 3)), draw.choice(_ROOM)
    aheads = tuple(draw.choice(_AHEAD) for _ in range(4))
    beside = draw.choice(_BESIDE)
    return Story(
        seed,
        bad,
        tuple(Moment(*each, number) for each, number in zip(moments, many, strict=True)),
        edges,
        capacities,
        aheads,
        beside,
        tuple(each.name for each in beside if draw.random() < _DEPLOYS),
    )


@cache
def begin(
    edges: int = 1, capacities: tuple[int, ...] = (), beside: tuple[Beside, ...] = ()
) -> EngineWorld:
    """Return a world in which first revisions serve everywhere; stories are told to copies."""
    return simulated(_begin(edges, capacities, beside))


async def _begin(
    edges: int, capacities: tuple[int, ...], beside: tuple[Beside, ...]
) -> EngineWorld:
    world = EngineWorld(
        store=FakeStore(copying=False),
        requests_per_second=REQUESTS_PER_SECOND,
        edge_names=tuple(f"edge-{number}" for number in range(1, edges + 1)),
        users_follow=True,
        capacities=dict(zip(CLUSTERS, capacities, strict=False)),
        beside={each.name: each.requests_per_second for each in beside},
    )
    spec = application(*STEPS)
    await world.prepare(spec)
    for each in beside:
        await world.commands.apply(_spec(spec, each))
    for name in world.applications:
        first = await world.deploy({"colour": "blue"}, application_name=name)
        if first.state.outcome is not Outcome.SUCCEEDED:
            raise Broken(8, f"the first deployment ended otherwise: {first.state.reason}")
    for _ in range(_SETTLE_TURNS):
        await world.turn(1.0)
    return world


def _spec(first: Application, beside: Beside) -> Application:
    """Return another application like the first one."""
    name = beside.name
    route = replace(first.route, host=f"{name}.localhost", service=name) if first.route else None
    return replace(first, name=name, route=route, placement=Placement(priority=beside.priority))


def tell(told: Story) -> float:
    """Tell the story; return how many seconds passed in it.  Raises Broken with the story."""
    began = begin(told.edges, told.capacities, told.beside).clock.now()
    ended = began
    for telling in moments(told):
        ended = telling.world.clock.now()
    return ended - began


def moments(told: Story) -> Iterator[Telling]:
    """Tell the story, and yield after each turn.  Raises Broken with the story."""
    telling = opening(told)
    began = telling.world.clock.now()
    waiting = list(told.moments)
    try:
        for turn in range(_TROUBLED_TURNS):
            while waiting and waiting[0].turn == turn:
                each = waiting.pop(0)
                telling.run(telling.happen(each.mishap, CLUSTERS[each.which], each.many))
            telling.run(telling.turn())
            yield telling
        yield from ending(telling)
    except Broken as broken:
        after = telling.world.clock.now() - began
        raise Broken(broken.number, f"{broken.what}\nafter {after:g} s of {told}") from None


def opening(told: Story) -> Telling:
    """Return the story before anything has gone wrong."""
    world = copied(begin(told.edges, told.capacities, told.beside))
    simulated(_deploy(world, told))
    promises = simulated(Promises.of(world, max(told.aheads) - min(told.aheads)))
    draw = random.Random(told.seed)  # noqa: S311 - a story, no secret
    telling = Telling(world, promises, draw, told.aheads)
    telling.run(telling.take_over())
    return telling


async def _deploy(world: EngineWorld, told: Story) -> None:
    rollout = await world.deployments.deploy(APP, {"colour": "red" if told.bad else "yellow"})
    if told.bad:
        world.error_rates[rollout.canary.id] = 0.5
    for name in told.deploying:
        await world.deployments.deploy(name, {"colour": "green"})


def ending(telling: Telling) -> Iterator[Telling]:
    """Let all be well, and yield after each turn until all is as wanted.  Raises Broken."""
    telling.run(telling.calm())
    settled = 0
    for turn in range(_CALM_TURNS):
        # Of whom others leave no room for, too few are left to be judged.
        fed = {each.application for each in telling.promises.every if not each.starves}
        if turn % 10 == 0:
            telling.run(telling.resume())
        telling.run(telling.turn())
        yield telling
        settled += not any(each.active for each in _rollouts(telling) if each.application in fed)
        if settled > _SETTLE_TURNS and _unlike_wanted(telling) == "":
            return
    reasons = (f"{each.application}: {each.state.reason}" for each in _rollouts(telling))
    raise Broken(8, f"it does not end as wanted: {_unlike_wanted(telling) or '; '.join(reasons)}")


def _unlike_wanted(telling: Telling) -> str:
    """Return what is not as wanted in the end, "" when all is."""
    every = (each for each in telling.promises.every if not each.starves)
    found = (each.unlike_wanted(telling.world) for each in every)
    return next((each for each in found if each), "")


def _rollouts(telling: Telling) -> list[Rollout]:
    """Return the rollouts under way, or those that have ended."""
    onlooker, store, found = telling.promises.onlooker, telling.world.store, []
    for each in telling.promises.every:
        number = 2 if each.rolls else 1  # the first revision came first
        name = rollout_name(each.application, number)
        rollout = onlooker.see(store, ROLLOUT, name, Rollout)
        if rollout is None:
            raise Broken(8, f"the rollout {name} is forgotten")
        found.append(rollout)
    return found
