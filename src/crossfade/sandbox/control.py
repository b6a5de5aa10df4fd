"""A sandbox from outside: brought up, looked at, harmed, mended, taken down."""

import fcntl
import json
import os
import secrets
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict, InputError, NotFound, Unavailable
from crossfade.base.files import write_text
from crossfade.sandbox import certificates, faults, kubeconfig, ports, processes, state, wire
from crossfade.sandbox.child import last_words
from crossfade.sandbox.faults import Faults
from crossfade.sandbox.state import Layout

_UP_SECONDS = 60.0
_END_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Progress:
    """News of a start."""

    cloud: str
    """The cloud that is ready now."""
    seconds: float
    """Since the start."""


@dataclass(frozen=True, slots=True)
class Started:
    """What `up` found or made."""

    layout: Layout
    already: bool
    """It was running before."""
    seconds: float


def up(layout: Layout, clock: Clock, report: Callable[[Progress], None]) -> Started:
    """
    Bring the sandbox up and return once every cloud serves.  Safe to repeat.

    Objects of an earlier life of the same sandbox are kept; processes that a killed
    supervisor left behind are ended first.  Raises Conflict when a port is taken or a sandbox
    with other clouds is there, Unavailable when a part does not start.
    """
    directory = layout.directory
    with _operation(directory):
        began = time.monotonic()
        before = state.load(directory)
        running = _supervisor(directory)
        if before is not None and before != layout and (running or _has_data(before)):
            raise Conflict(
                f"there is a sandbox with {_describe(before)} already",
                hint="`crossfade sandbox down` removes it; `--state-dir` makes another beside it",
                wanted=_describe(layout),
            )
        if running:
            wire.ask(directory, {"do": "status"}, seconds=5.0)
            return Started(layout, True, 0.0)
        processes.end(directory)
        try:
            ports.require_free(layout.own_ports())
        except Conflict:
            if before is None:  # what is refused leaves nothing behind
                _remove(directory)
            raise
        _prepare(layout, clock)
        _start_supervisor(layout, report)
        return Started(layout, False, time.monotonic() - began)


def down(directory: Path) -> bool:
    """
    End every process of the sandbox and remove its files; return whether there was one.

    Works on what a killed supervisor left as well.  Raises TimeoutError when a process does
    not end.
    """
    directory = directory.resolve()
    if not directory.exists() and not processes.find(directory):
        return False
    with _operation(directory):
        pid = _supervisor(directory)
        if pid:
            with suppress(Unavailable):
                wire.ask(directory, {"do": "stop"}, seconds=2.0)
                _wait_for_end(pid)
        processes.end(directory)
        if pid:
            _reap(pid)
        _remove(directory)
    return True


def act(directory: Path, verb: str, cloud: str, milliseconds: int = 0) -> str:
    """
    Do to a cloud what a command of `crossfade sandbox` says; return its state once it is so.

    Raises NotFound, Conflict, InputError, Unavailable.
    """
    require(directory).known(cloud)
    request = {"do": verb, "cloud": cloud, "milliseconds": milliseconds}
    return str(wire.ask(directory.resolve(), request)["state"])


def require(directory: Path) -> Layout:
    """Return the layout of the sandbox in this folder.  Raises NotFound when there is none."""
    layout = state.load(directory)
    if layout is None:
        raise NotFound("there is no sandbox", hint="`crossfade sandbox up` makes one")
    return layout


def _describe(layout: Layout) -> str:
    return f"clouds {','.join(layout.clouds)} on ports from {layout.port_base}"


def _has_data(layout: Layout) -> bool:
    return any(layout.folder(cloud).exists() for cloud in layout.clouds)


@contextmanager
def _operation(directory: Path) -> Iterator[None]:
    """Let one `up` or `down` of a sandbox work at a time."""
    path = directory / "lock"
    while True:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # removed between the two lines, by a `down`
            continue
        except OSError as error:
            raise InputError(
                f"{directory} cannot be used: {error.strerror}",
                hint="choose another folder with `--state-dir` or CROSSFADE_HOME",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # A `down` that was before us has removed the file that we have locked.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                yield
                return
        finally:
            os.close(descriptor)


def _supervisor(directory: Path) -> int:
    """Return the pid of the running supervisor; 0 when there is none."""
    found = [one.pid for one in processes.find(directory) if one.role == "supervisor"]
    return found[0] if found else 0


def _prepare(layout: Layout, clock: Clock) -> None:
    """Write everything that the clouds need before they start."""
    state.save(layout)
    tokens = {}
    folders = {cloud: layout.folder(cloud) for cloud in layout.clouds}
    known = layout.kubeconfig.exists()
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        faults.write(folder, Faults())
        known = known and (folder / "server.key").exists()
    if known:  # clients may hold on to the kubeconfig of the earlier life
        return
    authority = certificates.new_authority(clock.now())
    for cloud, folder in folders.items():
        certificates.write_server(authority, cloud, folder, clock.now())
        tokens[cloud] = secrets.token_urlsafe(32)
        write_text(folder / "token", tokens[cloud])
    write_text(layout.directory / "ca.crt", authority.pem)
    write_text(layout.kubeconfig, kubeconfig.render(layout, authority.pem, tokens))


def _start_supervisor(layout: Layout, report: Callable[[Progress], None]) -> None:
    environment = {
        **os.environ,
        **processes.markers(layout.directory, "supervisor"),
        # The working directory is another one from now on.
        "PYTHONPATH": os.pathsep.join(
            str(Path(part).resolve())
            for part in os.environ.get("PYTHONPATH", "").split(":")
            if part
        ),
    }
    log = layout.directory / "supervisor.log"
    news, theirs = os.pipe()
    try:
        # Detached: neither the terminal nor the end of this process may reach it.
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "crossfade.sandbox.supervisor", str(layout.directory)],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, theirs, 1),
                (os.POSIX_SPAWN_OPEN, 2, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            ],
            setsid=True,
        )
    finally:
        os.close(theirs)
    try:
        _follow(news, log, report)
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        _wait_for_end(pid)
        processes.end(layout.directory)
        raise
    finally:
        os.close(news)


def _follow(news: int, log: Path, report: Callable[[Progress], None]) -> None:
    """Pass on what the supervisor tells until it is ready."""
    deadline = time.monotonic() + _UP_SECONDS
    waiting = b""
    while True:
        ready, _, _ = select.select([news], [], [], max(0.0, deadline - time.monotonic()))
        text = os.read(news, 65536) if ready else b""
        if not text:
            raise Unavailable(
                "the sandbox does not start", hint=f"its log is {log}", log=last_words(log)
            )
        waiting += text
        *lines, waiting = waiting.split(b"\n")
        for line in map(json.loads, lines):
            if "error" in line:
                raise wire.error_from_json(line["error"])
            if line.get("ready"):
                return
            report(Progress(line["cloud"], line["seconds"]))


def _wait_for_end(pid: int) -> None:
    """Wait until the process is gone, for a while; it may be a child of ours or not."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            select.select([descriptor], [], [], _END_SECONDS)
        finally:
            os.close(descriptor)
    _reap(pid)


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _remove(directory: Path) -> None:
    """Remove the folder; a process that has just ended may have left a last file meanwhile."""
    for attempt in range(5):
        try:
            shutil.rmtree(directory)
        except FileNotFoundError:
            return
        except OSError:
            if attempt == 4:
                raise
            time.sleep(0.05)
        else:
            return
