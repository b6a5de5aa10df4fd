"""Builds of which anything is killed at any moment, beside the same build that nobody disturbs."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from crossfade.adapters.pipelines.judging import judge
from crossfade.base.errors import Conflict, NotFound
from crossfade.core.pipeline.graph import Graph, graph_of
from crossfade.core.pipeline.state import Answer, State
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.execution import Execution
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.ports.runner import RunId
from crossfade.testing.fake_runner import FakeMachine, FakeRunner
from crossfade.testing.fake_shell import Shell
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.mortal import Died, Life, mortal
from crossfade.testing.virtual_time import LoopClock, simulated

PIPELINE = """version: '1.0'
services: {composition: {services: {db: {image: alpine}}}}
steps:
  prepare: {image: alpine, commands: [effect prepare, echo ready, cf_export COLOUR=green]}
  unsure:
    image: alpine
    fail_fast: false
    commands: [sleep 1, 'effect unsure-$CF_CURRENT_ATTEMPT', exit 1]
    retry: {maxAttempts: 3, delay: 2}
  both:
    type: parallel
    steps:
      left: {image: alpine, commands: [effect left, sleep 1, echo half, effect left-end]}
      right: {image: alpine, commands: [sleep 3, effect right, cf_export SIDE=right]}
  ask: {type: pending-approval}
  wrong: {image: alpine, fail_fast: false, commands: [effect wrong, exit 4]}
  slow: {image: alpine, fail_fast: false, timeout: 5s, commands: [effect slow, sleep 600]}
  never:
    image: alpine
    commands: [effect never]
    when: {condition: {all: {no: "'${{COLOUR}}' == 'red'"}}}
  last:
    image: alpine
    commands: [test $COLOUR = green, test $SIDE = right, effect last]
    hooks:
      on_success: {exec: {image: alpine, commands: [effect hook]}}
