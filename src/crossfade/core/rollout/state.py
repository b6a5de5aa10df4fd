"""One rollout: what it set out to do, where it stands, and what is seen of it."""

from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.analysis.thresholds import Judgement, Verdict
from crossfade.core.application import ErrorThreshold, Strategy
from crossfade.core.release.revision import Revision


class Phase(StrEnum):
    """Where a rollout stands."""

    INSTALLING = "installing"
    """The new revision is put on every cluster; no user meets it."""
    PROGRESSING = "progressing"
    """It has the share of the current step."""
    PROMOTING = "promoting"
    """It is given all users."""
    ROLLING_BACK = "rolling-back"
    """Users go back to the stable revision; lasts until every cluster has confirmed."""
    ENDED = "ended"


class Outcome(StrEnum):
    """How a rollout ended."""

    NONE = ""
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled-back"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class State:
    """What we want, saved before we act."""

    phase: Phase = Phase.INSTALLING
    percent: int = 0
    """The share of users that the new revision should have."""
    step: int = 0
    """Index of the current step; equal to the number of steps after the last."""
    phase_since: float = 0.0
    """When the phase began."""
    level_since: float | None = None
    """When all clusters had confirmed `percent`, None while they have not."""
    paused: bool = False
    """Held by a person."""
    passed: int = -1
    """Highest step that a person let pass without a verdict."""
    full: bool = False
    """A person asked to give it all users without further steps."""
    abort: str = ""
    """Why a person wants the users back on the stable revision; "" while nobody does."""
    reason: str = ""
    """Why it is where it is, for people."""
    outcome: Outcome = Outcome.NONE
    pending: tuple[ClusterName, ...] = ()
    """Clusters that have not confirmed the roll back."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Moves the fleet's users from `stable` to `canary`."""

    application: ApplicationName
    number: int
    canary: Revision
    stable: Revision | None
    """None for the first deployment: there is nothing to compare with or to go back to."""
    strategy: Strategy
    errors: ErrorThreshold | None
    started_at: float
    swap: bool = False
    """Back to a revision that was proven before: all users at once, without steps or verdict."""
    state: State = field(default_factory=State)

    @property
    def active(self) -> bool:
        """Whether it still has something to do."""
        return self.state.phase is not Phase.ENDED


@dataclass(frozen=True, slots=True)
class ClusterSight:
    """What is seen of one cluster that the rollout covers."""

    cluster: ClusterName
    reachable: bool
    """False: its API server is down, so that nothing can be asked of it."""
    converged: bool
    """Its data plane has confirmed the wanted shares since it was last lost."""
    canary_ready: bool
    stable_whole: bool
    """The stable revision runs with all its pods."""
    trouble: str = ""
    """Why it cannot be reached, the new revision is not ready, or the route not in force."""
    refused: bool = False
    """The cluster refused the new revision's objects, or its pods will never be ready."""


NOT_JUDGED = Judgement(Verdict.UNKNOWN, 0, 0, "nothing is judged yet")


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that a decision depends on, read just before it."""

    clusters: tuple[ClusterSight, ...]
    judgement: Judgement = NOT_JUDGED


@dataclass(frozen=True, slots=True)
class Decision:
    """The state to save, with its reason."""

    want: State
    reason: str
