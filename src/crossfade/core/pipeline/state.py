"""What is remembered of one build: plain values, saved after every decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.core.pipeline.variables import Variable

BUILD = ""
"""The key of the build itself, which is planned like a step that contains all others."""


class Result(StrEnum):
    """How a step stands, in the words of `when` and of `steps.NAME.result`."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "pending-approval"
    SUCCESS = "success"
    FAILURE = "failure"
    SKIPPED = "skipped"
    APPROVED = "approved"
    DENIED = "denied"
    TERMINATING = "terminating"
    TERMINATED = "terminated"

    @property
    def good(self) -> bool:
        """Whether what comes next may come."""
        return self in (Result.SUCCESS, Result.APPROVED, Result.SKIPPED)


class Phase(StrEnum):
    """Where a step is in its life."""

    BEFORE = "before"
    """Its hook on_elected runs."""
    BODY = "body"
    OUTCOME = "outcome"
    """Its hook on_success or on_fail runs."""
    FINISH = "finish"
    """Its hook on_finish runs."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class UnitState:
    """One step that has been decided on; steps that are still pending have no state."""

    phase: Phase
    result: Result
    since: float
    """When it was decided on."""
    reason: str = ""
    ended: float | None = None
    outcome: Result | None = None
    """How the step itself ended, while its hooks still run."""
    run: int = 0
    """Counts the starts; each has an identity of its own, so that none is started twice."""
    attempt: int = 1
    lost: int = 0
    """Runs that ended because a machine did, or that were killed; they use up no attempt."""
    began: float = 0.0
    """When the current run was asked for."""
    not_before: float | None = None
    """The next run waits until then."""
    held: bool = False
    """The next run waits for the services of the whole build."""
    stop: Result | None = None
    """The run is to end, and then counts as this."""
    sees: int = 0
    """How many exports the run sees: those that came before it."""
    members: Mapping[str, str] = field(default_factory=dict)
    """What the step tells others, as imageName or output.URL; `self` is the step's own value."""
    active: int = 0
    """Of the block that runs for it now: steps under way."""
    settled: int = 0
    failed: int = 0
    """Failures that count."""
    strict: int = 0
    """Failures that let others go on but fail the build in the end."""
    worst: Result = Result.FAILURE
    """What the failure counts as."""
    aborted: str = ""
    """Why no more steps of the block start."""

    @property
    def working(self) -> bool:
        """Whether it waits for a run or a person, not for steps inside of it."""
        return self.phase is Phase.BODY and (self.run > 0 or self.result is Result.WAITING)

    @property
    def visible(self) -> Result:
        """The result that conditions see."""
        return self.outcome if self.outcome is not None else self.result


@dataclass(frozen=True, slots=True)
class Export:
    """A variable that a step left for later ones."""

    step: str
    variable: Variable


@dataclass(frozen=True, slots=True)
class State:
    """One build."""

    units: Mapping[str, UnitState] = field(default_factory=dict)
    active: tuple[str, ...] = ()
    """Steps under way, the build itself included, in the order of their start."""
    timed: tuple[str, ...] = ()
    """Those of them that time alone may change."""
    watching: tuple[str, ...] = ()
    """Steps that only wait for a condition to become true."""
    variables: Mapping[str, Variable] = field(default_factory=dict)
    exports: tuple[Export, ...] = ()
    terminated: str = ""
    """Why somebody ended the build."""
    services: str = ""
    """Key of the services of the whole build, from their begin until they are gone."""
    waits_for: str = ""
    """What does not answer while the build goes on, "" when everything does."""

    @property
    def result(self) -> Result:
        """How the build stands."""
        build = self.units.get(BUILD)
        if build is None:
            return Result.PENDING
        if self.ended:
            return build.result
        if self.terminated:
            return Result.TERMINATING
        leaves = [s for key in self.active if (s := self.units[key]).working]
        waiting = [each for each in leaves if each.result is Result.WAITING]
        return Result.WAITING if waiting and len(waiting) == len(leaves) else Result.RUNNING

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more."""
        build = self.units.get(BUILD)
        return build is not None and build.phase is Phase.DONE and not self.services


class Status(StrEnum):
    """What a runner says of one run."""

    RUNNING = "running"
    SERVING = "serving"
    """Its services are ready; it goes on until it is stopped."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    """It was started and is gone, through no fault of its own."""
    KILLED = "killed"
    """A signal ended it that nothing sends to itself: somebody, or a machine without memory."""

    @property
    def alive(self) -> bool:
        """Whether it goes on."""
        return self in (Status.RUNNING, Status.SERVING)


@dataclass(frozen=True, slots=True)
class RunSight:
    """What is seen of one run."""

    run: int
    status: Status
    why: str = ""
    members: Mapping[str, str] = field(default_factory=dict)
    exports: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said to an approval."""

    approved: bool
    by: str = ""
    kind: str = "user"


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is seen of the world at one moment; what is not there has not begun."""

    runs: Mapping[str, RunSight] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    terminate: str = ""
    """Why the build is to end; "" when it is not."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is wanted now, and why."""

    want: State
    reason: str
    events: tuple[tuple[str, str], ...] = ()
    """What changed: keys of steps and what is to be told of them."""
    wake_at: float | None = None
    """When time alone may change something."""
