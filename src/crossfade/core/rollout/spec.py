"""How users move from the stable revision to a new one, as the application's file says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from crossfade.base.ids import ClusterName
from crossfade.core.rollout.freeze import FreezeWindow
from crossfade.core.rollout.gates import Gate, Hook
from crossfade.core.traffic.split import HeaderMatch, Sticky


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Give the new revision this share of users, in percent."""

    percent: int
    step: Literal["setWeight"] = field(default="setWeight", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, in seconds, or until somebody promotes when `seconds` is None."""

    seconds: float | None = None
    step: Literal["pause"] = field(default="pause", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class SetScale:
    """Run this percentage of the chart's pods of the new revision; None follows its share again."""

    percent: int | None = None
    step: Literal["setScale"] = field(default="setScale", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class SetHeaderRoute:
    """Send requests that meet all matches to the new revision; no matches take the route away."""

    name: str
    matches: tuple[HeaderMatch, ...] = ()
    step: Literal["setHeaderRoute"] = field(default="setHeaderRoute", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class SetMirror:
    """Copy this percentage of requests to the new revision; 0 ends it."""

    percent: int
    step: Literal["setMirror"] = field(default="setMirror", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class Analyse:
    """
    Wait for a verdict.

    Without a `run`, the judge must have proven the new revision good, or have found nothing
    against it for `seconds`.
    """

    run: str | None = None
    """Name of one of the application's analysis runs."""
    seconds: float | None = None
    step: Literal["analysis"] = field(default="analysis", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class Approval:
    """Wait until somebody approves, with name and reason."""

    message: str = ""
    step: Literal["approval"] = field(default="approval", kw_only=True, repr=False)


@dataclass(frozen=True, slots=True)
class Ramp:
    """Raise the share as fast as the risk budget allows, until the new revision is proven."""

    max_percent: float = 50.0
    step: Literal["ramp"] = field(default="ramp", kw_only=True, repr=False)


# Each carries its name, so that what is saved of one is never read as another.
Step: TypeAlias = (
    SetWeight | Pause | SetScale | SetHeaderRoute | SetMirror | Analyse | Approval | Ramp
)


class Kind(StrEnum):
    """The strategy as people know it; steps say what it does."""

    CANARY = "canary"
    BLUE_GREEN = "blue-green"
    A_B = "a-b"
    ROLLING = "rolling"


class Unreachable(StrEnum):
    """What a rollout does while a cluster of it cannot be reached."""

    HOLD = "hold"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Wave:
    """Clusters that go together: those that are named, or carry all the labels."""

    clusters: tuple[ClusterName, ...] = ()
    match_labels: Mapping[str, str] = field(default_factory=dict)
    pause_seconds: float = 0.0
    """Between the end of this wave and the begin of the next one."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """After any of these the rollout has failed; pauses, approvals and holds do not count."""

    ready_seconds: float = 300.0
    """For a new revision to become ready on a cluster."""
    step_seconds: float | None = None
    """For one step to be confirmed by a cluster."""
    whole_seconds: float | None = None
    """For all of it, with pauses, approvals and holds."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How users move from the stable revision to a new one."""

    steps: tuple[Step, ...] = ()
    """In order, in each cluster; all its users follow after the last one."""
    kind: Kind = Kind.CANARY
    in_place: bool = False
    """Pods are replaced in one release instead of beside it, StatefulSets by partition."""
    waves: tuple[Wave, ...] = ()
    """In order; clusters of no wave go last, together."""
    max_skew: int = 0
    """How many steps clusters of a wave may be apart."""
    max_versions: int | None = None
    """How many versions may have users at once, on all clusters, lost ones too; None: any."""
    quorum: int = 0
    """How many clusters must take part for users to rise; 0: as many as `unreachable` says."""
    unreachable: Unreachable = Unreachable.HOLD
    keep_old_seconds: float | None = 600.0
    """How long the old revision is kept running for a hot swap; None: for ever."""
    keep_limit: int = 3
    """How many old revisions are kept at most."""
    revision_window: int = 0
    """Going back to one of this many newest revisions skips the steps, kept running or not."""
    deadlines: Deadlines = Deadlines()
    drain_seconds: float = 5.0
    """Time between 0 % reported by the data plane and removal."""
    sticky: Sticky | None = None
    freeze: tuple[FreezeWindow, ...] = ()
    """Times in which no users rise."""
    gates: tuple[Gate, ...] = ()
    hooks: tuple[Hook, ...] = ()
    survive: int = 0
    """Pods of the new revision are enough for its share after this many clusters are lost."""
