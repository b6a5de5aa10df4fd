"""
The next state of one build.  Pure: the same inputs always give the same answer.

A caller looks at the world, asks, saves what is wanted, and acts until it is so: runs that `runs`
names are started, all others ended.  Every run has a number, so that a start may be repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

from crossfade.core.pipeline import serving
from crossfade.core.pipeline.document import Step
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.order import waits_for_services
from crossfade.core.pipeline.progress import Progress
from crossfade.core.pipeline.state import (
    BUILD,
    Answer,
    Decision,
    Phase,
    Result,
    RunSight,
    Seen,
    State,
    Status,
    UnitState,
)
from crossfade.core.pipeline.variables import Variable

MOST_LOSSES = 20
"""So often may machines be lost under one step."""
MOST_KILLED = 3
"""So often may a step be killed from outside: one that eats the memory would be each time."""
_LONGEST_WAIT_SECONDS = 60.0
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is wanted now."""

    key: str
    """Key of the step."""
    number: int
    step: Step


def begin(variables: Mapping[str, Variable]) -> State:
    """Return the state of a build that has not been looked at yet."""
    return State(variables=dict(variables))


def refused(state: State, why: str, now: float) -> State:
    """Return the state of a build that cannot be run, however it stood."""
    over = UnitState(Phase.DONE, Result.FAILURE, now, why, ended=now)
    return replace(state, units={**state.units, BUILD: over}, active=(), timed=(), watching=())


def runs(graph: Graph, state: State) -> tuple[Run, ...]:
    """Return the runs that are wanted now; whatever else runs for this build is to end."""
    wanted = [key for key in state.active if _wants_run(state.units[key])]
    if state.services and serving.wants_run(state.units[state.services]):
        wanted.append(state.services)
    return tuple(Run(key, state.units[key].run, graph.units[key].step) for key in wanted)


def _wants_run(unit: UnitState) -> bool:
    if unit.run == 0 or unit.phase is not Phase.BODY:
        return False
    return unit.stop is None and unit.not_before is None and not unit.held


def decide(graph: Graph, state: State, seen: Seen, now: float) -> Decision:
    """Return the one next state.  `now` is in seconds, in the clock of the state's times."""
    progress = Progress(graph, state, now)
    if BUILD not in state.units:
        progress.start(BUILD)
    if seen.terminate and not state.terminated and not progress.state().ended:
        progress.terminate(seen.terminate)
    near = {*progress.timed, *seen.runs, *seen.answers}
    known = (each for each in near if each in progress.active)
    for key in sorted(known, key=lambda each: (progress.units[each].since, each)):
        if progress.units[key].working:
            _look(progress, key, seen)
    serving.look(progress, seen)
    progress.settle_all()
    while serving.follow(progress):
        progress.settle_all()
    want = progress.state()
    return Decision(want, _reason(want), tuple(progress.events), _wake_at(graph, want))


def _reason(state: State) -> str:
    build = state.units[BUILD]
    if build.phase is Phase.DONE:
        return build.reason or f"the build ended: {build.result}"
    working = (key for key in state.active if state.units[key].working)
    first = list(islice(working, _MOST_NAMED + 1))
    if not first:
        return build.reason
    waiting = all(state.units[key].result is Result.WAITING for key in first)
    more = " and more" if len(first) > _MOST_NAMED else ""
    return f"{'waiting for' if waiting else 'running'} {', '.join(first[:_MOST_NAMED])}{more}"


def _look(progress: Progress, key: str, seen: Seen) -> None:
    """Take in what is seen of one step."""
    unit = progress.units[key]
    if unit.phase is not Phase.BODY or key not in progress.active:
        return
    if unit.result is Result.WAITING:
        _look_for_answer(progress, key, seen.answers.get(key))
        return
    sight = seen.runs.get(key)
    current = sight if sight is not None and sight.run == unit.run else None
    if unit.stop is not None:
        _look_whether_gone(progress, key, current)
    elif unit.not_before is not None:
        if progress.now >= unit.not_before:
            progress.change(key, not_before=None, began=progress.now)
            progress.note(key, f"starts again, attempt {unit.attempt}")
    elif unit.held:
        return
    elif current is not None and not current.status.alive:
        _take(progress, key, current)
    elif _late(progress, key, unit):
        limit = progress.graph.units[key].step.timeout_seconds
        progress.stop(key, Result.FAILURE, f"took longer than its timeout of {limit:g} s")


def _late(progress: Progress, key: str, unit: UnitState) -> bool:
    limit = progress.graph.units[key].step.timeout_seconds
    return limit is not None and progress.now - unit.began >= limit


