"""A runner whose runs are pieces of work of their build, and know their place in its trace."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from crossfade.base import tracing
from crossfade.core.pipeline.state import RunSight, State, Status
from crossfade.engine.pipelines.records import Build
from crossfade.ports.runner import Order, Output, RunId, Runner

MOST = 1000
"""Runs that are taken down at a time.  Those that another hub goes on with are lost."""


class TracedRunner:
    """
    The port Runner over another one: hands places on, and has it taken down how runs end.

    Of runs that another process has begun nothing is taken down here.
    """

    def __init__(self, inner: Runner) -> None:
        self._inner = inner
        self._begun: dict[RunId, tracing.Taken] = {}

    async def start(self, order: Order) -> None:
        """Start the run, which finds its place in the variable `TRACEPARENT`; see the port."""
        run = order.run
        if run not in self._begun:
            work = tracing.begun(
                f"step {run.key}", build=run.build, step=run.key, run=run.number, image=order.image
            )
            if work is not None:
                self._begun[run] = work
        place = self._begun[run].traceparent if run in self._begun else tracing.current()
        if place:
            order = replace(order, environment={**order.environment, tracing.VARIABLE: place})
        while len(self._begun) > MOST:
            self._end(next(iter(self._begun)), None, "lost sight of")
        await self._inner.start(order)

    async def look(self, run: RunId) -> RunSight | None:
        """Return how the run stands; see the port."""
        sight = await self._inner.look(run)
        if sight is not None and not sight.status.alive:
            self._end(run, sight.status)
        return sight

    def output(self, run: RunId) -> AsyncIterator[Output]:
        """Yield everything that it prints; see the port."""
        return self._inner.output(run)

    async def stop(self, run: RunId, grace_seconds: float) -> None:
        """End the run; see the port."""
        await self._inner.stop(run, grace_seconds)
        self._end(run, None)

    async def forget(self, run: RunId) -> None:
        """Drop what is kept of the run; see the port."""
        await self._inner.forget(run)
        self._end(run, None)

    def _end(self, run: RunId, status: Status | None, otherwise: str = "stopped") -> None:
        work = self._begun.pop(run, None)
        if work is None:
            return
        result = otherwise if status is None else status.value
        work.put({"result": result})
        work.end("" if status is Status.SUCCEEDED or status is None else result)


async def traced_build(build: Build, run: Callable[[], Awaitable[State]]) -> State:
    """Run the build as a piece of what asked for it, and return how it ended."""
    name = f"build {build.pipeline}"
    with tracing.span(name, parent=build.traceparent) as work:
        work.put({"build": build.id, "pipeline": build.pipeline, "again": build.generation})
        state = await run()
        work.put({"result": state.result.value})
        if not state.result.good:
            work.fail(state.result.value)
        return state
