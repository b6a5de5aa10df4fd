"""What we remember of builds in clusters, and of their runs, on this machine."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.adapters.runners.pods.logs import Position
from crossfade.adapters.runners.run_files import read, write
from crossfade.base.codec import from_json, to_json
from crossfade.core.pipeline.state import Status
from crossfade.core.pipeline.variables import Variable
from crossfade.ports.runner import RunId


@dataclass(frozen=True, slots=True)
class Home:
    """Where a build has its workspace."""

    cluster: str
    epoch: int
    """Counts the workspaces of the build."""
    token: str
    """What the server of the files asks for."""
    left: tuple[tuple[str, int], ...] = ()
    """Clusters and epochs that it has left, and where something of it may still be."""
    served: bool = False
    """Its files have been reached."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run has ended; it is remembered when its pod is gone."""

    status: Status
    why: str = ""
    exports: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """One run that was asked for."""

    here: bool
    """It runs on this machine, not in a pod."""
    cluster: str = ""
    epoch: int = 0
    pod: str = ""
    mains: tuple[str, ...] = ()
    """The containers that decide."""
    gates: tuple[str, ...] = ()
    """Those that end well before these begin."""
    beside: tuple[str, ...] = ()
    """Services, which print too."""
    services: tuple[str, ...] = ()
    """Names by which these are found."""
    secrets: tuple[str, ...] = ()
    """Its Secrets."""
    serves: bool = False
    """It goes on until it is stopped."""
    created: bool = False
    """Its pod has been there."""
    stopped: bool = False
    """We have ended it."""
    end: End | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """How much of what a run prints has been kept here."""

    size: int = 0
    positions: dict[str, Position] = field(default_factory=dict)
    """By container."""
    secrets: tuple[str, ...] = ()
    """What the run wanted masked by then."""


class PodRecords:
    """Files below the folder of each build, which only their owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def installation(self) -> str:
        """Return what tells our objects from those of others in a cluster."""
        path = self._folder / "installation"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write(path, secrets.token_hex(3))
        return read(path).strip()

    def home(self, build: str) -> Home | None:
        """Return where the build has its workspace, None when it has none."""
        text = read(self._of(build) / "home.json")
        return from_json(Home, json.loads(text)) if text else None

    def save_home(self, build: str, home: Home) -> None:
        """Remember where the build has its workspace."""
        self._write(self._of(build) / "home.json", json.dumps(to_json(home)))

    def agreed(self, build: str, epoch: int) -> Path:
        """Return the file of how our copy and the workspace were alike."""
        return self._of(build) / f"agreed-{epoch}.json"

    def known(self, run: RunId) -> Known | None:
        """Return what is known of a run, None when it was never asked for."""
        text = read(self._run(run) / "known.json")
        return from_json(Known, json.loads(text)) if text else None

    def save(self, run: RunId, known: Known) -> None:
        """Remember how a run stands."""
        self._write(self._run(run) / "known.json", json.dumps(to_json(known)))

    def printed(self, run: RunId) -> Printed:
        """Return how much of its output is kept here."""
        text = read(self._run(run) / "printed.json")
        return from_json(Printed, json.loads(text)) if text else Printed()

    def output(self, run: RunId) -> Path:
        """Return the file with its output."""
        return self._run(run) / "output"

    def add(self, run: RunId, data: bytes, printed: Printed) -> None:
        """Keep a piece of output; `printed` is how much there is then."""
        path = self.output(run)
        with path.open("ab") as file:
            file.truncate(printed.size - len(data))  # what nobody wrote down comes again
            file.seek(0, 2)
            file.write(data)
        self._write(self._run(run) / "printed.json", json.dumps(to_json(printed)))

    def drop(self, run: RunId) -> None:
        """Forget what the run printed, not how it ended."""
        for name in ("output", "printed.json"):
            (self._run(run) / name).unlink(missing_ok=True)

    def _of(self, build: str) -> Path:
        return self._folder / build / "pods"

    def _run(self, run: RunId) -> Path:
        digest = hashlib.sha256(run.key.encode()).hexdigest()[:16]
        return self._of(run.build) / f"{run.generation}-{digest}-{run.number}"

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write(path, text)
