"""How long a strategy takes at least, and how much of the users' time the judge gets.  Pure."""

from dataclasses import dataclass

from crossfade.core.analysis.spec import Analysis
from crossfade.core.rollout.spec import (
    Analyse,
    Approval,
    Pause,
    Ramp,
    SetWeight,
    Step,
    Strategy,
)

STEP_SECONDS = 2.0
"""For a change of shares to be written, confirmed and seen."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a strategy takes when nothing goes wrong."""

    seconds: float
    """At least, without the time that pods need to start."""
    waits_for_people: int
    """Pauses without end, and approvals."""
    exposure_seconds: float
    """Sum of share times duration: so many seconds of all requests the new revision serves before
    the last step."""


def expected(strategy: Strategy, analysis: Analysis) -> Expected:
    """Return what to expect of one wave of the strategy, times the number of waves."""
    seconds = exposure = 0.0
    percent, people = 0.0, 0
    for step in strategy.steps:
        if isinstance(step, SetWeight):
            percent = step.percent
        lasts = _lasts(step, analysis)
        people += lasts is None
        share = _average(step, percent)
        seconds += lasts or 0.0
        exposure += share / 100 * (lasts or 0.0)
    waves = len(strategy.waves) + 1 if strategy.waves else 1
    pauses = sum(each.pause_seconds for each in strategy.waves[:-1])
    return Expected(seconds * waves + pauses + STEP_SECONDS, people, exposure)


def _lasts(step: Step, analysis: Analysis) -> float | None:
    """Return the seconds that the step takes at least, None when a person ends it."""
    match step:
        case Pause(seconds):
            return seconds
        case Approval():
            return None
        case Ramp():
            return analysis.judge.min_seconds if analysis.judge else None
        case Analyse(None, seconds):
            return seconds or (analysis.judge.min_seconds if analysis.judge else 0.0)
        case _:
            return STEP_SECONDS


def _average(step: Step, percent: float) -> float:
    return step.max_percent / 2 if isinstance(step, Ramp) else percent
