"""Steps in containers of podman or docker; those of our own are processes of this machine."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from crossfade.adapters.images.engine import AUTO, answer
from crossfade.adapters.runners.commands import IN_CONTAINERS
from crossfade.adapters.runners.containers import ENGINES, Containers
from crossfade.adapters.runners.lock import is_held
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.base.errors import Unavailable
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.ports.runner import Order, Output, RunId


def require(containers: Containers) -> None:
    """Raise Unavailable unless the engine answers."""
    name = containers.command.name
    if why := answer(name, containers.client):
        asked = ENGINES if containers.engine == AUTO else (name,)
        told = "; ".join(f"{each}: {answer(each, containers.client) or why}" for each in asked)
        raise Unavailable(
            f"steps are to run in containers, and no engine works here: {told}",
            hint=f"see what `{name} info` says, set CROSSFADE_CONTAINER_ENGINE to another engine, "
            "or take `--runner process`",
        )


class ContainerRunner:
    """
    Runs steps in containers.

    Each run has a keeper on this machine, as that of a process; what it keeps is the engine's
    command.  So output, exports and services are those of processes, and whatever the engine has
    of a run whose keeper is gone is removed.
    """

    def __init__(self, processes: ProcessRunner, containers: Containers) -> None:
        """`processes` makes its runs in the same `containers`."""
        self._processes, self._containers = processes, containers
        self._swept = False

    async def start(self, order: Order) -> None:
        """Start the run unless it was started before; see the port."""
        if order.image:
            await asyncio.to_thread(self.check)
        await self._processes.start(order)

    def check(self) -> None:
        """Raise Unavailable unless the engine answers; remove what others have left, once."""
        require(self._containers)
        if not self._swept:
            self.sweep()
            self._swept = True

    def sweep(self) -> None:
        """Remove what the engine has of runs that nobody keeps any more.  Raises Unavailable."""
        known = self._containers.runs()
        self._containers.remove(each for each in known if not is_held(Path(each) / "lock"))

    async def look(self, run: RunId) -> RunSight | None:
        """Return how the run stands; see the port."""
        sight = await self._processes.look(run)
        if sight is not None and sight.status is Status.LOST:
            await self._remove(run)  # before it is started again
        return sight

    def output(self, run: RunId) -> AsyncIterator[Output]:
        """Yield what the run prints until it has ended; see the port."""
        return self._processes.output(run)

    async def stop(self, run: RunId, grace_seconds: float) -> None:
        """End the run; see the port."""
        await self._processes.stop(run, grace_seconds)
        await self._remove(run)

    async def forget(self, run: RunId) -> None:
        """Drop what is kept of the run; see the port."""
        await self._processes.forget(run)
        sight = await self._processes.look(run)
        if sight is not None and not sight.status.alive:
            await self._remove(run)

    async def _remove(self, run: RunId) -> None:
        place = self._processes.places.of(run)
        if (place / IN_CONTAINERS).exists():
            await asyncio.to_thread(self._containers.remove, (str(place),))
