"""Steps as processes of this machine, each in a group of its own, in bubblewrap where it works."""

import asyncio
import contextlib
import fcntl
import json
import math
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

from crossfade.adapters.images.folders import remove_folder
from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.answering import answering, is_not_now, refused
from crossfade.adapters.runners.commands import (
    BOX,
    CONFIG,
    KUBE,
    SCRIPT,
    WANTED,
    RunCommands,
)
from crossfade.adapters.runners.containers import Containers
from crossfade.adapters.runners.drain import (
    FULL,
    OUTPUT,
    drains,
    nothing_drains,
    start_drain,
    trouble,
)
from crossfade.adapters.runners.exit_codes import reason_of, status_of
from crossfade.adapters.runners.exports import EXPORTS, MASKED, TOO_MUCH, exports
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.leftovers import end_all, marked
from crossfade.adapters.runners.lock import is_held
from crossfade.adapters.runners.places import Places
from crossfade.adapters.runners.run_files import (
    number,
    open_secret,
    read,
    tail,
    write,
    write_secret,
)
from crossfade.adapters.runners.scripts import CODE, KEEPER, NO_CODE
from crossfade.adapters.runners.serving import COMPOSED, READY
from crossfade.adapters.runners.tools import write_tools
from crossfade.adapters.runners.variables import IGNORED, VARIABLES
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.ports.runner import Order, Output, RunId

MOST_OUTPUT_BYTES = 64 * 1024 * 1024
_LOOK_SECONDS = 0.05
HIDDEN = "hidden"
"""Name of the file with the values that must not be shown."""
_NO_PLACE = "the run has no place on this machine"
_UNSEEN = "how a run stands cannot be seen"
ABANDONED_SECONDS = 60.0
SILENCE_SECONDS = 0.25
"""After so long nothing has come for a while."""


