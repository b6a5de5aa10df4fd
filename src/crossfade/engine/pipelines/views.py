"""Builds as people look at them: rows of a list, and one build as a graph of its steps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from crossfade.core.pipeline.graph import Graph, Unit
from crossfade.core.pipeline.state import BUILD, Result, State, UnitState
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.engine.pipelines.starting import readable_triggers


@dataclass(frozen=True, slots=True)
class BuildRow:
    """A build of a list."""

    run: str
    pipeline: str
    result: str
    """`pending`, `running`, `pending-approval`, `success`, `failure`, `terminated`, ..."""
    at: float
    """When it was asked for, in seconds since the Unix epoch."""
    ended: float | None
    reason: str
    waiting: tuple[str, ...]
    """Keys of the approvals that it waits for."""
    running: bool
    """Whether a process works on it now."""
    hub: bool
    """Whether the hub runs it; otherwise a command of a person does."""


@dataclass(frozen=True, slots=True)
class RegisteredRow:
    """A registered pipeline."""

    pipeline: str
    triggers: str
    """Names of those that make builds of it."""
    builds: int
    newest: str | None
    """The newest build, null before the first."""


class Placed(Protocol):
    """A step with its place among the others."""

    @property
    def owner(self) -> str:
        """Key of the step that it is part of, "" for the build itself."""
        ...

    @property
    def hook(self) -> str | None:
        """The hook of the owner that it is part of, None when it is part of its body."""
        ...


class Outline(Protocol):
    """Which steps there are, in the order of the file."""

    @property
    def units(self) -> Mapping[str, Placed]:
        """The steps by their keys."""
        ...


@dataclass(frozen=True, slots=True)
class StepView:
    """One step with its place in the graph."""

    key: str
    """What logs and commands call it."""
    name: str
    title: str
    type: str
    stage: str
    owner: str
    """Key of the step that it is part of, "" for the build itself."""
    hook: str | None
    """The hook of the owner that it is part of, null when it is part of its body."""
    after: tuple[str, ...]
    """Keys of the steps that it comes after."""
    result: str
    since: float | None
    ended: float | None
    reason: str
    attempt: int
    runs: int
    """How often it was started; each start has a part of the log."""


@dataclass(frozen=True, slots=True)
class BuildView:
    """One build."""

    build: BuildRow
    generation: int
    """Counts its restarts."""
    stages: tuple[str, ...]
    steps: tuple[StepView, ...]
    variables: Mapping[str, str]
    """What steps exported; secrets are `***`."""
    trouble: str
    """Why the graph cannot be told, "" when it can: then only steps that have begun are here."""


def row(build: Build, state: State, *, running: bool) -> BuildRow:
    """Return the build as a row of a list."""
    whole = state.units.get(BUILD)
    waits = f"waits: {state.waits_for}" if state.waits_for and not state.ended else ""
    waiting = tuple(k for k in state.active if state.units[k].result is Result.WAITING)
    return BuildRow(
        build.id,
        build.pipeline,
        state.result.value,
        build.at,
        whole.ended if whole else None,
        (whole.reason if whole else "") or waits,
        waiting,
        running,
        build.hub,
    )


async def registered_rows(builds: Builds) -> tuple[RegisteredRow, ...]:
    """Return the registered pipelines, by name."""
    known, rows = await builds.all(), []
    for each in await builds.registered():
        name = each.value.name
        own = [build.id for build in known if build.pipeline == name]
        triggers = (one.name for one in readable_triggers(each.value) if not one.disabled)
        rows.append(RegisteredRow(name, ", ".join(triggers), len(own), own[-1] if own else None))
    return tuple(rows)


def without_secrets(state: State) -> State:
    """Return the state as it may be shown: values of secret variables, and of its own, left out."""
    exports = tuple(
        replace(each, variable=replace(each.variable, value="***"))
        if each.variable.secret
        else each
        for each in state.exports
    )
    units = {key: replace(each, members={}) for key, each in state.units.items()}
    return replace(state, units=units, variables={}, exports=exports)


def view(build: BuildRow, generation: int, state: State, graph: Graph | str) -> BuildView:
    """Return the whole build; `graph` is a text that says why there is none."""
    if isinstance(graph, str):
        steps = tuple(_step(key, unit) for key, unit in state.units.items() if key != BUILD)
    else:
        units = (each for key, each in graph.units.items() if key != BUILD)
        steps = tuple(_placed(graph, each, state.units.get(each.key)) for each in units)
    return BuildView(
        build,
        generation,
        () if isinstance(graph, str) else graph.pipeline.stages,
        steps,
        {
            each.variable.name: "***" if each.variable.secret else each.variable.value
            for each in state.exports
        },
        graph if isinstance(graph, str) else "",
    )


def _placed(graph: Graph, unit: Unit, state: UnitState | None) -> StepView:
    step = unit.step
    layout = graph.layout(unit.owner, unit.hook)
    after = tuple(dict.fromkeys(each.key for each in unit.waits if each.key is not None))
    before = layout.before(unit.index) if layout is not None else None
    if not after and before is not None:
        after = (before,)
    return StepView(
        unit.key,
        step.name,
        step.title,
        step.type,
        step.stage,
        unit.owner,
        unit.hook.value if unit.hook else None,
        after,
        *_standing(state),
    )


def _step(key: str, state: UnitState) -> StepView:
    return StepView(key, key, "", "", "", BUILD, None, (), *_standing(state))


def _standing(state: UnitState | None) -> tuple[str, float | None, float | None, str, int, int]:
    if state is None:
        return Result.PENDING.value, None, None, "", 1, 0
    shown = state.visible.value
    return shown, state.since, state.ended, state.reason, state.attempt, state.run
