"""What analysis says of a new revision, in the form in which rollouts act on it."""

from dataclasses import dataclass
from enum import StrEnum

from crossfade.base.ids import ClusterName


class Verdict(StrEnum):
    """Only PASS lets users rise, and only FAIL takes them back; all others hold."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    HOLD = "hold"
    """Something speaks against the new revision, not yet enough to take users back."""
    INCONCLUSIVE = "inconclusive"
    """Time is over without an answer: a person decides."""
    UNKNOWN = "unknown"
    """Telemetry is missing, or there is too little of it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the figures it rests on."""

    verdict: Verdict
    requests: int
    """Of the new revision, first tries."""
    errors: int
    reason: str
    scope: tuple[ClusterName, ...] = ()
    """Where a FAIL was found; empty: everywhere."""
    proven: bool = False
    """Good enough to be given all users: not only is nothing known against it."""
    ramp: float | None = None
    """Percent of users that the risk budget allows next; None without a ramp."""
    evidence: float = 0.0
    """Against the new revision; the judge's E, 1 is none."""
    harmed: float = 0.0
    """Requests that failed because of the new revision, as far as is known."""


@dataclass(frozen=True, slots=True)
class Run:
    """How an analysis run of the application's file stands."""

    verdict: Verdict
    reason: str
    background: bool = False
    """It runs beside the steps; otherwise a step waits for it."""
