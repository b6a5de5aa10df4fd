"""Containers of an engine: what a run makes of them, and how none of them is left."""

import hashlib
import os
import posixpath
import re
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from crossfade.adapters.images.engine import DOCKER, PODMAN, Engine, chosen, is_own
from crossfade.adapters.images.folders import walk
from crossfade.adapters.images.running import PATH
from crossfade.adapters.runners.leftovers import MARK
from crossfade.adapters.runners.view import TOOLS, Mount
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.image.documents import ImageConfig
from crossfade.core.pipeline.work import KUBECONFIG, VOLUME

_FOLDER, _RUN = "dev.crossfade.folder", "dev.crossfade.run"
"""Labels: the folder of all builds, and that of the run."""
_BUSY_SECONDS = 0.2
HOSTS = "/etc/hosts"
ENGINES = (PODMAN, DOCKER)
"""The first one that works is taken."""


class Network(StrEnum):
    """What services, and steps beside them, talk over."""

    OWN = "own"
    """A network of their own, where each is found by its name."""
    HOST = "host"
    """That of the machine, where each name has an address of its own."""


@dataclass(frozen=True, slots=True)
class Containers:
    """Where containers run, for all builds of a folder."""

    engine: str
    """`auto`, or one of ENGINES."""
    client: Mapping[str, str]
    """The variables that the engine's command works with."""
    folder: str
    network: Network = Network.OWN

    @property
    def command(self) -> Engine:
        """The engine."""
        return Engine(chosen(self.engine, ENGINES), self.client)

    def labels(self, run: str) -> list[str]:
        """Return the options that mark what belongs to a run, by its folder."""
        return ["--label", f"{_FOLDER}={self.folder}", "--label", f"{_RUN}={run}"]

    def of(self, run: str) -> tuple[str, ...]:
        """Return the ids of the containers of a run.  Raises Unavailable."""
        return tuple(self.command.ask("ps", "-aq", "--filter", f"label={_RUN}={run}").split())

    def runs(self) -> frozenset[str]:
        """Return the runs that have containers or networks.  Raises Unavailable."""
        found = []
        for kind in ("container", "network"):
            words = [kind, "ls", "--filter", f"label={_FOLDER}={self.folder}"]
            words += ["--all"] if kind == "container" else []
            for each in self.command.ask(*words, "--quiet").split():
                labels = "Config.Labels" if kind == "container" else "Labels"
                shape = f'{{{{index .{labels} "{_RUN}"}}}}'
                found.append(self._inspected(kind, each, shape))
        return frozenset(each for each in found if each)

    def _inspected(self, kind: str, name: str, shape: str) -> str:
        code, text = self.command.tried(kind, "inspect", "--format", shape, name)
        return "" if code else text.strip()

    def stop(self, run: str, seconds: float) -> None:
        """Tell the containers of a run to end, and end them after so many seconds."""
        if found := self.of(run):
            self.command.tried("stop", f"--time={max(0, round(seconds))}", *found)

    def remove(self, runs: Iterable[str]) -> None:
        """
        Return once nothing of these runs is left.  Repeatable.  Raises Unavailable.

        A network stays as long as a container of another run is on it.
        """
        given = tuple(runs)
        for each in given:  # all of them before any network, which may be of several
            self._remove_containers(each)
        for each in given:
            self._remove_networks(each)

    def _remove_containers(self, run: str) -> None:
        for _ in range(3):  # one may have been on its way
            found = self.of(run)
            if not found:
                return
            at_once = ["--time=0"] if self.command.name == PODMAN else []  # docker always does
            self.command.tried("rm", "--force", "--volumes", *at_once, *found)
        name = self.command.name
        what = f"{name} cannot remove the containers of a run"
        raise Unavailable(what, hint=f"see `{name} ps -a`", run=run)

    def _remove_networks(self, run: str) -> None:
        words = ("network", "ls", "--quiet", "--filter", f"label={_RUN}={run}")
        for _ in range(3):  # the engine may still be busy with what was on it
            found = self.command.ask(*words).split()
            if all(not self.command.tried("network", "rm", each)[0] for each in found):
                return
            time.sleep(_BUSY_SECONDS)

    def make_network(self, run: str) -> str:
        """Return the network of a run, which is made.  Raises Unavailable."""
        name = network_of(run)
        self.command.ask("network", "create", *self.labels(run), name)
        if self.command.name == PODMAN:
            shape = "{{.DNSEnabled}}"
            if self._inspected("network", name, shape) != "true":
                raise Unavailable(
                    "this podman gives containers of a network no names",
                    hint="install aardvark-dns, or set CROSSFADE_CONTAINER_NETWORK=host",
                )
        return name


