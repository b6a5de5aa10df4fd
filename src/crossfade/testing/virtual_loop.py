"""
An event loop without sockets or threads, in which waiting takes no time and order is chosen.

Whenever several tasks could go on, `choose` says which one does: one seed, one order.  When none
can, the clock jumps to whatever is due next.
"""

import asyncio
import heapq
import itertools
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar, TypeVarTuple, Unpack, cast

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

Choose = Callable[[int], int]
"""Given how many tasks could go on, which of them does, from 0."""


def first(_many: int) -> int:
    """Let tasks go on in the order in which they became ready."""
    return 0


class _Call:
    """A call that is ready, or due; what asyncio asks of a handle, and cheap to make."""

    __slots__ = ("_cancelled", "_when", "arguments", "callback", "context")

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        arguments: tuple[Any, ...],
        context: Context | None,
    ) -> None:
        self._when, self._cancelled = when, False
        self.callback, self.arguments = callback, arguments
        self.context = context or copy_context()

    def cancel(self) -> None:
        """Have it never called."""
        self._cancelled = True

    def cancelled(self) -> bool:
        """Return whether it was cancelled."""
        return self._cancelled

    def when(self) -> float:
        """Return when it is due."""
        return self._when


class VirtualLoop(asyncio.AbstractEventLoop):
    """What tasks, timeouts, events and task groups need of a loop, and no more."""

    def __init__(self, choose: Choose = first) -> None:
        self.choose = choose
        self.after_step: Callable[[], None] = lambda: None
        """Called whenever a task has gone on as far as it could; what it raises ends the run."""
        self._now = 0.0
        self._ready: list[_Call] = []
        self._due: list[tuple[float, int, _Call]] = []
        self._numbers = itertools.count()
        self._running = self._stopping = self._closed = False

    def time(self) -> float:
        """Return seconds since the loop was made."""
        return self._now

    def call_soon(
        self,
        callback: Callable[[Unpack[Arguments]], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Have it called once it is chosen."""
        call = _Call(self._now, callback, args, context)
        self._ready.append(call)
        return cast("asyncio.Handle", call)

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Arguments]], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Have it called after so many seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Arguments]], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Have it called at a time of this loop."""
        call = _Call(when, callback, args, context)
        heapq.heappush(self._due, (when, next(self._numbers), call))
        return cast("asyncio.TimerHandle", call)

    def create_future(self) -> "asyncio.Future[Any]":
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> "asyncio.Task[T]":
        """Return a task of this loop."""
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def run_until_complete(self, future: Any) -> Any:  # noqa: ANN401 - as the base class has it
        """Return what it comes to.  Raises RuntimeError if it waits for what never happens."""
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(self._stop)
        try:
            self.run_forever()
        except BaseException:
            self._abandon()
            raise
        return task.result()

    def _abandon(self) -> None:
        """Cancel whoever is left, so that nothing is destroyed while it waits."""
        self.after_step = lambda: None
        for task in asyncio.all_tasks(self):
            task.cancel()
        while self._ready:
            self._step()

    def run_forever(self) -> None:
        """Let tasks go on until the loop is stopped."""
        self._stopping, self._running = False, True
        before = events._get_running_loop()  # noqa: SLF001 - how a loop says that it runs
        events._set_running_loop(self)  # noqa: SLF001
        try:
            while not self._stopping:
                self._step()
        finally:
            self._running = False
            events._set_running_loop(before)  # noqa: SLF001

    def _step(self) -> None:
        if not self._ready:
            self._jump()
        ready = self._ready
        call = ready.pop(self.choose(len(ready)) if len(ready) > 1 else 0)
        if not call.cancelled():
            call.context.run(call.callback, *call.arguments)
            self.after_step()

    def _jump(self) -> None:
        """Go to the time at which something is due."""
        while self._due and not self._ready:
            when, _, call = heapq.heappop(self._due)
            if not call.cancelled():
                self._now = max(self._now, when)
                self._ready.append(call)
        while self._due and self._due[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._due)[2])
        if not self._ready:
            raise RuntimeError("everything waits, and nothing will ever happen")

    def _stop(self, _done: object) -> None:
        self._stopping = True

    def stop(self) -> None:
        """Stop after this step."""
        self._stopping = True

    def is_running(self) -> bool:
        """Return whether it runs."""
        return self._running

    def is_closed(self) -> bool:
        """Return whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Forget what is still to come."""
        self._closed = True
        self._ready.clear()
        self._due.clear()

    async def shutdown_asyncgens(self) -> None:
        """Nothing is to be done."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Nothing is to be done: there are no threads."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Raise what nobody has asked for, so that it is not lost."""
        raise RuntimeError(context.get("message")) from context.get("exception")

    def get_debug(self) -> bool:
        """Return False: every step counts."""
        return False

    def set_debug(self, enabled: bool) -> None:
        """Nothing is to be done."""


def virtual_loop(choose: Choose = first) -> VirtualLoop:
    """Return a new loop."""
    # Sockets and threads are left out.
    return VirtualLoop(choose)  # type: ignore[abstract]


def simulated(work: Coroutine[Any, Any, T], choose: Choose = first) -> T:
    """Return what the work comes to, in a loop of its own."""
    loop = virtual_loop(choose)
    try:
        result: T = loop.run_until_complete(work)
        return result
    finally:
        loop.close()
