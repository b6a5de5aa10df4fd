"""One process of a container: started, watched, ended."""

import asyncio
import contextlib
import errno
import json
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.sandbox.kube.kubelet import bubblewrap
from crossfade.sandbox.kube.kubelet.bubblewrap import View

_PAGE = resource.getpagesize()
_READ_BYTES = 65536
_GROUP_TRIES, _GROUP_PAUSE = 100, 0.005

Output = Callable[[str, bytes], None]
"""Takes what the process wrote: `stdout` or `stderr`, and the bytes."""


class StartError(Exception):
    """The process could not be started; the text says why, as a container runtime would."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    view: View
    isolated: bool
    """With bubblewrap, in namespaces of its own."""


class ContainerProcess:
    """A running process with all its descendants."""

    def __init__(self, command: Command, output: Output, changed: Callable[[], None]) -> None:
        """
        Start it; `changed` is called once, when it has ended.

        Raises StartError.
        """
        self._output, self._changed = output, changed
        self._loop = asyncio.get_running_loop()
        self._main: int | None = None
        self._init: int | None = None
        self.exit_code: int | None = None
        """As a shell has it: 128 and the signal when one ended the process."""
        self._later: asyncio.TimerHandle | None = None
        self._pipes: dict[int, str] = {}
        self._popen = self._start(command)
        self.pid = self._popen.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._ended)
        for fd in self._pipes:
            self._loop.add_reader(fd, self._read, fd)

    def _start(self, command: Command) -> subprocess.Popen[bytes]:
        info_read, info_write = os.pipe() if command.isolated else (-1, -1)
        argv: Sequence[str] = command.argv
        if command.isolated:
            argv = bubblewrap.command(command.view, argv, info_write)
        elif (setpriv := shutil.which("setpriv")) is not None:
            argv = [setpriv, "--pdeathsig", "KILL", "--", *argv]
        try:
            popen = subprocess.Popen(
                argv,
                env=dict(command.environment),
                cwd=None if command.isolated else command.view.directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=(info_write,) if command.isolated else (),
            )
        except OSError as error:
            if command.isolated:
                os.close(info_read)
            raise StartError(_why(command, error)) from error
        finally:
            if command.isolated:
                os.close(info_write)
        self._info = info_read
        for pipe, name in ((popen.stdout, "stdout"), (popen.stderr, "stderr")):
            if pipe is not None:
                fd = os.dup(pipe.fileno())
                pipe.close()
                os.set_blocking(fd, False)
                self._pipes[fd] = name
        return popen

    def _read(self, fd: int) -> None:
        try:
            data = os.read(fd, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._output(self._pipes[fd], data)
        else:
            self._close_pipe(fd)

    def _close_pipe(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        os.close(fd)
        del self._pipes[fd]

    def _ended(self) -> None:
        code = self._popen.wait()
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._kill_group()
        self._finish(128 - code if code < 0 else code, _GROUP_TRIES)

    def _finish(self, code: int, tries: int) -> None:
        """Report the end once the whole group has ended: it may still hold ports for a moment."""
        if tries and self._group_lives():
            self._later = self._loop.call_later(_GROUP_PAUSE, self._finish, code, tries - 1)
            return
        self._later = None
        for fd in list(self._pipes):
            self._drain(fd)
        if self._info >= 0:
            os.close(self._info)
            self._info = -1
        self.exit_code = code
        self._changed()

    def _group_lives(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def _drain(self, fd: int) -> None:
        """Read what is left; descendants that live on must not keep us waiting for an end."""
        for _ in range(64):
            if fd not in self._pipes:
                return
            before = self._pipes[fd]
            try:
                data = os.read(fd, _READ_BYTES)
            except OSError:
                break
            if not data:
                break
            self._output(before, data)
        self._close_pipe(fd)

    @property
    def main_pid(self) -> int:
        """The command itself: inside bubblewrap a grandchild of ours."""
        if self._info < 0 and self._main is None:
            return self.pid
        if self._main is None:
            self._find_main()
        return self._main or self.pid

    def _find_main(self) -> None:
        if self._init is None:
            with contextlib.suppress(OSError, ValueError, KeyError):
                text = b""
                while part := os.read(self._info, 4096):  # ends a few ms after the start
                    text += part
                self._init = int(json.loads(text)["child-pid"])
        if self._init is not None:
            self._main = next(iter(children(self._init)), None)

    def terminate(self) -> None:
        """Ask the command to end (SIGTERM)."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.main_pid, signal.SIGTERM)

    def kill(self) -> None:
        """End all of it, now (SIGKILL)."""
        if self.exit_code is not None:
            return
        for pid in reversed(descendants(self.pid)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def discard(self) -> None:
        """End all of it and let go of it, without a report."""
        self._changed = _nothing
        self._output = _nothing_written
        if self._later is not None:
            self._later.cancel()
            self._finish(137, 0)
        elif self.exit_code is None:
            self.kill()
            self._ended()
            if self._later is not None:
                self._later.cancel()
                self._finish(137, 0)


def _nothing() -> None:
    return


def _nothing_written(stream: str, data: bytes) -> None:
    return


def _why(command: Command, error: OSError) -> str:
    if error.filename == command.view.directory:
        return f'chdir to cwd ("{command.view.directory}"): {error.strerror}'
    if error.errno == errno.EACCES:
        return f'exec: "{command.argv[0]}": permission denied'
    return f'exec: "{command.argv[0]}": {error.strerror}'


def missing(argv0: str, path: str, binds: Sequence[bubblewrap.Bind], directory: str) -> str | None:
    """Return why a command cannot be found, or None when it can (or might) be."""
    if "/" not in argv0:
        if any(bind.target in path.split(os.pathsep) for bind in binds):
            return None
        if shutil.which(argv0, path=path) is None:
            return f'exec: "{argv0}": executable file not found in $PATH'
        return None
    full = os.path.normpath(os.path.join(directory, argv0))
    for bind in sorted(binds, key=lambda one: -len(one.target)):
        if full == bind.target or full.startswith(bind.target.rstrip("/") + "/"):
            full = str(bind.source) + full[len(bind.target.rstrip("/")) :]
            break
    if not os.path.exists(full):
        return f'exec: "{argv0}": stat {argv0}: no such file or directory'
    if not os.access(full, os.X_OK):
        return f'exec: "{argv0}": permission denied'
    return None


def children(pid: int) -> list[int]:
    """Return the process ids of the children of all threads of a process."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/task/{thread}/children").read_text("ascii")
            found.extend(int(part) for part in text.split())
    return found


def descendants(pid: int) -> list[int]:
    """Return the process and everything below it, parents first."""
    found = [pid]
    for one in found:
        found.extend(children(one))
    return found


def memory_bytes(pid: int) -> int:
    """Return the memory of a process and its descendants that is not shared with others."""
    total = 0
    for one in descendants(pid):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parts = Path(f"/proc/{one}/statm").read_text("ascii").split()
            total += (int(parts[1]) - int(parts[2])) * _PAGE
    return total
