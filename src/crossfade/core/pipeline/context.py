"""What one step sees: variables, and what other steps have told."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from crossfade.base.json_value import Json
from crossfade.core.pipeline.document import Settings, Step
from crossfade.core.pipeline.expression.values import Value
from crossfade.core.pipeline.graph import Graph, Unit
from crossfade.core.pipeline.secret_stores import with_secrets
from crossfade.core.pipeline.state import BUILD, State, UnitState
from crossfade.core.pipeline.variables import (
    REFERENCE,
    Scope,
    Source,
    Variable,
    environment,
    substituted,
    substituted_tree,
)

Units: TypeAlias = Mapping[str, UnitState]
_PREFIXES = ("steps", "parentSteps")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands."""

    prefix: str
    """How the keys of steps of the same hook begin; "" outside of hooks."""
    workflow: str
    """How the build stands, as `workflow.result` says."""


class Context(Mapping[str, Value]):
    """Variables and steps by name, as expressions read them; `scope` are the variables alone."""

    def __init__(self, graph: Graph, units: Units, scope: Scope, place: Place) -> None:
        self._graph, self._units, self.scope, self._place = graph, units, scope, place

    def __getitem__(self, name: str) -> Value:
        if name in self.scope.values:
            return self.scope.values[name].value
        if name == "steps":
            return _Steps(self)
        if name == "workflow":
            return dict.fromkeys(("result", "status"), self._place.workflow)
        found = self.step(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self.scope.values
        yield from ("steps", "workflow")

    def __len__(self) -> int:
        return len(self.scope.values) + 2

    def unit(self, name: str) -> Unit | None:
        """Return the step that this name means here."""
        units = self._graph.units
        found = units.get(f"{self._place.prefix}{name}") or units.get(name)
        return found if name else None

    def step(self, name: str) -> Mapping[str, Value] | None:
        """Return the members of a step."""
        unit = self.unit(name)
        if unit is None or unit.key == BUILD:
            return None
        return members(unit.step, self._units.get(unit.key))

    def answer(self, reference: str) -> str | None:
        """Return what `${{reference}}` stands for, None when nothing answers."""
        if reference in self.scope.values:
            return self.scope.values[reference].value
        if reference in self.scope.looked_up:
            return self.scope.looked_up[reference]
        name, *path = reference.split(".")
        if name in _PREFIXES and path:
            name, *path = path
        found = self.step(name)
        if found is None:
            return None
        if not path:
            own = found.get("self")
            return own if isinstance(own, str) else None
        return _text(found, path)

    @property
    def pushes(self) -> bool:
        """Whether steps that build images push them unless they say otherwise."""
        return self._graph.pipeline.build_version != "v1"

    def image(self, text: str) -> dict[str, str]:
        """Return the members of the step whose image the text is, as `${{build}}`, if it is one."""
        whole = REFERENCE.fullmatch(text.strip())
        found = self.step(whole[1].strip().removeprefix("steps.")) if whole else None
        members = found or {}
        return {name: each for name, each in members.items() if isinstance(each, str)}

    def substituted(self, text: str) -> str:
        """Return the text with values for its references."""
        return substituted(text, self.answer)

    def settings(self, step: Step) -> Settings:
        """Return what the step does, with values for all references."""
        return {k: substituted_tree(v, self.answer) for k, v in step.settings.items()}


class _Steps(Mapping[str, Value]):
    def __init__(self, context: Context) -> None:
        self._context = context

    def __getitem__(self, name: str) -> Value:
        found = self._context.step(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._context.step(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


def members(step: Step, state: UnitState | None) -> dict[str, Value]:
    """Return what others see of a step; `output.URL` becomes a member of a member."""
    result = "pending" if state is None else state.visible.value
    found: dict[str, Value] = {"name": step.name, "type": step.type, "result": result}
    described = step.settings.get("description")
    if isinstance(described, str):
        found["description"] = described
    for name, value in (state.members if state is not None else {}).items():
        first, _, rest = name.partition(".")
        if not rest:
            found[name] = value
            continue
        below = found.setdefault(first, {})
        if isinstance(below, dict):
            below[rest] = value
    return found


def _text(found: Mapping[str, Value], path: list[str]) -> str | None:
    value: Value = found
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value if isinstance(value, str) else None


def context_of(
    graph: Graph, state: State, key: str, looked_up: Mapping[str, str] | None = None
) -> Context:
    """
    Return what the step sees: exports that came before it, and its own `environment`.

    `looked_up` are values of secret stores by their references, for this step alone.
    """
    own = state.units.get(key)
    seen = state.exports if own is None or own.run == 0 else state.exports[: own.sees]
    values = looked_up or {}
    scope = Scope(with_secrets(state.variables, values), values)
    scope = scope.with_all(export.variable for export in seen)
    return view(graph, state.units, scope, key, state.result.value)


def view(graph: Graph, units: Units, scope: Scope, key: str, workflow: str) -> Context:
    """Return what the step sees on top of the variables of the build."""
    unit, own = graph.units[key], units.get(key)
    scope = scope.with_all(_arguments(graph, units, scope, unit, workflow))
    place = Place(key[: len(key) - len(unit.step.name)], workflow)
    plain = Context(graph, units, scope, place)
    written = unit.step.settings.get("environment")
    listed = written if isinstance(written, list) else []
    lines = [plain.substituted(each) for each in listed if isinstance(each, str)]
    attempt = own.attempt if own is not None else 1
    given = (
        Variable("CF_STEP_NAME", unit.step.name, Source.STEP),
        Variable("CF_CURRENT_ATTEMPT", str(attempt), Source.STEP),
        Variable("CF_MAX_ATTEMPTS", str(unit.step.retry.attempts), Source.STEP),
    )
    return Context(graph, units, scope.with_all((*given, *environment(lines))), place)


def _arguments(
    graph: Graph, units: Units, scope: Scope, unit: Unit, workflow: str
) -> tuple[Variable, ...]:
    """Return the arguments of the typed step that the step is part of, as variables."""
    owner = graph.units.get(unit.owner)
    if owner is None or owner.step.plugin is None or unit.hook is not None:
        return ()
    outside = view(graph, units, scope, owner.key, workflow)
    values = substituted_tree(owner.step.plugin.arguments, outside.answer)
    given = values.items() if isinstance(values, dict) else ()
    return tuple(Variable(name, _spelled(value), Source.STEP) for name, value in given)


def _spelled(value: Json) -> str:
    """Return an argument as a text; lists and mappings are JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
