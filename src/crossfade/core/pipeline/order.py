"""Whose turn it is: blocks, their phases, and the steps that decide their result."""

from collections.abc import Callable, Iterable, Mapping

from crossfade.core.pipeline.conditions import judge
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Hook
from crossfade.core.pipeline.graph import Graph, Layout, Unit
from crossfade.core.pipeline.state import BUILD, Phase, Result, UnitState
from crossfade.core.pipeline.variables import Variable

_HOOK_PHASES = {
    Phase.BEFORE: (Hook.ELECTED,),
    Phase.OUTCOME: (Hook.SUCCESS, Hook.FAIL),
    Phase.FINISH: (Hook.FINISH,),
}


def running_hook(state: UnitState) -> Hook | None:
    """Return the hook whose steps run for it now, None while its body does."""
    if state.phase is Phase.OUTCOME:
        good = state.outcome is not None and state.outcome.good
        return Hook.SUCCESS if good else Hook.FAIL
    hooks = _HOOK_PHASES.get(state.phase, ())
    return hooks[0] if hooks else None


def is_open(owner: UnitState, hook: Hook | None) -> bool:
    """Return whether steps of this block of the owner may start now."""
    return owner.phase is not Phase.DONE and running_hook(owner) is hook


def is_next(layout: Layout, unit: Unit, units: Mapping[str, UnitState]) -> bool:
    """Return whether all steps that come before it in order are over."""
    before = layout.before(unit.index)
    if before is None:
        return True
    return before in units and units[before].phase is Phase.DONE


def following(layout: Layout, unit: Unit, units: Mapping[str, UnitState]) -> tuple[str, ...]:
    """Return the steps whose turn it is after this one, in blocks with an order."""
    if not layout.sequential and unit.index >= layout.block.first:
        return ()
    left = tuple(key for key in layout.keys[unit.index + 1 :] if key not in units)
    return left[:1] if layout.sequential or unit.index + 1 < layout.block.first else left


def outside_criteria(graph: Graph, unit: Unit) -> bool:
    """Return whether the owner's `success_criteria` leave the step out."""
    criteria = graph.units[unit.owner].step.criteria
    if criteria is None or unit.hook is not None:
        return False
    if criteria.condition is not None and not criteria.only and not criteria.ignore:
        return True
    name = unit.step.name
    return name in criteria.ignore or bool(criteria.only and name not in criteria.only)


def let_out(
    graph: Graph, owner: str, variables: Iterable[Variable]
) -> tuple[tuple[Variable, ...], dict[str, str]]:
    """Return the exports that others see, and what a plugin tells of them as its outputs."""
    plugin = graph.units[owner].step.plugin
    if plugin is None:
        return tuple(variables), {}
    names = plugin.returns
    left = tuple(each for each in variables if names is None or each.name in names)
    return left, {f"output.{each.name}": each.value for each in left}


def outcome(
    graph: Graph, key: str, state: UnitState, context: Callable[[], Context]
) -> tuple[Result, str]:
    """Return how a group, or the build, ended, once all of its steps have."""
    if state.failed:
        return state.worst, state.aborted
    criteria = graph.units[key].step.criteria
    if criteria is not None and criteria.condition is not None:
        holds, reason = judge(criteria.condition, context())
        if not holds:
            return Result.FAILURE, f"success_criteria: {reason}"
    if key == BUILD and state.strict:
        return Result.FAILURE, f"{state.strict} steps failed, and strict_fail_fast is set"
    return Result.SUCCESS, ""


def stuck(
    graph: Graph,
    active: Iterable[str],
    units: Mapping[str, UnitState],
    watching: Iterable[str],
) -> list[tuple[str, str]]:
    """Return the steps that can never run: whose condition stays false, else one of a circle."""
    found = [(key, "its condition never became true") for key in watching]
    if found:
        return found
    for owner in active:
        layout = graph.layout(owner, running_hook(units[owner]))
        for key in layout.keys if layout is not None else ():
            if key not in units:
                waits = ", ".join(each.wanted.step for each in graph.units[key].waits)
                return [(key, f"waits for {waits} for ever")]
    return []


_BESIDE = ("freestyle", "composition", "integration-test", "travis", "simple_travis")
"""Steps of these types reach services of the build; those that typed steps are made of do not."""


def reaches_services(graph: Graph, key: str) -> bool:
    """Return whether the step finds services of the whole build."""
    unit = graph.units[key]
    return unit.step.type in _BESIDE and graph.units[unit.owner].step.plugin is None


def waits_for_services(graph: Graph, units: Mapping[str, UnitState], key: str) -> bool:
    """Return whether its run is to wait for services; hooks take them as they are."""
    if not graph.services or not reaches_services(graph, key):
        return False
    services, place = units.get(graph.services), key
    if services is not None and services.phase is Phase.BODY:
        return False
    while place != BUILD and graph.units[place].hook is None:
        place = graph.units[place].owner
    return graph.units[place].hook is None


def living_services(graph: Graph, units: Mapping[str, UnitState]) -> str:
    """Return the key of the services of the whole build while they are there, "" otherwise."""
    unit = units.get(graph.services) if graph.services else None
    return graph.services if unit is not None and unit.phase is not Phase.DONE else ""
