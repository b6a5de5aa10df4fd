"""Container engines of this machine, as their commands: podman, buildah, docker."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from crossfade.adapters.images.telling import told
from crossfade.base.errors import Unavailable

AUTO = "auto"
PODMAN, BUILDAH, DOCKER = "podman", "buildah", "docker"
VERSION = ("version", "--format={{.Server.Version}}")
"""Asks docker for the version of its daemon."""
_PROBES = {
    PODMAN: ("info", "--format={{.Host.OCIRuntime.Name}}"),
    BUILDAH: ("info", "--format={{.host.OCIRuntime}}"),
    DOCKER: VERSION,
}
_PROBE_SECONDS = 10
_OWN = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|LANG|XDG_.*|DOCKER_.*|CONTAINERS?_.*|BUILDAH_.*|STORAGE_.*"
    r"|REGISTRY_AUTH_FILE|SSH_.*|DBUS_.*|LD_.*|NOTIFY_.*|LISTEN_.*|GO[A-Z]+"
    r"|(https?|no|all)_proxy|_CONTAINERS_.*|CNI_.*|NETAVARK_.*|SSL_CERT_.*"
    # What the shell and the C library around it read.
    r"|ENV|BASH_.*|SHELLOPTS|IFS|PS4|GCONV_PATH|LOCPATH|GLIBC_.*|MALLOC_.*|RES_.*|HOSTALIASES",
    re.IGNORECASE,
)


def answer(engine: str, environment: Mapping[str, str] | None = None) -> str:
    """Return why an engine does not work here at this moment, "" when it does."""
    if shutil.which(engine) is None:
        return "it is not installed"
    try:
        done = subprocess.run(
            [engine, *_PROBES[engine]],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it does not answer: {type(error).__name__}"
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        return said[-1] if said else f"it ends with exit code {done.returncode}"
    return ""


@cache
def why_not(engine: str) -> str:
    """Return why an engine cannot be used here, "" when it can; asked once."""
    return answer(engine)


def chosen(wanted: str, among: Sequence[str]) -> str:
    """Return the wanted engine; with `auto` the first that works, else one that is installed."""
    if wanted != AUTO:
        return wanted
    working = (each for each in among if not why_not(each))
    installed = (each for each in among if shutil.which(each))
    return next(working, next(installed, among[0]))


def is_own(variable: str) -> bool:
    """Return whether an engine's command itself reads a variable of the environment."""
    return _OWN.fullmatch(variable) is not None


def own_variables() -> dict[str, str]:
    """Return the variables of ours that an engine's command reads."""
    return {name: value for name, value in os.environ.items() if is_own(name)}


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine, and the environment in which its command works."""

    name: str
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def program(self) -> str:
        """The command itself."""
        return shutil.which(self.name, path=self.environment.get("PATH")) or self.name

    def ask(self, *words: str) -> str:
        """Return what the command prints.  Raises Unavailable when it fails."""
        code, text = self.tried(*words)
        if code:
            said = text.strip().splitlines()
            raise Unavailable(
                f"{self.name} {words[0]} fails: {said[-1] if said else code}",
                hint="see that it works by itself, or do it without: docs/guides/images.md",
            )
        return text

    def tried(self, *words: str) -> tuple[int, str]:
        """Return the exit code, with what the command prints or, of one that fails, its errors."""
        done = subprocess.run(
            [self.program, *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return done.returncode, done.stderr if done.returncode else done.stdout

    def tell(self, words: list[str], say: Callable[[str], None], **more: str) -> int:
        """Return the exit code of a command whose output is told, with `more` variables."""
        return told([self.program, *words], {**self.environment, **more}, say)
