"""
One build, from wherever it stands to its end.

Each turn looks at the runs, decides, saves, and then acts.  Whoever dies in between leaves a saved
state and runs that go on by themselves; the next one acts on that state first, which changes
nothing that is as it should be.  What does not answer is asked again, and fails no step.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from crossfade.base.errors import Unavailable, ungrouped
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.keeping import wanted
from crossfade.core.pipeline.run import Run, decide, runs
from crossfade.core.pipeline.state import BUILD, Decision, Phase, RunSight, Seen, State, Status
from crossfade.core.pipeline.work import Work
from crossfade.engine.pipelines.ordering import Ordering
from crossfade.engine.pipelines.patience import Patience
from crossfade.engine.pipelines.records import DECIDED, Build, run_id
from crossfade.engine.pipelines.step_log import follow
from crossfade.engine.pipelines.surroundings import Surroundings
from crossfade.engine.records import Stored
from crossfade.ports.documents import Event
from crossfade.ports.runner import Order, RunId

POLL_SECONDS = 0.2
"""So often the wishes of people are looked at."""
GRACE_SECONDS = 5.0
"""A step that is to end may take so long to do it by itself."""


class Listener(Protocol):
    """Who watches the build."""

    def told(self, key: str, text: str) -> None:
        """Take note of what happened to a step; BUILD: of what the whole build waits for."""
        ...

    def printed(self, key: str, text: str) -> None:
        """Take note of what a step printed; secrets are masked."""
        ...


class Execution:
    """Runs one build; only one of these may do so at a time."""

    def __init__(
        self, around: Surroundings, build: Build, graph: Graph, listener: Listener
    ) -> None:
        around = around.of(build.runtime)
        self._around, self._build, self._graph = around, build, graph
        self._listener, self._ordering = listener, Ordering(around, build, graph)
        self._stored: Stored[State] = Stored(State())
        self._known = False
        self._unsure: Decision | None = None
        self._patience = Patience(self._tell_trouble)
        self._works: dict[RunId, Work] = {}
        self._following: set[RunId] = set()
        self._silent: set[RunId] = set()
        """Those of them that could not be followed when they were asked last."""
        self._stopping: set[RunId] = set()
        self._stopped: set[RunId] = set()
        self._changed = asyncio.Event()
        self._terminate = ""
        self._sequence = -1
        self._seen_wishes = Seen()

    def terminate(self, why: str) -> None:
        """Ask for the end of the build."""
        self._terminate = why
        self._changed.set()

    async def run(self) -> State:
        """
        Return the state in which the build has ended.

        Raises Denied when a store or a runner refuses us, Conflict when somebody else runs the
        build: then it stays as it is, and can be gone on with.
        """
        try:
            async with asyncio.TaskGroup() as group:
                while not self._known or not self._stored.value.ended:
                    self._changed.clear()
                    wake_at = await self._round(group)
                    if not self._known or not self._stored.value.ended:
                        await self._wait(wake_at)
        except BaseExceptionGroup as errors:
            raise ungrouped(errors) from None
        return self._stored.value

    async def _round(self, group: asyncio.TaskGroup) -> float | None:
        """Do what is to be done now; return when time alone may change something."""
        wake_at = None
        self._patience.begin()
        with self._patience:
            if not self._known:
                await self._recall()
                await self._act(group)  # what a process before this one has saved and not done
            if not self._stored.value.ended:
                wake_at = await self._turn()
                await self._act(group)
        self._patience.end()
        await self._save_what_it_waits_for()
        return wake_at

    async def _save_what_it_waits_for(self) -> None:
        """Save it for people who do not sit beside: they read how the build stands."""
        now, state = self._around.clock.now(), self._stored.value
        why = self._patience.waits_for
        if self._known and not state.ended and state.waits_for != why:
            reason = f"waits: {why}" if why else "goes on: everything answers again"
            want = replace(state, waits_for=why)
            with self._patience:
                await self._save(Decision(want, reason), now)

    async def _recall(self) -> None:
        """Read how the build stands: nobody knows whether a save without an answer was made."""
        self._stored = await self._around.builds.state(self._build.id)
        unsure, self._unsure, self._known = self._unsure, None, True
        if unsure is not None and unsure.want == self._stored.value:
            self._tell(unsure)

    async def _turn(self) -> float | None:
        """Look, decide and save; return when time alone may change something."""
        now = self._around.clock.now()
        seen = await self._look()
        decision = decide(self._graph, self._stored.value, seen, now)
        if decision.want != self._stored.value:
            await self._save(decision, now)
        self._tell(decision)
        return decision.wake_at

    async def _save(self, decision: Decision, now: float) -> None:
        told = [f"{key}: {text}" for key, text in decision.events]
        event = Event(f"build/{self._build.id}", now, decision.reason, {DECIDED: told})
        self._known, self._unsure = False, decision
        self._stored = await self._around.builds.save_state(
            self._build, self._stored, decision.want, event
        )
        self._known, self._unsure = True, None

    def _tell(self, decision: Decision) -> None:
        for key, text in decision.events:
            if key != BUILD:  # how the whole build stands is told by who has run it
                self._listener.told(key, text)

    def _tell_trouble(self, text: str) -> None:
        self._listener.told(BUILD, f"{text}; trying again")

    async def _look(self) -> Seen:
        found = {}
        for key, number in self._current():
            sight = await self._sight(run_id(self._build, key, number))
            if sight is not None:
                found[key] = sight
        await self._look_for_wishes()
        wishes = self._seen_wishes
        return replace(wishes, runs=found, terminate=self._terminate or wishes.terminate)

    def _current(self) -> list[tuple[str, int]]:
        """Return the newest runs of the steps under way, and of the services."""
        state = self._stored.value
        units = ((key, state.units[key]) for key in state.active)
        found = [(key, unit.run) for key, unit in units if unit.working and unit.run]
        if state.services:
            found.append((state.services, state.units[state.services].run))
        return found

    async def _sight(self, run: RunId) -> RunSight | None:
        """Return how a run stands; it has not ended before its whole log has been read."""
        running = RunSight(run.number, Status.RUNNING)
        serves = run.key == self._graph.services
        follows = run in self._following and run not in self._silent
        if run in self._stopping or (follows and not serves):
            return running
        sight: RunSight | None = running  # as long as nobody says
        with self._patience:
            sight = await self._around.runner.look(run)
            self._silent.discard(run)
        if run in self._following and (sight is None or sight.status is not Status.SERVING):
            return running
        work = self._works.get(run)
        if sight is None or work is None:
            return sight
        told = {each.name: each.value for each in sight.exports}
        members = dict(work.members)
        members |= {member: told[name] for name, member in work.tells.items() if name in told}
        exports = tuple(each for each in sight.exports if each.name not in work.tells)
        return replace(sight, members=members, exports=exports)

    async def _look_for_wishes(self) -> None:
        sequence = await self._around.builds.sequence()
        if sequence != self._sequence:
            self._sequence = sequence
            wishes = (await self._around.builds.wishes(self._build)).value
            self._seen_wishes = Seen(answers=wishes.answers, terminate=wishes.terminate)

    async def _wait(self, wake_at: float | None) -> None:
        """Wait until there is something to decide, or to ask again."""
        if self._patience.pause:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._patience.pause)
            return
        while not self._changed.is_set():
            left = POLL_SECONDS if wake_at is None else wake_at - self._around.clock.now()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left, POLL_SECONDS))
            before = self._seen_wishes
            try:
                await self._look_for_wishes()
            except Unavailable:
                return  # the next round says so, and waits
            if self._seen_wishes != before or self._awaits_services():
                return

    def _awaits_services(self) -> bool:
        """Return whether services are not ready yet: nobody tells when they are."""
        state = self._stored.value
        return bool(state.services) and state.units[state.services].phase is Phase.BEFORE

    async def _act(self, group: asyncio.TaskGroup) -> None:
        """Bring the runs to what the saved state wants."""
        for run in runs(self._graph, self._stored.value):
            identity = run_id(self._build, run.key, run.number)
            if identity not in self._works:
                with self._patience:  # the next round tries again, unless it is to end by then
                    await self._start(run, identity, group)
        units = self._stored.value.units
        for key, number in self._current():
            identity = run_id(self._build, key, number)
            # Once is enough: one that ended since we looked would be ended again and again.
            done = identity in self._stopping or identity in self._stopped
            if units[key].stop is not None and not done:
                self._stopping.add(identity)
                group.create_task(self._stop(identity))
        self._forget(group)

    async def _start(self, run: Run, identity: RunId, group: asyncio.TaskGroup) -> None:
        state = self._stored.value
        context, why_not = await self._ordering.context(run, identity, state)
        work = self._ordering.work(run.step, context, why_not)
        order = await self._ordering.order(run, identity, state, context, work)
        await self._restore(order)
        await self._around.runner.start(order)
        self._works[identity] = work
        self._following.add(identity)
        group.create_task(self._follow(order))

    def _forget(self, group: asyncio.TaskGroup) -> None:
        """Let the runner drop what has been taken in, while other steps go on."""
        current = {run_id(self._build, key, number) for key, number in self._current()}
        for over in self._works.keys() - current - self._following - self._stopping:
            group.create_task(self._drop(over, self._works.pop(over)))

    async def _drop(self, run: RunId, work: Work) -> None:
        try:
            await self._around.runner.forget(run)
        except Unavailable:
            self._works[run] = work  # a later round tries again

    async def _follow(self, order: Order) -> None:
        shown = 0

        async def once() -> None:
            passed = 0

            def printed(text: str) -> None:
                nonlocal shown, passed
                new = text[max(0, shown - passed) :]
                passed += len(text)
                shown = max(shown, passed)
                if new:
                    self._listener.printed(order.run.key, new)

            await follow(self._around.runner, self._around.logs, order, printed)

        def stopped() -> bool:
            return order.run in self._stopped

        await self._insist(order.run, once, stopped)
        files = None if order.serving else self._around.files
        if files is not None and wanted(order.environment):
            await self._insist(order.run, lambda: self._keep(order), stopped)
        self._following.discard(order.run)
        self._silent.discard(order.run)
        self._changed.set()

    async def _restore(self, order: Order) -> None:
        """Put cached folders back, unless the run has begun already."""
        files = self._around.files
        if files is None or order.serving or not wanted(order.environment).cache:
            return
        if await self._around.runner.look(order.run) is None and (
            told := await files.restore(order)
        ):
            self._listener.told(order.run.key, told)

    async def _keep(self, order: Order) -> None:
        """Keep what the run has left before a later step may change it."""
        sight = await self._around.runner.look(order.run)
        if self._around.files is None or sight is None:
            return
        good = sight.status is Status.SUCCEEDED
        kept = await self._around.files.keep(order, succeeded=good)
        if kept.summary:
            self._listener.told(order.run.key, kept.summary)

    async def _stop(self, run: RunId) -> None:
        stop = self._around.runner.stop
        await self._insist(run, lambda: stop(run, GRACE_SECONDS), lambda: False)
        self._stopped.add(run)
        self._stopping.discard(run)
        self._changed.set()

    async def _insist(
        self, run: RunId, act: Callable[[], Awaitable[None]], given_up: Callable[[], bool]
    ) -> None:
        """Act until it is done, or no longer wanted."""

        def told(text: str) -> None:
            self._tell_trouble(text)
            self._patience.knows(text)
            self._silent.add(run)  # so that the next rounds look at it
            self._changed.set()

        patience = Patience(told)
        while True:
            patience.begin()
            with patience:
                return await act()
            patience.end()
            if given_up():
                return None
            await asyncio.sleep(patience.pause)
