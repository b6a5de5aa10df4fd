"""An application as its file describes it: what to run, where, and how users move to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.base.json_value import Json

Values: TypeAlias = dict[str, Json]
"""Helm values."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the Kubernetes objects of a revision come from: a Helm chart and its values."""

    chart: str
    """A folder (absolute once read from the file), an `oci://` reference, or a name in `repo`."""
    repo: str | None = None
    """Address of the chart repository that `chart` is a name in."""
    version: str | None = None
    """Chart version; needed with `oci://` and `repo`."""
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """How users reach the application inside each cluster, and through the edge."""

    host: str
    service: str
    """Name of the Service as the chart renders it with the application's name as release name."""
    port: int = 80
    """Port of that Service."""
    gateway: str = "infra/public"
    """`namespace/name` of the Gateway that the HTTPRoute attaches to."""
    probe_path: str = "/"
    """Path that edges ask for to learn whether a cluster serves; any answer below 400 is good."""
    try_seconds: float = 0.5
    """Time for one try at one cluster before an idempotent request is tried on another one."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Which clusters run the application: those that carry all the labels."""

    match_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Give the new revision this share of users, in percent."""

    percent: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, in seconds, or until somebody promotes when `seconds` is None."""

    seconds: float | None = None


Step: TypeAlias = SetWeight | Pause


class Unreachable(StrEnum):
    """What a rollout does while a cluster of it cannot be reached."""

    HOLD = "hold"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Strategy:
    """How users move from the stable revision to a new one."""

    steps: tuple[Step, ...] = ()
    """In order; all users follow after the last one."""
    unreachable: Unreachable = Unreachable.HOLD
    keep_old_seconds: float = 600.0
    """How long the old revision is kept running for a hot swap."""
    ready_seconds: float = 300.0
    """How long a new revision may take to become ready on a cluster before it has failed."""
    drain_seconds: float = 5.0
    """Time between 0 % reported by the data plane and removal."""


@dataclass(frozen=True, slots=True)
class ErrorThreshold:
    """The new revision fails when its share of failed first tries is above `max_percent`."""

    max_percent: float = 5.0
    min_requests: int = 50
    """Fewer requests than this give no verdict, neither good nor bad."""
    window_seconds: float = 30.0
    """How far back requests are counted."""


@dataclass(frozen=True, slots=True)
class Application:
    """One application file."""

    name: ApplicationName
    source: Source
    route: Route
    namespace: str = "default"
    placement: Placement = Placement()
    strategy: Strategy = Strategy()
    errors: ErrorThreshold | None = ErrorThreshold()
    """None: nothing is judged, and steps pass on readiness alone."""
    edge_weights: Mapping[ClusterName, int] = field(default_factory=dict)
    """Shares of users per cluster as proportions; a cluster that is not named weighs 100."""
