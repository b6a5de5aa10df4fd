"""
A cloud is taken out on purpose, to know that its users get by without it.  Pure.

Edges find nobody there, as when it is lost; everything after that is what a loss would set off.
Users are counted all the while.  When more requests fail than the budget allows, or anything else
goes wrong, the way to the cloud is open again at once; it is at the deadline in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.core.failover.standing import Presence

BASELINE_SECONDS = 3.0
"""For how long users are counted before anything is done to them."""
NOTICED_SECONDS = 0.5
"""When probes would have noticed a loss: until then users' requests are what finds out."""
EXCUSED_SECONDS = 12.0
"""For so long, as edges' tallies reach back, nothing seen during it is held against a cluster."""
RETURN_SECONDS = 30.0
"""How long the return is watched."""
SHORTEST_SECONDS, LONGEST_SECONDS = 5.0, 3600.0
DEFAULT_SECONDS = 60.0


class Phase(StrEnum):
    """Where a drill stands."""

    ASKED = "asked"
    """Users are counted as they are."""
    OUT = "out"
    """Nobody gets through to the cluster."""
    RETURNING = "returning"
    """The way is open again; users come back, and what was seen meanwhile grows old."""
    ENDED = "ended"


class Outcome(StrEnum):
    """What came of it."""

    MET = "met"
    """Every objective was met."""
    MISSED = "missed"
    """Users were not served by others in the time that was declared."""
    MEASURED = "measured"
    """No application that has users there declares how long it may take."""
    ABORTED = "aborted"
    """Users were brought back before the time."""
    REFUSED = "refused"
    """Nothing was done."""
    POSSIBLE = "possible"
    """Only asked: it would have been done."""


FAILED = frozenset({Outcome.MISSED, Outcome.ABORTED, Outcome.REFUSED})
"""Outcomes that somebody should look at."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What an application promises of the loss of a cloud."""

    recovery_seconds: float | None = None
    """Until its users are served by others; None: nothing is declared."""
    error_budget_percent: float = 0.1
    """Of all requests in the time of a drill, how many may fail."""


@dataclass(frozen=True, slots=True)
class Course:
    """How users of one application fare."""

    application: ApplicationName
    objective: Objective
    baseline_requests: int = 0
    """Of users, before."""
    baseline_failed: int = 0
    requests: int = 0
    """Of users, while the cluster is out."""
    failed: int = 0
    recovered_at: float | None = None
    """When an edge first reported users served by others, after the last that said otherwise."""

    def requests_per_second(self) -> float:
        """Return what users asked for before."""
        return self.baseline_requests / BASELINE_SECONDS

    def budget(self, seconds: float) -> float:
        """Return how many requests may fail in a drill of so many seconds."""
        expected = max(self.requests_per_second() * seconds, float(self.requests))
        return expected * self.objective.error_budget_percent / 100


@dataclass(frozen=True, slots=True)
class Drill:
    """Saved before anybody acts, and kept."""

    number: int
    cluster: ClusterName
    seconds: float
    """How long the cluster is out."""
    asked_at: float
    courses: tuple[Course, ...]
    """Of all applications that have users there."""
    dry_run: bool = False
    phase: Phase = Phase.ASKED
    began_at: float | None = None
    """When the cluster was taken out."""
    opened_at: float | None = None
    """When the way to it was opened again."""
    returned_at: float | None = None
    """When its users were seen to be back."""
    stopped: str = ""
    """Who wants it to end now."""
    presence: Presence | None = None
    """Where the cluster stood before; it stands there again afterwards."""
    outcome: Outcome | None = None
    reason: str = ""

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self.phase is not Phase.ENDED

    def recovery_seconds(self, course: Course) -> float | None:
        """Return how long it took until the application's users were served by others."""
        if self.began_at is None or course.recovered_at is None:
            return None
        return course.recovered_at - self.began_at


@dataclass(frozen=True, slots=True)
class Count:
    """What one edge has newly reported of users of one application."""

    application: ApplicationName
    at: float
    requests: int
    failed: int
    tried: int
    """How many tries met the cluster that is out, whether users noticed or not."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a step of a drill depends on."""

    counts: Sequence[Count]
    """Those that were not seen before, oldest first."""
    silent: str = ""
    """Why nobody knows how users fare, "" while edges report."""
    others_away: tuple[ClusterName, ...] = ()
    """Other clusters that cannot serve either."""
    objections: tuple[str, ...] = ()
    """What speaks against beginning."""
    ours: bool = True
    """Whether this hub has counted since the cluster was taken out."""
    serving: bool = False
    """Whether the cluster is seen to serve, and has its users."""
    presence: Presence | None = None
    """Where the cluster stands."""


def advance(drill: Drill, sight: Sight, now: float) -> Drill:
    """Return the drill after a look."""
    match drill.phase:
        case Phase.ASKED:
            return _asked(_with_baseline(drill, sight), sight, now)
        case Phase.OUT:
            return _out(_with_counts(drill, sight), sight, now)
        case Phase.RETURNING:
            return _returning(drill, sight, now)
        case Phase.ENDED:
            return drill
        case _:
            assert_never(drill.phase)


def cut(drill: Drill | None, cluster: ClusterName) -> bool:
    """Say whether nobody is to get through to the cluster now."""
    return drill is not None and drill.phase is Phase.OUT and drill.cluster == cluster


def noticed(drill: Drill, now: float) -> bool:
    """Say whether probes would have noticed by now."""
    return drill.began_at is not None and now - drill.began_at >= NOTICED_SECONDS


