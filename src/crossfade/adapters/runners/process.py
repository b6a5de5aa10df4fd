"""Steps as processes of this machine, each in a group of its own, in bubblewrap where it works."""

import asyncio
import contextlib
import fcntl
import hashlib
import math
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from crossfade.adapters.images.folders import remove_folder
from crossfade.adapters.runners import bubblewrap, composing, in_image
from crossfade.adapters.runners.composing import Composed
from crossfade.adapters.runners.exit_codes import reason_of, status_of
from crossfade.adapters.runners.in_image import ImagePlace, InImage
from crossfade.adapters.runners.leftovers import MARK, end_all, marked
from crossfade.adapters.runners.lock import is_held
from crossfade.adapters.runners.run_files import read, tail, write, write_secret
from crossfade.adapters.runners.scripts import KEEPER
from crossfade.adapters.runners.serving import READY, Serve
from crossfade.adapters.runners.tools import write_tools
from crossfade.base.codec import to_json
from crossfade.base.errors import Unavailable
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.core.pipeline.variables import exported
from crossfade.core.pipeline.work import KUBECONFIG, VOLUME, Inside
from crossfade.ports.runner import Order, Output, RunId

MOST_OUTPUT_BYTES = 64 * 1024 * 1024
_LOOK_SECONDS = 0.05
ABANDONED_SECONDS = 60.0
SILENCE_SECONDS = 0.25
"""After so long nothing has come for a while."""
_SCRIPT = ".script"
_PASSED_ON = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "NIX_SSL_CERT_FILE")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_KUBE, _CONFIG = "kube", "config"
_BOX, _COMPOSED, _WANTED = "box", "composed", "in-image.json"


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
    ) -> None:
        """
        `folder` has one folder for each build; `isolated` None: if bubblewrap works here.

        `images` are those that steps may run inside of.

        What a run prints beyond `most_bytes` is thrown away, so that it cannot fill the disk.
        Services of a build end `abandoned_seconds` after nobody runs it any more.
        """
        self._folder, self._most_bytes, self._images = folder.resolve(), most_bytes, images
        self._abandoned_seconds = abandoned_seconds
        self.isolated = bubblewrap.usable() if isolated is None else isolated
        self._children: dict[RunId, int] = {}
        """Keepers that we have started and not buried."""

    def volume(self, build: str) -> Path:
        """Return the workspace of a build."""
        return self._folder / build / "volume"

    def _place(self, run: RunId) -> Path:
        digest = hashlib.sha256(run.key.encode()).hexdigest()[:16]
        return self._folder / run.build / "runs" / f"{run.generation}-{digest}-{run.number}"

    async def start(self, order: Order) -> None:
        """Start the run unless it was started before; see the port."""
        place = self._place(order.run)
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.volume(order.run.build).mkdir(exist_ok=True)
            (self._folder / order.run.build / "home").mkdir(exist_ok=True)
            place.mkdir(mode=0o700)
        except FileExistsError:
            return
        except OSError as error:
            raise _unavailable(error) from error
        try:
            self._spawn(order, place)
        except (OSError, ValueError) as error:  # too large an environment, a NUL in it
            (place / "output").write_text(f"the step cannot be started: {error}\n")
            write(place / "code", "126\n")

    def _spawn(self, order: Order, place: Path) -> None:
        (place / "tools").mkdir()
        (place / "tmp").mkdir(mode=0o700)
        for name in ("exports", "masked", "output"):
            (place / name).touch(mode=0o600)
        (place / "tools" / _SCRIPT).write_text(self._seen(order.script, order))
        write_tools(place / "tools", own=not order.image)
        if order.kubeconfig:
            write_secret(place / _KUBE / _CONFIG, order.kubeconfig)
        argv, environment = self._command(order, place)
        lock = os.open(place / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._children[order.run] = os.posix_spawn(
                "/bin/sh",
                ["/bin/sh", "-c", KEEPER, "keeper", str(place), *argv],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, lock, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
            )
        finally:
            os.close(lock)

    def _boxed(self, order: Order) -> bool:
        return self.isolated and bool(order.image)

    def _seen(self, text: str, order: Order) -> str:
        """Return a text with the workspace as this run sees it."""
        if self._boxed(order):
            return text
        if order.kubeconfig:
            text = text.replace(KUBECONFIG, str(self._place(order.run) / _KUBE / _CONFIG))
        return text.replace(VOLUME, str(self.volume(order.run.build)))

    def _command(self, order: Order, place: Path) -> tuple[list[str], dict[str, str]]:
        """Return what the keeper runs, and the environment of everything."""
        self._make_directory(order)
        what = next((name for name, asked in _boxes(order).items() if asked), "")
        if what and not self.isolated:
            raise ValueError(f"{what} needs bubblewrap, which does not work here; install it")
        shell = shutil.which(order.shell) or "/bin/sh"
        directory = self._seen(order.directory, order)
        given = {"KUBECONFIG": KUBECONFIG} if order.kubeconfig else {}
        given |= order.environment
        given = {name: self._seen(value, order) for name, value in given.items()}
        home = self._folder / order.run.build / "home"
        if self._boxed(order):
            view = bubblewrap.View(
                self.volume(order.run.build),
                home,
                place / "tmp",
                place / "tools",
                place / "exports",
                place / "masked",
                place / _KUBE if order.kubeconfig else None,
                tuple(self._more(order, place)),
            )
            argv = [shell, f"{bubblewrap.TOOLS}/{_SCRIPT}"]
            own = (bubblewrap.HOME, bubblewrap.EXPORTS, bubblewrap.MASKED)
            tools = bubblewrap.TOOLS
            if order.inside is not None and self._images is not None:
                argv = self._in_image(order, view, place, self._images)
                given |= self._images.passwords()
            else:
                argv = bubblewrap.command(bubblewrap.places(view), directory, argv)
            if order.composition is not None and self._images is not None:
                argv = self._composed(order, argv, bubblewrap.places(view), place)
                given |= self._images.passwords()
        else:
            argv = ["/bin/sh", "-c", 'cd "$1" && exec "$2" "$3"', "step", directory, shell]
            argv.append(str(place / "tools" / _SCRIPT))
            own_home = str(home) if order.image else os.environ.get("HOME", "/")
            own = (own_home, str(place / "exports"), str(place / "masked"))
            tools = str(place / "tools")
        names = ("HOME", "CF_EXPORT_FILE", "CF_EXPORT_MASKED")
        return argv, _environment(given, dict(zip(names, own, strict=True)), tools, place)

    def _in_image(
        self, order: Order, view: bubblewrap.View, place: Path, images: ImagePlace
    ) -> list[str]:
        wanted = InImage(
            order.image,
            order.inside or Inside(),
            (order.shell, f"{bubblewrap.TOOLS}/{_SCRIPT}"),
            order.directory,
            order.environment.get("PATH", ""),
            tuple(bubblewrap.places(view)),
            str(place / _BOX),
            images,
        )
        return in_image.command(wanted, place / _WANTED)

    def _composed(self, order: Order, argv: list[str], places: list[str], place: Path) -> list[str]:
        """Return the command that runs services and, if the step has a script, it beside them."""
        if order.composition is None or self._images is None:
            return argv
        folder = place / _COMPOSED
        wanted = Composed(
            order.composition,
            tuple(argv) if order.script else (),
            tuple(places),
            str(folder),
            str(self.volume(order.run.build)),
            order.directory,
            self._images,
            self._serve(order),
            str(self._hosts(order.beside)) if order.beside else "",
        )
        return in_image.own_program(composing.__name__, to_json(wanted), folder / "wanted.json")

    def _serve(self, order: Order) -> Serve | None:
        if order.serving is None:
            return None
        build = "" if order.serving.outlives else str(self._folder / order.run.build)
        return Serve(order.serving.most_seconds, build, self._abandoned_seconds)

    def _hosts(self, run: RunId) -> Path:
        """Return the file with the names of the services of a run."""
        return self._place(run) / _COMPOSED / "hosts"

    def _more(self, order: Order, place: Path) -> Iterator[tuple[Path, str]]:
        """Yield the other folders and files that a run sees, and where."""
        for source, target in order.volumes:
            yield self._of_volume(order, source), target
        if order.composition is not None:
            (place / _COMPOSED).mkdir(mode=0o700)
            self._hosts(order.run).touch()
            yield self._hosts(order.run), "/etc/hosts"
        elif order.beside is not None:
            yield self._hosts(order.beside), "/etc/hosts"

    def _of_volume(self, order: Order, path: str) -> Path:
        """Return where a folder of the workspace is; it is made when it is not there."""
        volume = self.volume(order.run.build)
        found = (volume / path.removeprefix(VOLUME).lstrip("/")).resolve()
        if not found.is_relative_to(volume.resolve()):
            raise ValueError(f"{path} is a link that leads out of the workspace")
        found.mkdir(parents=True, exist_ok=True)
        return found

    def _make_directory(self, order: Order) -> None:
        volume = self.volume(order.run.build)
        if order.directory.startswith(f"{VOLUME}/"):
            (volume / order.directory[len(VOLUME) + 1 :]).mkdir(parents=True, exist_ok=True)
        if self._boxed(order):
            (volume / "env_vars_to_export").touch()  # to be covered by that of the run

    async def look(self, run: RunId) -> RunSight | None:
        """Return how the run stands; see the port."""
        place = self._place(run)
        if not place.is_dir():
            return None
        variables = exported(read(place / "exports"), read(place / "masked").split())
        if self._lives(run):
            ready = (place / _COMPOSED / READY).exists()
            status = Status.SERVING if ready else Status.RUNNING
            return RunSight(run.number, status, exports=variables)
        code = read(place / "code").strip()
        if not code:
            await self._end_leftovers(run)  # before it is started again
            return RunSight(run.number, Status.LOST, "its process was lost")
        return RunSight(run.number, status_of(int(code)), reason_of(int(code)), exports=variables)

    def _lives(self, run: RunId) -> bool:
        """Return whether the keeper holds its lock; one that was ours is buried."""
        child = self._children.get(run)
        if child is not None and os.waitpid(child, os.WNOHANG)[0]:
            del self._children[run]
        return is_held(self._place(run) / "lock")

    async def output(self, run: RunId) -> AsyncIterator[Output]:
        """Yield what the run prints until it has ended; see the port."""
        place, offset, silent_at = self._place(run), 0, math.inf
        while True:
            lives = self._lives(run)  # before reading: what comes after is read in the next turn
            while offset < self._most_bytes and (data := tail(place / "output", offset)):
                offset, silent_at = offset + len(data), time.monotonic() + SILENCE_SECONDS
                masked = exported(read(place / "exports"), read(place / "masked").split())
                yield Output(data, tuple(each.value for each in masked if each.secret))
            if not lives:
                return
            if offset >= self._most_bytes:
                os.truncate(place / "output", 0)
            if time.monotonic() > silent_at:
                silent_at = math.inf
                yield Output(b"")
            await self._until_changed(run)

    async def _until_changed(self, run: RunId) -> None:
        """Wait a little, or until the keeper has ended."""
        pid = self._children.get(run) or int(read(self._place(run) / "pid").strip() or 0)
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
        place, loop = self._place(run), asyncio.get_running_loop()
        if not place.is_dir():
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
        place = self._place(run)
        if not place.is_dir() or self._lives(run):
            return
        if not self.isolated:  # bubblewrap leaves none
            left = await asyncio.to_thread(marked, str(place))
            end_all(left, signal.SIGKILL)
        for name in ("tools", "tmp", _KUBE, _BOX, _COMPOSED):
            await asyncio.to_thread(remove_folder, place / name)
        for name in ("output", "exports", "masked", _WANTED):
            (place / name).unlink(missing_ok=True)


def _boxes(order: Order) -> dict[str, bool]:
    """Return what cannot be had without bubblewrap, and whether the run asks for it."""
    return {
        "a built image": order.inside is not None,
        "`volumes`": bool(order.volumes),
        "a composition": order.composition is not None,
        "a step beside services": order.beside is not None,
    }


def _environment(
    given: Mapping[str, str], own: Mapping[str, str], tools: str, place: Path
) -> dict[str, str]:
    """Return what the run has: of this process only what every program needs."""
    passed = {name: os.environ[name] for name in (*_PASSED_ON, *_PROXIES) if name in os.environ}
    path = given.get("PATH") or os.environ.get("PATH", os.defpath)
    named = {name: value for name, value in given.items() if name and "=" not in name}
    return {**passed, **named, **own, "PATH": f"{tools}:{path}", MARK: str(place)}


def _unavailable(error: OSError) -> Unavailable:
    return Unavailable(
        f"the run has no place on this machine: {error.strerror or error}",
        hint="see that the state folder can be written and has room, then resume",
        file=error.filename,
    )
