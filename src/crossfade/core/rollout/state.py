"""One rollout: what it set out to do, where it stands, and what is seen of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.analysis.judgement import Judgement, Run, Verdict
from crossfade.core.analysis.spec import Analysis
from crossfade.core.failover.during_rollout import Interruption, Shift
from crossfade.core.failover.evidence import Condition, Statement
from crossfade.core.release.report import Cause
from crossfade.core.release.revision import Revision
from crossfade.core.rollout.spec import SetHeaderRoute, Strategy


class Phase(StrEnum):
    """Where a rollout stands."""

    INSTALLING = "installing"
    """The new revision is put on the first clusters; no user meets it."""
    PROGRESSING = "progressing"
    """It goes through its steps, cluster by cluster."""
    PROMOTING = "promoting"
    """All steps are passed, and the last clusters are given all their users."""
    ROLLING_BACK = "rolling-back"
    """Users go back to the stable revision; lasts until every cluster has confirmed."""
    ENDED = "ended"


class Outcome(StrEnum):
    """How a rollout ended."""

    NONE = ""
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled-back"
    SUPERSEDED = "superseded"


class ClusterPhase(StrEnum):
    """Where one cluster of a rollout stands."""

    WAITING = "waiting"
    """For its wave, or for the first cluster to run the new revision."""
    INSTALLING = "installing"
    STEPPING = "stepping"
    DONE = "done"
    """All its users have the new revision, and its data plane has confirmed it."""
    BACK = "back"
    """All its users were given back to the stable revision, here only or everywhere."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where one cluster stands."""

    phase: ClusterPhase = ClusterPhase.WAITING
    step: int = 0
    """Index of its current step; equal to the number of steps after the last."""
    percent: float = 0.0
    """Share of the cluster's users that the new revision should have."""
    scale: int = 0
    """Percent of the chart's pods that the new revision should run."""
    fixed_scale: int | None = None
    """Set by a step; None: it follows the share."""
    headers: tuple[SetHeaderRoute, ...] = ()
    mirror: int = 0
    since: float = 0.0
    """When its phase or step began."""
    level_since: float | None = None
    """Since when its data plane has confirmed all this, None while it has not."""
    late: bool = False
    """It was away and left out; it follows the others, and counts again when it has caught up."""
    reason: str = ""

    @property
    def meets_users(self) -> bool:
        """Whether any request of a user, or a copy of one, may reach the new revision."""
        return self.percent > 0 or bool(self.headers) or self.mirror > 0

    def without_users(self, now: float) -> "Progress":
        """Return the cluster with no request of a user going to the new revision from now on."""
        return replace(self, percent=0.0, headers=(), mirror=0, since=now, level_since=None)

    def exceeds(self, other: "Progress") -> bool:
        """Say whether anybody would meet the new revision here who would not in `other`."""
        more = self.percent > other.percent or self.mirror > other.mirror
        return more or not set(self.headers) <= set(other.headers)


@dataclass(frozen=True, slots=True)
class State:
    """What we want, saved before we act."""

    phase: Phase = Phase.INSTALLING
    clusters: Mapping[ClusterName, Progress] = field(default_factory=dict)
    wave: int = 0
    wave_over: float | None = None
    """When the last cluster of the wave was done, None before."""
    phase_since: float = 0.0
    """When the phase began."""
    held_since: float | None = None
    """Since when nothing moves; the clocks of steps stand still meanwhile."""
    paused: bool = False
    """Held by a person."""
    passed: int = -1
    """Highest step that a person let pass without a verdict."""
    approved: int = -1
    """Highest step of an approval that a person gave."""
    without: tuple[ClusterName, ...] = ()
    """Clusters that went back alone, and that a person goes on without."""
    full: bool = False
    """A person asked to give it all users without further steps."""
    restart: bool = False
    """A person asked to begin again with the first step."""
    abort: str = ""
    """Why a person wants the users back on the stable revision; "" while nobody does."""
    reason: str = ""
    """Why it is where it is, for people."""
    outcome: Outcome = Outcome.NONE
    pending: tuple[ClusterName, ...] = ()
    """Clusters that have not confirmed the roll back."""
    interruption: Interruption | None = None
    """Set while it stands still because a cluster was lost, or users return to one."""
    shift: Shift | None = None
    """The newest move of users between clusters; what is counted around it is not judged."""

    @property
    def percent(self) -> float:
        """Return the largest share of users that any cluster should give the new revision."""
        return max((each.percent for each in self.clusters.values()), default=0.0)

    @property
    def step(self) -> int:
        """Return the step of the hindmost cluster that goes through its steps, or went."""
        steps: dict[ClusterPhase, list[int]] = {}
        for each in self.clusters.values():
            if not each.late:
                steps.setdefault(each.phase, []).append(each.step)
        for phase in (ClusterPhase.STEPPING, ClusterPhase.DONE, ClusterPhase.BACK):
            if phase in steps:
                return min(steps[phase])
        return 0

    @property
    def meets_users(self) -> bool:
        """Whether any request of a user, or a copy of one, may reach the new revision."""
        return any(each.meets_users for each in self.clusters.values())

    def level(self, percent: float) -> bool:
        """Say whether every cluster that takes part has confirmed this share."""
        running = [
            each
            for each in self.clusters.values()
            if each.phase in {ClusterPhase.STEPPING, ClusterPhase.DONE} and not each.late
        ]
        return bool(running) and all(
            each.percent == percent and each.level_since is not None for each in running
        )


