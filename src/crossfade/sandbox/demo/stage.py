"""Where the demo plays: the sandbox, the hub, the users, and the notes of what was seen."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

from crossfade.base.clock import Clock
from crossfade.base.errors import Unavailable
from crossfade.base.ids import ApplicationName
from crossfade.core.application import Application
from crossfade.core.rollout.state import Rollout
from crossfade.engine.commands import Commands
from crossfade.engine.deployments import Deployments
from crossfade.engine.queries import Queries
from crossfade.sandbox import control
from crossfade.sandbox.demo.record import Act, Claim, Moment, Record
from crossfade.sandbox.load import Load, Target
from crossfade.sandbox.load_figures import Shares
from crossfade.sandbox.state import Layout

T = TypeVar("T")

LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Hands:
    """What the demo does, it does as people do: through the commands."""

    commands: Commands
    deployments: Deployments
    queries: Queries
    clock: Clock
    hub: Callable[[], Coroutine[None, None, str | None]]
    """Who runs the loops, None while nobody does."""


@dataclass(slots=True)
class Stage:
    """One performance."""

    hands: Hands
    layout: Layout
    application: Application
    target: Target
    """Where users come in."""
    load: Load
    record: Record
    tell: Callable[[Act, Moment | Claim], None]
    """Learns of everything that is seen, for people who watch."""
    _began: float = field(default_factory=time.monotonic)
    _told: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> ApplicationName:
        """The application of the demo."""
        return self.application.name

    def now(self) -> float:
        """Return the seconds since the start of the demo."""
        return time.monotonic() - self._began

    def begin(self, title: str) -> Act:
        """Begin the next act."""
        act = Act(len(self.record.acts) + 1, title, self.now())
        self.record.acts.append(act)
        self.note(title)
        return act

    def note(self, what: str) -> float:
        """Write down that something happened, and return when."""
        moment = Moment(self.now(), what)
        act = self.record.acts[-1]
        act.moments.append(moment)
        self.tell(act, moment)
        return moment.at

    def claim(self, text: str, held: bool, measured: str) -> None:
        """Write down whether a promise held."""
        act = self.record.acts[-1]
        self.tell(act, act.claim(text, held, measured))

    def shares(self, since: float, until: float | None = None) -> Shares:
        """Return who answered between two times of the demo, until now when None."""
        began = self.record.load_began
        return self.load.figures.shares(since - began, (until or self.now()) - began)

    def failures(self, *, but_of: str = "") -> int:
        """Return how many requests failed in all, leaving out errors of that version's own."""
        own = sum(1 for each in self.load.figures.failures if each.version == but_of)
        return self.load.figures.failed - (own if but_of else 0)

    async def until(
        self, look: Callable[[], Coroutine[None, None, T | None]], seconds: float, what: str
    ) -> T:
        """
        Return the first true answer of `look`, asked again and again.

        Raises Unavailable when that takes too long.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = await look()
            if answer:
                return answer
            await asyncio.sleep(LOOK_SECONDS)
        raise Unavailable(f"waited {seconds:g} s for {what}", hint="see the hub's log")

    async def rollout(self) -> Rollout:
        """Return the newest rollout; what is new of it is noted."""
        rollout = (await self.hands.queries.rollout(self.name)).rollout
        history = await self.hands.commands.records.events(
            f"rollout/{self.name}.{rollout.number:06d}", self._told.get("rollout", 0)
        )
        for event in history:
            self._told["rollout"] = event.number
            if event.facts.get("from_percent") != event.facts.get("percent") or (
                event.facts.get("from_phase") != event.facts.get("phase")
            ):
                self.note(f"rollout {rollout.number}: {event.reason}")
        return rollout

    async def until_level(self, percent: int, seconds: float = 40.0) -> float:
        """Wait until every cluster has confirmed the share, and return the time."""

        async def look() -> bool:
            return (await self.rollout()).state.level(percent)

        await self.until(look, seconds, f"{percent} % on every cluster")
        return self.now()

    async def until_ended(self, seconds: float = 150.0) -> Rollout:
        """Wait until the rollout has ended, and return it."""

        async def look() -> Rollout | None:
            rollout = await self.rollout()
            return None if rollout.active else rollout

        return await self.until(look, seconds, "the end of the rollout")

    async def break_cloud(self, verb: str, cloud: str) -> None:
        """Kill, hang, ... or restore a cloud."""
        await asyncio.to_thread(control.act, self.layout.directory, verb, cloud)
