"""What one cluster was last seen to run of one application."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.base.ids import NO_EPOCH, ApplicationName, ClusterName, Epoch, RevisionId


class Cause(StrEnum):
    """What keeps a revision from being ready: whose fault it is decides what follows."""

    NONE = ""
    """It is ready, or merely starting."""
    RESOURCES = "resources"
    """No node has room for its pods."""
    CONFIG = "config"
    """A key, a Secret, an image is missing, it crashes, or its probe fails: its own fault."""
    NODE = "node"
    """A node failed or evicted its pods: never blamed on the version."""
    REFUSED = "refused"
    """The API server, a policy or Helm refused its objects."""


@dataclass(frozen=True, slots=True)
class RevisionReport:
    """One revision in one cluster."""

    installed: bool = False
    ready: bool = False
    wanted_pods: int = 0
    ready_pods: int = 0
    trouble: str = ""
    """Why it is not ready, in the user's words."""
    refused: bool = False
    """The cluster or Helm refused its objects, or its pods are hopeless: waiting will not help."""
    cause: Cause = Cause.NONE
    scale: int = 100
    """Percent of the chart's own pods that it was last asked to run here."""
    chart_pods: int = 0
    """The chart's own number of pods, whatever runs; 0 when it is not known."""


NOT_INSTALLED = RevisionReport()


@dataclass(frozen=True, slots=True)
class Address:
    """Where the cluster's gateway is reached, and where its counters are read."""

    host: str
    port: int
    metrics_url: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The newest complete look at an application in a cluster."""

    application: ApplicationName
    cluster: ClusterName
    looked_at: float
    """When the look ended; the cluster may have changed since."""
    epoch: Epoch = NO_EPOCH
    """Epoch of the route that the data plane confirmed last; 0 if none since it was lost."""
    shares: Mapping[RevisionId, float] = field(default_factory=dict)
    """Percent per revision of that route."""
    in_force: bool = False
    """That route is the newest one; False while the data plane has not confirmed a newer one."""
    revisions: Mapping[RevisionId, RevisionReport] = field(default_factory=dict)
    idle_since: Mapping[RevisionId, float] = field(default_factory=dict)
    """Since when the data plane has confirmed 0 % for an installed revision."""
    address: Address | None = None
    trouble: str = ""
    """Why the cluster is not as wanted; "" when it is."""

    def of(self, revision: RevisionId) -> RevisionReport:
        """Return what is known of `revision` here; an unknown one is not installed."""
        return self.revisions.get(revision, NOT_INSTALLED)
