"""Whether a step may run: `when`, in three parts that must all hold."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import MAIN_CLONE, Condition, When
from crossfade.core.pipeline.expression.errors import ExpressionError
from crossfade.core.pipeline.expression.evaluate import Verdict, evaluate, names
from crossfade.core.pipeline.expression.meter import Meter
from crossfade.core.pipeline.expression.regex import Flags, found
from crossfade.core.pipeline.graph import Unit, Waits
from crossfade.core.pipeline.state import Phase, Result, UnitState

FINISHED = (
    Result.SUCCESS,
    Result.FAILURE,
    Result.SKIPPED,
    Result.APPROVED,
    Result.DENIED,
    Result.TERMINATED,
)
"""What `on: [finished]` takes."""

_ALSO = {Result.APPROVED: "success", Result.DENIED: "failure"}
_BRANCH = "CF_BRANCH"


class Go(StrEnum):
    """What follows for a step."""

    RUN = "run"
    SKIP = "skip"
    WAIT = "wait"
    """For steps."""
    WATCH = "watch"
    """For a condition that may still become true."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What follows for a step, and why."""

    go: Go
    reason: str = ""


def choose(
    unit: Unit,
    units: Mapping[str, UnitState],
    context: Callable[[], Context],
    *,
    again: bool,
    changed: Collection[str] | None = None,
) -> Choice:
    """
    Return whether the step may run; `again`: what does not hold now may hold later.

    When only the steps in `changed` have become final since the last time, not all that it waits
    for are looked at again.
    """
    when = unit.step.when
    if when is None:
        return Choice(Go.RUN)
    steps = _steps(unit, when, units, changed)
    if steps.go is Go.WAIT and again:
        return steps if changed is not None else _branch_first(when, context, steps)
    seen = context()
    branch = _branch(when, seen)
    if branch:
        return Choice(Go.SKIP, branch)
    if steps.go is not Go.RUN:
        return Choice(Go.SKIP, steps.reason)
    if when.condition is None:
        return Choice(Go.RUN)
    holds, reason = judge(when.condition, seen)
    if holds:
        return Choice(Go.RUN)
    return Choice(Go.WATCH if again else Go.SKIP, reason)


def _branch_first(when: When, context: Callable[[], Context], steps: Choice) -> Choice:
    """Return that the branch is the wrong one, if so: then there is nothing to wait for."""
    branch = _branch(when, context()) if when.only or when.ignore else ""
    return Choice(Go.SKIP, branch) if branch else steps


def judge(condition: Condition, context: Context) -> tuple[bool, str]:
    """Return whether all of `all` and any of `any` are true, and if not, why."""
    for name, text in condition.every.items():
        verdict = _evaluate(text, context)
        if not verdict.result:
            return False, _told(name, text, verdict)
    if not condition.some:
        return True, ""
    reason = ""
    for name, text in condition.some.items():
        verdict = _evaluate(text, context)
        if verdict.result:
            return True, ""
        reason = _told(name, text, verdict)
    return False, reason if len(condition.some) == 1 else f"none of `any` holds; {reason}"


def _evaluate(text: str, context: Context) -> Verdict:
    return evaluate(context.substituted(text), context)


def _told(name: str, text: str, verdict: Verdict) -> str:
    short = text if len(text) <= 80 else text[:77] + "..."
    if verdict.valid:
        return f"condition {name} is false: {short}"
    return f"condition {name} is invalid, so it is false: {short}: {verdict.error}"


def _branch(when: When, context: Context) -> str:
    """Return why the branch is the wrong one, "" when it is not."""
    if not when.only and not when.ignore:
        return ""
    value = context.scope.values.get(_BRANCH)
    branch = value.value if value is not None else ""
    meter = Meter()

    def hits(pattern: str) -> bool:
        return names_branch(context.substituted(pattern), branch, meter)

    if when.only and not any(map(hits, when.only)):
        return f"branch {branch or '(none)'} is not among {', '.join(when.only)}"
    ignored = next(filter(hits, when.ignore), None)
    return f"branch {branch} is ignored by {ignored}" if ignored is not None else ""


def names_branch(pattern: str, branch: str, meter: Meter | None = None) -> bool:
    """Return whether the branch is the one that is named, or matches `/regex/flags`."""
    body, slash, letters = pattern[1:].rpartition("/")
    if not pattern.startswith("/") or not slash or set(letters) - set("gimsuy"):
        return pattern == branch
    flags = Flags("i" in letters, "m" in letters, "s" in letters)
    try:
        return found(body, branch, flags, meter)
    except ExpressionError:
        return False


def _steps(
    unit: Unit, when: When, units: Mapping[str, UnitState], changed: Collection[str] | None
) -> Choice:
    if not unit.waits:
        return Choice(Go.RUN)
    good, bad = (Go.RUN, Go.SKIP) if when.any_step else (Go.SKIP, Go.RUN)
    if changed is None:
        choices = [_step(each, units) for each in unit.waits]
        return next(choice for go in (good, Go.WAIT, bad) for choice in choices if choice.go is go)
    for each in unit.waits_on(changed):
        if (choice := _step(each, units)).go is good:
            return choice
    choice = Choice(bad)
    for each in unit.probes:
        if (choice := _step(each, units)).go is not bad:
            return choice
    return choice


def _step(waits: Waits, units: Mapping[str, UnitState]) -> Choice:
    name, wanted = waits.wanted.step, waits.wanted.results
    if waits.key is None:
        # The clone that a trigger implies counts as done where there was nothing to clone.
        there = name == MAIN_CLONE and not {"success", "finished"}.isdisjoint(wanted)
        return Choice(Go.RUN) if there else Choice(Go.SKIP, f"there is no step {name}")
    state = units.get(waits.key)
    result = Result.PENDING if state is None else state.visible
    done = state is not None and state.phase is Phase.DONE
    words = " or ".join(wanted)
    if done or result not in FINISHED:
        if satisfied(result, wanted):
            return Choice(Go.RUN)
        if done:
            return Choice(Go.SKIP, f"{name} is {result}, {words} is wanted")
    return Choice(Go.WAIT, f"waits for {name} to be {words}; it is {result}")


def satisfied(result: Result, wanted: tuple[str, ...]) -> bool:
    """Return whether the result is one of those that are wanted."""
    if "finished" in wanted and result in FINISHED:
        return True
    return result.value in wanted or _ALSO.get(result, "-") in wanted


def reads_workflow(unit: Unit) -> bool:
    """Return whether the step's condition depends on how the build itself stands."""
    condition = unit.step.when.condition if unit.step.when is not None else None
    if condition is None:
        return False
    texts = (*condition.every.values(), *condition.some.values())
    return any("workflow" in names(text) for text in texts if "workflow" in text)
