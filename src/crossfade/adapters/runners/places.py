"""Folders of builds and of their runs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from crossfade.ports.runner import RunId


@dataclass(frozen=True, slots=True)
class Places:
    """A folder with one folder for each build."""

    folder: Path

    def build(self, build: str) -> Path:
        """Return the folder of a build."""
        return self.folder / build

    def volume(self, build: str) -> Path:
        """Return the workspace of a build."""
        return self.folder / build / "volume"

    def home(self, build: str) -> Path:
        """Return the home of the steps of a build."""
        return self.folder / build / "home"

    def of(self, run: RunId) -> Path:
        """Return the folder of a run."""
        digest = hashlib.sha256(run.key.encode()).hexdigest()[:16]
        return self.folder / run.build / "runs" / f"{run.generation}-{digest}-{run.number}"
