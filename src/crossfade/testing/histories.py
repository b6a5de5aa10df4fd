"""
Stories of one rollout in which anything goes wrong, told to the real engine on a clock that is set.

One seed is one story: clouds are lost and cut off, pods, gateways and counters fall behind, edges
lose sight, the hub is killed between any two of its operations, or is replaced while it goes on.
`tell` has every promise looked at after each event, and asks in the end whether all is as wanted.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

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
_AHEAD = (0.0, 0.0, 1.0, -1.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """One mishap."""

    turn: int
    mishap: Mishap
    which: int
    """Index of the cluster."""
    many: int
    """Which edge it is, or how many operations of the hub come before."""


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

    def __str__(self) -> str:
        told = (f"turn {m.turn}: {CLUSTERS[m.which]} {m.mishap} ({m.many})" for m in self.moments)
        kind = "bad" if self.bad else "good"
        room = f"{self.capacities} requests per second" if self.capacities else "any number"
        first = (
            f"seed {self.seed}: a {kind} revision is deployed; {self.edges} edges, "
            f"clusters carry {room}, clocks of hubs are ahead by {self.aheads}"
        )
        return "\n  ".join((first, *told))


def story(seed: int) -> Story:
    """Return the story of a seed."""
    draw = random.Random(seed)  # noqa: S311 - a story, no secret
    moments = sorted(
        (draw.randrange(_TROUBLED_TURNS), draw.choice(USUAL), draw.randrange(len(CLUSTERS)))
        for _ in range(draw.randint(1, 16))
    )
    return Story(
        seed,
        draw.random() < 0.3,
        tuple(Moment(*each, draw.randint(0, _MOST_OPERATIONS)) for each in moments),
        draw.choice((1, 2, 3)),
        draw.choice(_ROOM),
        tuple(draw.choice(_AHEAD) for _ in range(4)),
    )


@cache
def begin(edges: int = 1, capacities: tuple[int, ...] = ()) -> EngineWorld:
    """Return a world in which a first revision serves everywhere; stories are told to copies."""
    return simulated(_begin(edges, capacities))


async def _begin(edges: int, capacities: tuple[int, ...]) -> EngineWorld:
    world = EngineWorld(
        store=FakeStore(copying=False),
        requests_per_second=REQUESTS_PER_SECOND,
        edge_names=tuple(f"edge-{number}" for number in range(1, edges + 1)),
        users_follow=True,
        capacities=dict(zip(CLUSTERS, capacities, strict=False)),
    )
    await world.prepare(application(*STEPS))
    first = await world.deploy({"colour": "blue"})
    if first.state.outcome is not Outcome.SUCCEEDED:
        raise Broken(8, f"the first deployment ended otherwise: {first.state.reason}")
    for _ in range(_SETTLE_TURNS):
        await world.turn(1.0)
    return world


def tell(told: Story) -> float:
    """Tell the story; return how many seconds passed in it.  Raises Broken with the story."""
    began = begin(told.edges, told.capacities).clock.now()
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
    world = copied(begin(told.edges, told.capacities))
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


def ending(telling: Telling) -> Iterator[Telling]:
    """Let all be well, and yield after each turn until all is as wanted.  Raises Broken."""
    telling.run(telling.calm())
    settled = 0
    for turn in range(_CALM_TURNS):
        if turn % 10 == 0:
            telling.run(telling.ask(Mishap.RESUME, CLUSTERS[0]))
        telling.run(telling.turn())
        yield telling
        settled += not _rollout(telling).active
        if settled > _SETTLE_TURNS and telling.promises.unlike_wanted(telling.world) == "":
            return
    unlike = telling.promises.unlike_wanted(telling.world)
    reason = _rollout(telling).state.reason
    raise Broken(8, f"it does not end as wanted: {unlike or reason}")


def _rollout(telling: Telling) -> Rollout:
    onlooker, store = telling.promises.onlooker, telling.world.store
    number = 2  # the first revision came first
    found = onlooker.see(store, ROLLOUT, rollout_name(APP, number), Rollout)
    if found is None:
        raise Broken(8, "the rollout is forgotten")
    return found
