"""What people decide about pods of steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PodOptions:
    """Where pods of steps go, and what they may use."""

    namespace: str = "crossfade-pipelines"
    files_image: str = "python:3-alpine"
    """Serves the workspace of a build; it needs Python."""
    tools_image: str = "alpine/k8s:1.29.2"
    """Runs built-in steps that need bash, kubectl and helm."""
    storage: str = "10Gi"
    """Room of a workspace, and of the homes of its steps."""
    storage_class: str = ""
    """"": the cluster's default."""
    requests: Mapping[str, str] = field(default_factory=lambda: {"cpu": "100m", "memory": "128Mi"})
    """Of each step, unless its pipeline says otherwise."""
    lost_seconds: float = 60.0
    """A cluster, or a workspace in it, that has not answered for so long is taken for lost."""
    ready_seconds: float = 30.0
    """A start waits so long for the workspace; then it may be tried again."""
    begin_seconds: float = 300.0
    """The same of a workspace that has never answered: images are pulled, disks are made."""
    idle_seconds: float = 180.0
    """A workspace that nobody asks for goes for so long; it is made again from our copy."""
    most_seconds: int = 24 * 3600
    """No pod goes on for longer."""