def _look_for_answer(progress: Progress, key: str, answer: Answer | None) -> None:
    approval = progress.graph.units[key].step.approval
    unit = progress.units[key]
    if answer is not None:
        who = {"authEntity.name": answer.by, "authEntity.type": answer.kind}
        progress.change(key, members={**unit.members, **who})
        result = Result.APPROVED if answer.approved else Result.DENIED
        progress.end_body(key, result, f"{result} by {answer.by or 'somebody'}")
    elif approval is not None and progress.now - unit.began >= approval.seconds:
        final = Result(approval.final)
        progress.end_body(key, final, f"nobody answered in {approval.seconds:g} s: {final}")


def _look_whether_gone(progress: Progress, key: str, sight: RunSight | None) -> None:
    """Go on once the run that was to end is gone; what it said at its end no longer matters."""
    if sight is not None and sight.status.alive:
        return
    unit = progress.units[key]
    if unit.stop is Result.FAILURE:
        progress.change(key, stop=None)
        _failed(progress, key, unit.reason)
    else:
        progress.settle(key, unit.stop or Result.TERMINATED, unit.reason)


def _take(progress: Progress, key: str, sight: RunSight) -> None:
    """Take in how a run ended."""
    unit = progress.units[key]
    killed = sight.status is Status.KILLED
    if sight.status is Status.LOST or (killed and unit.lost < MOST_KILLED):
        _lost(progress, key, sight)
        return
    progress.change(key, members={**unit.members, **sight.members})
    progress.export(key, sight.exports)
    if sight.status is Status.SUCCEEDED:
        progress.end_body(key, Result.SUCCESS, sight.why)
    else:
        _failed(progress, key, sight.why or "it failed")


def _lost(progress: Progress, key: str, sight: RunSight) -> None:
    unit = progress.units[key]
    why = sight.why or "its machine was lost"
    if unit.lost >= MOST_LOSSES:
        progress.end_body(key, Result.FAILURE, f"{why}, {MOST_LOSSES} times")
        return
    wait = min(2.0**unit.lost - 1, _LONGEST_WAIT_SECONDS)
    progress.timed[key] = None
    progress.change(
        key,
        run=unit.run + 1,
        lost=unit.lost + 1,
        began=progress.now,
        not_before=progress.now + wait if wait else None,
        held=waits_for_services(progress.graph, progress.units, key),
    )
    progress.note(key, f"{why}; starts again, still attempt {unit.attempt}")


def _failed(progress: Progress, key: str, why: str) -> None:
    """Try again if attempts are left."""
    step, unit = progress.graph.units[key].step, progress.units[key]
    if unit.attempt >= step.retry.attempts:
        tries = f" ({unit.attempt} attempts)" if unit.attempt > 1 else ""
        progress.end_body(key, Result.FAILURE, f"{why}{tries}")
        return
    progress.timed[key] = None
    wait = step.retry.wait_seconds(unit.attempt)
    if step.timeout_seconds is not None:
        wait = min(wait, step.timeout_seconds)
    progress.change(
        key,
        run=unit.run + 1,
        attempt=unit.attempt + 1,
        not_before=progress.now + wait,
        held=waits_for_services(progress.graph, progress.units, key),
    )
    progress.note(key, f"{why}; attempt {unit.attempt + 1} in {wait:g} s")


def _wake_at(graph: Graph, state: State) -> float | None:
    times = [state.units[state.services].not_before] if state.services else []
    for key in state.timed:
        unit, step = state.units[key], graph.units[key].step
        if not unit.working or unit.stop is not None or unit.held:
            continue
        if unit.not_before is not None:
            times.append(unit.not_before)
        elif unit.result is Result.WAITING and step.approval is not None:
            times.append(unit.began + step.approval.seconds)
        elif step.timeout_seconds is not None:
            times.append(unit.began + step.timeout_seconds)
    return min((each for each in times if each is not None), default=None)


def restarted(graph: Graph, state: State, now: float) -> State:
    """
    Return the state of an ended build to be run again from what failed.

    What succeeded stays as it is, with what it told and exported; the rest has not been.  One that
    was refused, or ended before its first run, has not begun: then nothing is decided here.
    """
    done = {
        key
        for key, unit in state.units.items()
        if key not in (BUILD, graph.services)
        and graph.units[key].owner == BUILD
        and graph.units[key].hook is None
        and unit.phase is Phase.DONE
        and unit.result in (Result.SUCCESS, Result.APPROVED)
    }
    kept = {key: unit for key, unit in state.units.items() if _top(graph, key) in done}
    if not kept and not any(unit.run for unit in state.units.values()):
        return begin(state.variables)
    exports = tuple(each for each in state.exports if each.step in kept)
    again = State(variables=state.variables, exports=exports)
    progress = Progress(graph, again, now)
    progress.adopt(kept)
    return progress.state()


def _top(graph: Graph, key: str) -> str:
    """Return the step of the pipeline itself that the step is, or is part of."""
    while key != BUILD and graph.units[key].owner != BUILD:
        key = graph.units[key].owner
    return key