@dataclass(frozen=True, slots=True)
class Rollout:
    """Moves the fleet's users from `stable` to `canary`."""

    application: ApplicationName
    number: int
    canary: Revision
    stable: Revision | None
    """None for the first deployment: there is nothing to compare with or to go back to."""
    strategy: Strategy
    analysis: Analysis
    started_at: float
    swap: bool = False
    """Back to a revision that was proven before: all users at once, without steps or verdict."""
    once: str = ""
    """What asked for it; whoever asks again with the same key means this rollout."""
    traceparent: str = ""
    """The place in a trace of what asked for it, as W3C Trace Context has it."""
    state: State = field(default_factory=State)

    @property
    def active(self) -> bool:
        """Whether it still has something to do."""
        return self.state.phase is not Phase.ENDED

    @property
    def direct(self) -> bool:
        """Whether users are moved at once, without steps and without a verdict."""
        return self.stable is None or self.swap


@dataclass(frozen=True, slots=True)
class ClusterSight:
    """What is seen of one cluster that the rollout covers."""

    cluster: ClusterName
    reachable: bool
    """False: its API server is down or its nodes are gone, so that nothing can be asked of it."""
    converged: bool
    """Its data plane has confirmed the wanted split since it was last lost."""
    canary_ready: bool
    """All pods of the new revision that its present scale asks for are ready."""
    stable_whole: bool
    """The stable revision runs with all its pods."""
    trouble: str = ""
    """Why it cannot be reached, the new revision is not ready, or the route not in force."""
    refused: bool = False
    """The cluster refused the new revision's objects, or its pods will never be ready."""
    cause: Cause = Cause.NONE
    """Whose fault it is that the new revision is not ready."""
    scale: int = 100
    """Percent of the chart's pods that the cluster has been asked to run."""
    wave: int = 0
    condition: Condition = Condition.HEALTHY
    """Lost, or so grey that its users leave; all other doubts do not interrupt a rollout."""
    lost_at: float | None = None
    """When its users had to leave; None while it may have users."""
    left: bool = True
    """No user is sent there any more, as far as that is wanted."""
    return_until: float = 0.0
    """Until when its users are on their way back."""
    only_new_fails: bool = False
    """Half of the new revision's requests fail beside an old one that serves well."""
    statement: Statement = Statement.FINE
    """What it has said of itself since its users are not served."""


NOT_JUDGED = Judgement(Verdict.UNKNOWN, 0, 0, "nothing is judged yet")


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that a decision depends on, read just before it."""

    clusters: tuple[ClusterSight, ...]
    judgement: Judgement = NOT_JUDGED
    runs: Mapping[str, Run] = field(default_factory=dict)
    """The analysis runs of the application's file, by name."""
    frozen: str = ""
    """Why users must not rise at this time, "" when they may."""
    closed: Mapping[str, str] = field(default_factory=dict)
    """Gates that are not open and hooks that have not succeeded, with the reason."""
    unwanted: str = ""
    """Why a hook wants the users taken back, "" when none does."""

    def of(self, cluster: ClusterName) -> ClusterSight | None:
        """Return what is seen of the cluster, None when the rollout does not cover it."""
        return next((each for each in self.clusters if each.cluster == cluster), None)


@dataclass(frozen=True, slots=True)
class Decision:
    """The state to save, with its reason."""

    want: State
    reason: str