"""
_LONGEST_SECONDS = 40.0
"""Something of every build is still under way until then."""
_ASK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Mishap:
    """What happens to the machine that runs steps."""

    at: float
    """Seconds since the build began."""
    keeper: bool
    """Whether who keeps a step is killed; otherwise the step alone."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that goes wrong with one build."""

    deaths: tuple[int, ...] = ()
    """After so many operations dies the process that runs the build, one after the other."""
    mishaps: tuple[Mishap, ...] = ()

    @property
    def kills(self) -> int:
        """How many processes are killed."""
        return len(self.deaths) + len(self.mishaps)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of a build that people may rely on."""

    verdict: str
    steps: dict[str, tuple[str, int]]
    """Result and attempts of each step."""
    exports: tuple[tuple[str, str], ...]
    effects: dict[str, int]
    """How often each thing was done outside of the build."""
    told: dict[str, int]
    """How often each line of history was written."""
    logs: dict[str, str]

    def without_repeats(self) -> "Outcome":
        """Return what must stay though steps were run again: those write lines and logs of it."""
        return replace(self, told={}, logs={})


@dataclass(slots=True)
class _World:
    """What there is beside the process that runs the build; nothing of it dies with that."""

    build: Build
    graph: Graph
    store: FakeStore
    machine: FakeMachine
    logs: "MemoryLogs"
    effects: Counter[str] = field(default_factory=Counter)


class MemoryLogs:
    """The StepLogs port in memory."""

    def __init__(self) -> None:
        self.texts: dict[RunId, str] = {}

    def begin(self, run: RunId) -> None:
        """Begin with an empty log; see the port."""
        self.texts[run] = ""

    def append(self, run: RunId, text: str) -> None:
        """Add text at the end; see the port."""
        self.texts[run] = self.texts.get(run, "") + text

    def read(self, run: RunId, offset: int = 0) -> tuple[str, int]:
        """Return the text from this offset on; see the port."""
        text = self.texts.get(run, "")[offset:]
        return text, offset + len(text)


class _Silent:
    def told(self, key: str, text: str) -> None:
        """Take no note."""

    def printed(self, key: str, text: str) -> None:
        """Take no note."""


def outcome(story: Story) -> tuple[Outcome, int]:
    """Return how the build ends, and how many operations the last of its processes did."""
    return simulated(_outcome(story))


async def _outcome(story: Story) -> tuple[Outcome, int]:
    world = await _world(cautious=bool(story.mishaps))
    async with asyncio.TaskGroup() as group:
        others = (_person(world), _trouble(world.machine, story.mishaps))
        beside = [group.create_task(each) for each in others]
        lives = [Life(left) for left in (*story.deaths, None)]
        for life in lives:
            try:
                await _execution(world, life).run()
            except* Died:
                pass  # the next process goes on
        for task in beside:
            task.cancel()
    return await _seen(world), lives[-1].used


async def _world(*, cautious: bool) -> _World:
    """Return a world with one build; steps that are `cautious` ask whether it was done before."""
    effects: Counter[str] = Counter()

    def effect(_: Shell, words: list[str]) -> int:
        if not (cautious and words[0] in effects):
            effects[words[0]] += 1
        return 0

    store = FakeStore()
    graph = graph_of(judge(PIPELINE, {}).pipelines[0])
    wanted = Build("0", "p", PIPELINE, 0.0)
    build = await BuildCommands(Builds(store), LoopClock()).create(wanted, graph, {})
    return _World(build, graph, store, FakeMachine({"effect": effect}), MemoryLogs(), effects)


def _execution(world: _World, life: Life) -> Execution:
    around = Surroundings(
        Builds(mortal(world.store, life)),
        mortal(FakeRunner(world.machine), life),
        mortal(world.logs, life),
        LoopClock(),
        lambda _: True,
    )
    return Execution(around, world.build, world.graph, _Silent())


async def _person(world: _World) -> None:
    """Approve once somebody is waited for."""
    commands = BuildCommands(Builds(world.store), LoopClock())
    while True:
        await asyncio.sleep(_ASK_SECONDS)
        try:
            await commands.answer(world.build.id, "ask", Answer(approved=True, by="ann"))
        except (Conflict, NotFound):
            continue  # not yet, or no longer
        return


async def _trouble(machine: FakeMachine, mishaps: tuple[Mishap, ...]) -> None:
    """Kill whatever runs when a mishap is due."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for each in mishaps:
        await asyncio.sleep(max(0.0, began + each.at - loop.time()))
        machine.advance(loop.time())
        for run in machine.alive():
            (machine.lose if each.keeper else machine.kill)(run)


async def _seen(world: _World) -> Outcome:
    state: State = (await Builds(world.store).state(world.build.id)).value
    events = await world.store.events(f"build/{world.build.id}")
    return Outcome(
        state.result.value,
        {key: (unit.result.value, unit.attempt) for key, unit in state.units.items()},
        tuple((each.variable.name, each.variable.value) for each in state.exports),
        dict(world.effects),
        dict(Counter(line for event in events for line in event.facts.get("steps", ()))),
        {str(run): text for run, text in world.logs.texts.items()},
    )


def story(seed: int, operations: int) -> Story:
    """Return a story: up to four processes die, and in every other one the machine suffers, too."""
    chance = Random(seed)  # noqa: S311 - a story, no secret
    deaths = tuple(chance.randrange(operations) for _ in range(chance.randint(1, 4)))
    times = sorted(chance.uniform(0, _LONGEST_SECONDS) for _ in range(chance.randint(1, 3)))
    mishaps = tuple(Mishap(each, chance.random() < 0.5) for each in times)
    return Story(deaths, mishaps if seed % 2 else ())


def difference(told: Story, undisturbed: Outcome) -> str:
    """Return how the build of a story ends otherwise than an undisturbed one, "" if it does not."""
    found, _ = outcome(told)
    wanted = undisturbed
    if told.mishaps:
        found, wanted = found.without_repeats(), wanted.without_repeats()
    if found == wanted:
        return ""
    return f"{told}\nended as  {found}\ninstead of {wanted}"
