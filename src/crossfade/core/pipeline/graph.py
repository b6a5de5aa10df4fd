"""A pipeline laid out for planning: every step under one key, and who waits for whom."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.core.pipeline.document import Block, Hook, Mode, Pipeline, Step, Wanted
from crossfade.core.pipeline.state import BUILD


@dataclass(frozen=True, slots=True)
class Waits:
    """One step that another one waits for."""

    key: str | None
    """None: there is no such step."""
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Unit:
    """One step, with its place among the others."""

    key: str
    step: Step
    owner: str
    """Key of the step, or of the build, that it is part of."""
    hook: Hook | None
    """The hook of the owner that it is part of, None when it is part of its body."""
    index: int
    """Its place in its block."""
    waits: tuple[Waits, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """One block, with the keys of its steps."""

    block: Block
    keys: tuple[str, ...]
    watches: bool
    """Conditions are looked at again whenever something changes."""

    @property
    def sequential(self) -> bool:
        """Whether one step comes after the other."""
        return self.block.mode is Mode.SEQUENTIAL


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole pipeline.  It follows from the document alone, so it is made once."""

    pipeline: Pipeline
    units: Mapping[str, Unit]
    layouts: Mapping[tuple[str, Hook | None], Layout]
    dependents: Mapping[str, tuple[str, ...]]
    """Who waits for a step."""

    def layout(self, owner: str, hook: Hook | None) -> Layout | None:
        """Return the block of a hook, or of the body; None when there is none."""
        return self.layouts.get((owner, hook))


def graph_of(pipeline: Pipeline) -> Graph:
    """Return the layout of a pipeline."""
    maker = _Maker()
    root = Step(
        BUILD,
        type="build-of-all",
        block=pipeline.block,
        criteria=pipeline.criteria,
        hooks=pipeline.hooks,
    )
    maker.add(Unit(BUILD, root, "-", None, 0), prefix="")
    return maker.graph(pipeline)


def key_of(graph: Graph, name: str) -> str | None:
    """Return the key of a step that is given by its name or key, None when there is none."""
    return name if name in graph.units else None


class _Maker:
    def __init__(self) -> None:
        self._units: dict[str, Unit] = {}
        self._layouts: dict[tuple[str, Hook | None], Layout] = {}

    def add(self, unit: Unit, prefix: str) -> None:
        """Add a step and everything in it; `prefix` begins the keys of steps in one hook."""
        self._units[unit.key] = unit
        if unit.step.block is not None:
            watches = unit.key == BUILD and unit.step.block.mode is Mode.PARALLEL
            # The steps of a plugin have names of their own; those of a group are the pipeline's.
            inner = prefix if unit.step.plugin is None else f"{unit.key}/"
            self._add_block(unit.key, None, unit.step.block, (inner, watches))
        for hook, block in unit.step.hooks.items():
            inner = f"{unit.key}@{hook.value}/"
            self._add_block(unit.key, hook, block, (inner, block.mode is Mode.PARALLEL))

    def _add_block(
        self, owner: str, hook: Hook | None, block: Block, place: tuple[str, bool]
    ) -> None:
        prefix, watches = place
        keys = tuple(f"{prefix}{step.name}" for step in block.steps)
        self._layouts[owner, hook] = Layout(block, keys, watches)
        for index, (key, step) in enumerate(zip(keys, block.steps, strict=True)):
            self.add(Unit(key, step, owner, hook, index), prefix)

    def graph(self, pipeline: Pipeline) -> Graph:
        """Return everything that was added, with names resolved."""
        dependents: dict[str, list[str]] = {}
        units: dict[str, Unit] = {}
        for key, unit in self._units.items():
            waits = self._waits(unit)
            units[key] = Unit(key, unit.step, unit.owner, unit.hook, unit.index, waits)
            for each in waits:
                if each.key is not None:
                    dependents.setdefault(each.key, []).append(key)
        fixed = {key: tuple(dict.fromkeys(waiting)) for key, waiting in dependents.items()}
        return Graph(pipeline, units, self._layouts, fixed)

    def _waits(self, unit: Unit) -> tuple[Waits, ...]:
        if unit.step.when is None:
            return ()
        prefix = unit.key[: len(unit.key) - len(unit.step.name)]
        return tuple(
            Waits(self._find(prefix, wanted.step), wanted) for wanted in unit.step.when.steps
        )

    def _find(self, prefix: str, name: str) -> str | None:
        """Return the key of a step: one of the same hook first."""
        if f"{prefix}{name}" in self._units:
            return f"{prefix}{name}"
        return name if name in self._units else None
