"""What a run sees of the machine: folders and files, each in its place."""

import posixpath
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.pipeline.work import KUBECONFIG, VOLUME

PLACE = "/codefresh"
TOOLS, HOME = f"{PLACE}/bin", f"{PLACE}/home"
EXPORTS, MASKED = f"{VOLUME}/env_vars_to_export", f"{PLACE}/masked"


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of the machine, and where a run sees it."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Folders of the machine that a step sees, each in its place."""

    volume: Path
    home: Path
    temporary: Path
    tools: Path
    """Read-only: its script, and `cf_export`."""
    exports: Path
    """The file that the step appends its exports to."""
    masked: Path
    """The file of names that it wants masked."""
    kube: Path | None = None
    """The folder with its kubeconfig."""
    more: tuple[tuple[Path, str], ...] = ()
    """Other folders, and where it sees them."""

    def mounts(self) -> tuple[Mount, ...]:
        """Return everything with its place, what is inside of others after these."""
        kube = [(self.kube, posixpath.dirname(KUBECONFIG))] if self.kube else []
        return (
            Mount(str(self.temporary), "/tmp"),  # noqa: S108 - the step's own
            Mount(str(self.volume), VOLUME),
            Mount(str(self.exports), EXPORTS),
            Mount(str(self.masked), MASKED),
            Mount(str(self.home), HOME),
            Mount(str(self.tools), TOOLS, read_only=True),
            *(Mount(str(source), target) for source, target in (*kube, *self.more)),
        )
