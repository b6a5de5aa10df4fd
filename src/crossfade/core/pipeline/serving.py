"""Services of the whole build: begun for the first step that needs them, ended with the build."""

from dataclasses import replace

from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.order import reaches_services
from crossfade.core.pipeline.progress import Progress
from crossfade.core.pipeline.state import (
    BUILD,
    Phase,
    Result,
    RunSight,
    Seen,
    State,
    Status,
    UnitState,
)

MOST_LOSSES = 10
"""So often may services be lost under one build."""
_LONGEST_WAIT_SECONDS = 60.0


def wants_run(unit: UnitState | None) -> bool:
    """Return whether the services are to run now."""
    if unit is None or unit.phase not in (Phase.BEFORE, Phase.BODY):
        return False
    return unit.not_before is None


def beside(graph: Graph, state: State, key: str) -> int | None:
    """Return the run of the services that a step finds, None when there are none for it."""
    services = state.units.get(graph.services) if graph.services else None
    if services is None or services.phase is not Phase.BODY or not reaches_services(graph, key):
        return None
    return services.run


def look(progress: Progress, seen: Seen) -> None:
    """Take in how the services stand."""
    key = progress.graph.services
    unit = progress.units.get(key) if key else None
    if unit is None or unit.phase is Phase.DONE:
        return
    sight = seen.runs.get(key)
    sight = sight if sight is not None and sight.run == unit.run else None
    if unit.phase is Phase.FINISH:
        if sight is None or not sight.status.alive:
            _end(progress, unit.stop or Result.SUCCESS, unit.reason)
    elif unit.not_before is not None:
        if progress.now >= unit.not_before:
            progress.change(key, not_before=None, began=progress.now)
    elif sight is not None:
        _take(progress, unit, sight)


def _take(progress: Progress, unit: UnitState, sight: RunSight) -> None:
    key = progress.graph.services
    match sight.status:
        case Status.RUNNING:
            return
        case Status.SERVING if unit.phase is Phase.BEFORE:
            progress.change(key, phase=Phase.BODY)
            progress.note(key, "ready")
            _release(progress)
        case Status.SERVING:
            return
        case Status.LOST | Status.KILLED if unit.lost < MOST_LOSSES:
            _begin_again(progress, unit, sight)
        case _:
            why = sight.why or "they ended by themselves"
            _end(progress, Result.FAILURE, f"{why}; see their log")


def _begin_again(progress: Progress, unit: UnitState, sight: RunSight) -> None:
    key, wait = progress.graph.services, min(2.0**unit.lost - 1, _LONGEST_WAIT_SECONDS)
    progress.change(
        key,
        phase=Phase.BEFORE,
        run=unit.run + 1,
        lost=unit.lost + 1,
        began=progress.now,
        not_before=progress.now + wait if wait else None,
    )
    progress.note(key, f"{sight.why or 'their machine was lost'}; start again")


def _end(progress: Progress, result: Result, reason: str) -> None:
    key = progress.graph.services
    progress.change(
        key, phase=Phase.DONE, result=result, reason=reason, ended=progress.now, stop=None
    )
    progress.note(key, f"{result}: {reason}" if reason else result.value)


def follow(progress: Progress) -> bool:
    """Begin or end the services as the steps need it; return whether steps have ended by that."""
    key = progress.graph.services
    if not key:
        return False
    unit = progress.units.get(key)
    if progress.units[BUILD].phase is Phase.DONE:
        _end_with_build(progress, unit)
        return False
    held = [each for each in progress.active if progress.units[each].held]
    if not held:
        return False
    if unit is None:
        fresh = UnitState(Phase.BEFORE, Result.RUNNING, progress.now, began=progress.now)
        progress.units[key] = replace(fresh, run=1, sees=progress.units[held[0]].sees)
        progress.note(key, "starts")
    elif unit.phase is Phase.DONE:
        _release(progress)
        for each in held:
            progress.end_body(each, Result.FAILURE, f"its services are not there: {unit.reason}")
        return True
    return False


def _release(progress: Progress) -> None:
    """Have no step wait for them any more; its time begins now."""
    for key in progress.active:
        if progress.units[key].held:
            progress.change(key, held=False, began=progress.now)


def _end_with_build(progress: Progress, unit: UnitState | None) -> None:
    key = progress.graph.services
    if unit is None:
        progress.units[key] = UnitState(
            Phase.DONE, Result.SKIPPED, progress.now, "no step needed them", progress.now
        )
    elif unit.phase in (Phase.BEFORE, Phase.BODY):
        result = Result.SUCCESS if unit.phase is Phase.BODY else Result.TERMINATED
        waits = unit.not_before is not None  # then there is no run that would have to end
        progress.change(key, phase=Phase.FINISH, stop=result)
        if waits:
            _end(progress, result, "")
