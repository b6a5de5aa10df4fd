"""A cluster of the fleet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import ClusterName


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kubernetes API endpoint with what Crossfade must know of it."""

    name: ClusterName
    context: str
    """Context in `kubeconfig`."""
    kubeconfig: str
    """Absolute path of the kubeconfig file; credentials stay there, they are never copied."""
    provider: str = "unknown"
    region: str = "unknown"
    preemptible: bool = False
    usd_per_cpu_hour: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    capacity: int | None = None
    """Requests per second that it carries, of all applications; None: nobody has said."""

    @property
    def cloud(self) -> str:
        """The failure domain: clusters of one cloud fail together."""
        return f"{self.provider}/{self.region}"