def given_back(drill: Drill | None, now: float) -> Presence | None:
    """Return how the cluster stands again after a drill, None when that is no matter of drills."""
    if drill is None or drill.phase is not Phase.RETURNING or drill.opened_at is None:
        return None
    return drill.presence if now - drill.opened_at < EXCUSED_SECONDS else None


def _with_baseline(drill: Drill, sight: Sight) -> Drill:
    def added(course: Course) -> Course:
        mine = [each for each in sight.counts if each.application == course.application]
        return replace(
            course,
            baseline_requests=course.baseline_requests + sum(each.requests for each in mine),
            baseline_failed=course.baseline_failed + sum(each.failed for each in mine),
        )

    return replace(drill, courses=tuple(added(each) for each in drill.courses))


def _with_counts(drill: Drill, sight: Sight) -> Drill:
    courses = {each.application: each for each in drill.courses}
    for count in sight.counts:
        course = courses.get(count.application)
        if course is not None:
            courses[count.application] = _counted(course, count)
    return replace(drill, courses=tuple(courses.values()))


def _counted(course: Course, count: Count) -> Course:
    allowed = count.requests * course.objective.error_budget_percent / 100
    well = count.tried == 0 and count.failed <= allowed
    since = course.recovered_at if course.recovered_at is not None else count.at
    return replace(
        course,
        requests=course.requests + count.requests,
        failed=course.failed + count.failed,
        recovered_at=since if well else None,
    )


def _asked(drill: Drill, sight: Sight, now: float) -> Drill:
    if drill.stopped:
        return _ended(drill, Outcome.REFUSED, drill.stopped)
    if now - drill.asked_at < BASELINE_SECONDS:
        return drill
    against = _objections(drill, sight)
    if against:
        return _ended(drill, Outcome.REFUSED, "; ".join(against))
    if drill.dry_run:
        return _ended(drill, Outcome.POSSIBLE, "nothing speaks against it")
    return replace(drill, phase=Phase.OUT, began_at=now, presence=sight.presence)


def _objections(drill: Drill, sight: Sight) -> tuple[str, ...]:
    found = [sight.silent] if sight.silent else []
    if sight.others_away:
        found.append(f"{', '.join(sight.others_away)} cannot serve either")
    found += sight.objections
    asked = sum(each.baseline_requests for each in drill.courses)
    if not found and asked == 0:
        found.append("nobody asks for anything, so nothing would be learnt")
    for each in drill.courses:
        allowed = each.baseline_requests * each.objective.error_budget_percent / 100
        if each.baseline_failed > allowed:
            found.append(
                f"{each.baseline_failed} of {each.baseline_requests} requests of"
                f" {each.application} fail already, more than its budget of"
                f" {each.objective.error_budget_percent:g} %"
            )
    return tuple(found)


def _out(drill: Drill, sight: Sight, now: float) -> Drill:
    trouble = _trouble(drill, sight)
    if trouble:
        return replace(
            drill, phase=Phase.RETURNING, opened_at=now, outcome=Outcome.ABORTED, reason=trouble
        )
    if drill.began_at is not None and now - drill.began_at < drill.seconds:
        return drill
    outcome, reason = _judged(drill)
    return replace(drill, phase=Phase.RETURNING, opened_at=now, outcome=outcome, reason=reason)


def _trouble(drill: Drill, sight: Sight) -> str:
    """Return why users must come back now, "" when they need not."""
    if drill.stopped:
        return drill.stopped
    if not sight.ours:
        return "the hub was started anew, and nobody has counted meanwhile"
    if sight.silent:
        return sight.silent
    if sight.others_away:
        return f"{', '.join(sight.others_away)} cannot serve either"
    for each in drill.courses:
        budget = each.budget(drill.seconds)
        if each.failed > budget:
            return (
                f"{each.failed} of {each.requests} requests of {each.application} failed; its"
                f" budget of {each.objective.error_budget_percent:g} % is {budget:.0f}"
            )
    return ""


def _judged(drill: Drill) -> tuple[Outcome, str]:
    late = [each for each in drill.courses if meets(drill, each) is False]
    if late:
        return Outcome.MISSED, "; ".join(_late(drill, each) for each in late)
    if any(each.objective.recovery_seconds is not None for each in drill.courses):
        return Outcome.MET, "users were served by others in time"
    return Outcome.MEASURED, "users were served by others; no objective is declared"


def meets(drill: Drill, course: Course) -> bool | None:
    """Say whether the course met its objective; None when it declares no time, and recovered."""
    took, declared = drill.recovery_seconds(course), course.objective.recovery_seconds
    if took is None:
        return False
    return None if declared is None else took <= declared


def _late(drill: Drill, course: Course) -> str:
    took, declared = drill.recovery_seconds(course), course.objective.recovery_seconds
    if took is None:
        return f"users of {course.application} were not served by others all the time"
    return f"{course.application} took {took:.1f} s, and {declared:g} s are declared"


def _returning(drill: Drill, sight: Sight, now: float) -> Drill:
    if sight.serving and drill.returned_at is None:
        drill = replace(drill, returned_at=now)
    watched = 0.0 if drill.opened_at is None else now - drill.opened_at
    if drill.returned_at is not None and watched >= EXCUSED_SECONDS:
        return replace(drill, phase=Phase.ENDED)
    if watched < RETURN_SECONDS:
        return drill
    late = f"its users were not back {RETURN_SECONDS:g} s later"
    return replace(drill, phase=Phase.ENDED, reason=f"{drill.reason}; {late}")


def _ended(drill: Drill, outcome: Outcome, reason: str) -> Drill:
    return replace(drill, phase=Phase.ENDED, outcome=outcome, reason=reason)