def network_of(run: str) -> str:
    """Return the name of the network that the services of a run have."""
    return f"crossfade-{hashlib.sha256(run.encode()).hexdigest()[:16]}"


def name_of(run: str, what: str) -> str:
    """Return the name of a container of a run; it says to people what it is."""
    parts = Path(run).parts
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{parts[-3] if len(parts) > 2 else ''}-{what}")
    return f"crossfade-{readable[:60]}-{hashlib.sha256(f'{run}/{what}'.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Container:
    """One container, as the engine is told of it."""

    image: str
    """Its id."""
    argv: tuple[str, ...]
    mounts: tuple[Mount, ...]
    network: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    """Names that others of its network find it by."""
    directory: str = ""
    """It must be there; "": where the image says."""
    environment: Mapping[str, str] = field(default_factory=dict)
    removed: bool = True
    """The engine removes it as soon as it has ended."""


def running(
    where: Containers, run: str, container: Container, variables: Path
) -> tuple[list[str], dict[str, str]]:
    """
    Return the command that runs a container to its end, and the environment of that.

    No value of a variable is on the command line: most go through the environment, and those that
    the engine's command would take for its own through the file `variables`, which is written.
    Raises InputError for one that has no way.
    """
    first, *rest = container.argv
    words = [where.command.program, "run", *where.labels(run), "--log-driver=none", "--pull=never"]
    words += ["--security-opt=label=disable", f"--network={container.network}"]
    words += [f"--name={container.name}"] if container.name else []
    words += ["--rm"] if container.removed else []
    words += [f"--workdir={container.directory}"] if container.directory else []
    if container.network != Network.HOST:
        words += [f"--network-alias={each}" for each in container.aliases]
    for each in container.mounts:
        if each.target != HOSTS or container.network == Network.HOST:
            words.append(f"--mount={_mounted(each)}")
    own = {name: value for name, value in container.environment.items() if is_own(name)}
    passed = {name: each for name, each in container.environment.items() if name not in own}
    words += [f"--env={name}" for name in passed]
    if own:
        _write_variables(variables, own)
        words.append(f"--env-file={variables}")
    kept = {MARK: os.environ[MARK]} if MARK in os.environ else {}
    words += [f"--entrypoint={first}", container.image, *rest]
    return words, {**passed, **where.client, **kept}


def _mounted(mount: Mount) -> str:
    fields = ["type=bind", f"source={mount.source}", f"target={mount.target}"]
    fields += ["readonly"] if mount.read_only else []
    # The option is a line of CSV.
    return ",".join(
        '"' + each.replace('"', '""') + '"' if {",", '"'} & {*each} else each for each in fields
    )


def _write_variables(path: Path, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        if "\n" in value:
            raise InputError(
                f"the variable {name} has several lines, which an engine cannot be told",
                hint="give it another name, or one line",
            )
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(handle, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in variables.items())


def variables_of(
    given: Mapping[str, str], passwords: Iterable[str], config: ImageConfig, path: str
) -> dict[str, str]:
    """Return what a container is given on top of its image's own, out of the run's variables."""
    hidden = {MARK, "PATH", *passwords}
    kept = {name: value for name, value in given.items() if name not in hidden}
    return {**kept, "PATH": f"{TOOLS}:{path or config.environment.get('PATH', '') or PATH}"}


def open_to(user: str, mounts: Sequence[Mount]) -> None:
    """Let the user of an image use what it sees; nobody else gets at it, as folders above say."""
    if user.partition(":")[0] in ("", "0", "root"):
        return
    for each in mounts:
        path = Path(each.source)
        if path.stat().st_uid == os.geteuid():
            path.chmod(_mode(path, each))
        if each.target in (TOOLS, posixpath.dirname(KUBECONFIG)):
            for file in path.iterdir():
                file.chmod(_mode(file, each))
        if each.target == VOLUME:
            _open_workspace(path)


def _open_workspace(folder: Path) -> None:
    """Let everybody write what everybody may read; what is private stays so, as keys must."""
    for parent, folders, files in walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & stat.S_IROTH:
                with suppress(OSError):  # another user's
                    path.chmod(stat.S_IMODE(mode) | 0o222)


def _mode(path: Path, mount: Mount) -> int:
    if mount.read_only:
        return 0o755
    return 0o777 if path.is_dir() else 0o666
