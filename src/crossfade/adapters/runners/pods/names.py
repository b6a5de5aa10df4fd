"""Names of what a build has in a cluster: each follows from what it is for."""

import hashlib
import re
from dataclasses import dataclass

from crossfade.ports.runner import RunId

INSTALLATION = "crossfade.dev/installation"
BUILD = "crossfade.dev/build"
WORKSPACE = "crossfade.dev/workspace"
STEP = "crossfade.dev/step"
ROLE = "crossfade.dev/role"
MANAGED_BY = {"app.kubernetes.io/managed-by": "crossfade"}


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one workspace of one build in one cluster."""

    installation: str
    """Whose build it is: several hubs may use a cluster."""
    build: str
    epoch: int
    """Counts the workspaces of the build: each one is new."""

    @property
    def workspace(self) -> str:
        """The claim, and the Job, the Secret and the pod that serve its files."""
        return f"crossfade-{self.installation}-{self.build}-{self.epoch}"

    def run(self, run: RunId) -> str:
        """Return the name of the pod of a run; people recognise the step in it."""
        digest = hashlib.sha256(str(run).encode()).hexdigest()[:10]
        slug = re.sub(r"[^a-z0-9]+", "-", run.key.lower())[:16].strip("-")
        return "-".join(part for part in (self.workspace, slug, digest) if part)

    def labels(self, role: str, key: str = "") -> dict[str, str]:
        """Return the labels of an object; `key` is the step that it belongs to."""
        found = {
            **MANAGED_BY,
            INSTALLATION: self.installation,
            BUILD: self.build,
            WORKSPACE: self.workspace,
            ROLE: role,
        }
        step = re.sub(r"[^A-Za-z0-9_.-]+", "-", key)[:63].strip("-_.")
        return {**found, STEP: step} if step else found