class ProcessRunner:
    """
    Runs steps on this machine.

    A run is a folder with a lock that its keeper, a small shell, holds as long as it lives.  So
    everybody can tell whether it runs, also who has not started it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        isolated: bool | None = None,
        most_bytes: int = MOST_OUTPUT_BYTES,
        images: ImagePlace | None = None,
        abandoned_seconds: float = ABANDONED_SECONDS,
        containers: Containers | None = None,
    ) -> None:
        """
        `folder` has one folder for each build; `isolated` None: if bubblewrap works here.

        `images` are those that steps may run inside of: in `containers`, or else in bubblewrap.

        What a run prints beyond `most_bytes` is thrown away, whoever watches or not, so that it
        cannot fill the disk.
        Services of a build end `abandoned_seconds` after nobody runs it any more.
        """
        self.places, self._most_bytes = Places(folder.resolve()), most_bytes
        self.isolated = bubblewrap.usable() if isolated is None else isolated
        self._commands = RunCommands(
            self.places, self.isolated, images, abandoned_seconds, containers
        )
        self._children: dict[RunId, int] = {}
        """Keepers that we have started and not buried."""
        self._drains: set[int] = set()
        """Those who keep their output, likewise."""

    def volume(self, build: str) -> Path:
        """Return the workspace of a build."""
        return self.places.volume(build)

    def _place(self, run: RunId) -> Path:
        return self.places.of(run)

    async def start(self, order: Order) -> None:
        """Start the run unless it was started before; see the port."""
        place = self._place(order.run)
        with answering(_NO_PLACE):
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.volume(order.run.build).mkdir(exist_ok=True)
            # npm asks for this folder below where it installs, also when it installs nothing.
            libraries = self.places.home(order.run.build) / ".local" / "lib"
            libraries.mkdir(parents=True, exist_ok=True)
            try:
                place.mkdir(mode=0o700)
            except FileExistsError:
                return
        try:
            self._spawn(order, place)
        except (OSError, ValueError) as error:  # too large an environment, a NUL in it
            if isinstance(error, OSError) and is_not_now(error):
                with answering(_NO_PLACE):  # as if it had never been asked for
                    await asyncio.to_thread(_undo, place)
                raise refused(_NO_PLACE, error) from error
            with answering(_NO_PLACE):
                (place / OUTPUT).write_text(f"the step cannot be started: {error}\n")
                nothing_drains(place)
                write(place / "code", "126\n")

    def _spawn(self, order: Order, place: Path) -> None:
        (place / "tools").mkdir()
        (place / "tmp").mkdir(mode=0o700)
        for name in (EXPORTS, MASKED, OUTPUT):
            (place / name).touch(mode=0o600)
        (place / CODE).write_text(NO_CODE)  # so that there is room for it when the disk is full
        (place / "tools" / SCRIPT).write_text(self._commands.seen(order.script, order))
        machine = not self._commands.in_container(order)
        write_tools(place / "tools", own=not order.image, machine=machine)
        if order.kubeconfig:
            write_secret(place / KUBE / CONFIG, order.kubeconfig)
        with open_secret(place / HIDDEN) as file:  # for those who follow it later, too
            file.write(json.dumps(order.secrets).encode())
        argv, environment = self._commands.command(order, place)
        drain, printed = start_drain(place, self._most_bytes)
        self._drains.add(drain)
        lock = -1
        try:
            lock = os.open(place / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._children[order.run] = os.posix_spawn(
                "/bin/sh",
                ["/bin/sh", "-c", KEEPER, "keeper", str(place), *argv],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, lock, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                    (os.POSIX_SPAWN_DUP2, printed, 8),
                ],
                setsid=True,
                setsigdef=IGNORED,
            )
        finally:
            os.close(printed)
            if lock >= 0:
                os.close(lock)

    async def look(self, run: RunId) -> RunSight | None:
        """Return how the run stands; see the port."""
        with answering(_UNSEEN):
            return await self._look(run, self._place(run))

    async def _look(self, run: RunId, place: Path) -> RunSight | None:
        if not self._is_there(run):
            return None
        lives = self._lives(run)  # before reading: what it exports at last is there then
        found = await exports(place)
        if lives:
            ready = (place / COMPOSED / READY).exists()
            status = Status.SERVING if ready else Status.RUNNING
            return RunSight(run.number, status, exports=found.variables)
        code = number(place / "code")
        if code is None:
            await self._end_leftovers(run)  # before it is started again
            return RunSight(run.number, Status.LOST, "its process was lost")
        await self._until_drained(run)
        status, why = _result(code, trouble(place))
        if status is Status.SUCCEEDED and not found.whole:
            status, why = Status.FAILED, TOO_MUCH
        return RunSight(run.number, status, why, exports=found.variables)

    async def _until_drained(self, run: RunId) -> None:
        """Return once all that an ended run has printed is kept; who still could print ends."""
        place = self._place(run)
        while drains(place):
            await asyncio.sleep(_LOOK_SECONDS / 25)
            if drains(place):
                end_all(await asyncio.to_thread(marked, str(place)), signal.SIGKILL)

    def _is_there(self, run: RunId) -> bool:
        return self._place(run).is_dir()

    def _lives(self, run: RunId) -> bool:
        """Return whether the keeper holds its lock; one that was ours is buried."""
        self._drains = {each for each in self._drains if not os.waitpid(each, os.WNOHANG)[0]}
        child = self._children.get(run)
        if child is not None and os.waitpid(child, os.WNOHANG)[0]:
            del self._children[run]
        return is_held(self._place(run) / "lock")

    async def output(self, run: RunId) -> AsyncIterator[Output]:
        """Yield what the run prints until it has ended; see the port."""
        with answering(_UNSEEN):
            async for each in self._output(run):
                yield each

    async def _output(self, run: RunId) -> AsyncIterator[Output]:
        place, offset, silent_at = self._place(run), 0, math.inf
        hidden = tuple(json.loads(read(place / HIDDEN) or "[]"))
        while True:
            lives = self._lives(run)  # before reading: what comes after is read in the next turn
            if not lives:
                await self._until_drained(run)
            while data := tail(place / OUTPUT, offset):
                offset, silent_at = offset + len(data), time.monotonic() + SILENCE_SECONDS
                yield Output(data, (*hidden, *(await exports(place)).secrets))
            if not lives:
                return
            if time.monotonic() > silent_at:
                silent_at = math.inf
                yield Output(b"")
            await self._until_changed(run)

    async def _until_changed(self, run: RunId) -> None:
        """Wait a little, or until the keeper has ended."""
        pid = self._children.get(run) or number(self._place(run) / "pid")
        try:
            watched = os.pidfd_open(pid) if pid else -1
        except OSError:
            watched = -1
        if watched < 0:
            await asyncio.sleep(_LOOK_SECONDS / 10)
            return
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(watched, ended.set)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _LOOK_SECONDS)
        finally:
            loop.remove_reader(watched)
            os.close(watched)

    async def stop(self, run: RunId, grace_seconds: float) -> None:
        """End the run; see the port."""
        with answering("a run cannot be ended just now"):
            await self._stop(run, self._place(run), grace_seconds)

    async def _stop(self, run: RunId, place: Path, grace_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if not self._is_there(run):
            return
        kindly_until = loop.time() + grace_seconds
        end_all(marked(str(place), besides=("bwrap",)), signal.SIGTERM)
        while self._lives(run) and loop.time() < kindly_until:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(_LOOK_SECONDS / 5)
        await self._end_leftovers(run)

    async def _end_leftovers(self, run: RunId) -> None:
        """Return once no process of the run is left."""
        while end_all(marked(str(self._place(run))), signal.SIGKILL):
            self._lives(run)  # buries it
            await asyncio.sleep(_LOOK_SECONDS / 5)

    async def forget(self, run: RunId) -> None:
        """Drop the run's folder and whatever it left running; see the port."""
        with answering("what an ended run has left cannot be dropped just now"):
            await self._forget(run, self._place(run))

    async def _forget(self, run: RunId, place: Path) -> None:
        if not self._is_there(run) or self._lives(run):
            return
        if not self.isolated:  # bubblewrap leaves none
            left = await asyncio.to_thread(marked, str(place))
            end_all(left, signal.SIGKILL)
        for name in ("tools", "tmp", KUBE, BOX, COMPOSED):
            await asyncio.to_thread(remove_folder, place / name)
        for name in (OUTPUT, EXPORTS, MASKED, WANTED, VARIABLES, HIDDEN, f"{BOX}.{VARIABLES}"):
            (place / name).unlink(missing_ok=True)


def _undo(place: Path) -> None:
    """Leave nothing at the place of a run that was not started, even if no file can be opened."""
    with contextlib.suppress(OSError):
        remove_folder(place)
    for each in (place / "tools", place / "tmp", place):
        with contextlib.suppress(OSError):
            each.rmdir()
    if place.exists():
        place.rename(place.with_name(f"{place.name}.{secrets.token_hex(4)}"))


def _result(code: int, missing: str) -> tuple[Status, str]:
    """Return how a run has ended whose output is whole, or of which something is missing."""
    if missing == FULL:
        return Status.FAILED, FULL
    if missing and code:  # as it could print no more
        return Status.LOST, missing
    return status_of(code), reason_of(code)
