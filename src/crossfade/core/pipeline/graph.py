"""A pipeline laid out for planning: every step under one key, and who waits for whom."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from crossfade.core.pipeline.document import Block, Hook, Mode, Pipeline, Step, Wanted
from crossfade.core.pipeline.state import BUILD

SERVICES = "services"
_FEW = 16
"""So many waits are gone through one by one."""


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
    probes: tuple[Waits, ...] = ()
    """The same in an order without order: of many, one that is still open is found soon."""
    by_key: Mapping[str, tuple[Waits, ...]] = field(default_factory=dict)
    """The same by the key of the step, when they are many."""

    def waits_on(self, keys: Collection[str]) -> Iterator[Waits]:
        """Yield what it waits for of these steps."""
        if len(self.waits) <= _FEW:
            yield from (each for each in self.waits if each.key in keys)
            return
        for key in keys:
            yield from self.by_key.get(key, ())


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

    def before(self, index: int) -> str | None:
        """Return the key of the step that must be over before that one, None when none must."""
        first = self.block.first
        place = index if self.sequential or index < first else first
        return self.keys[place - 1] if place else None


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole pipeline.  It follows from the document alone, so it is made once."""

    pipeline: Pipeline
    units: Mapping[str, Unit]
    layouts: Mapping[tuple[str, Hook | None], Layout]
    dependents: Mapping[str, tuple[str, ...]]
    """Who waits for a step."""
    services: str = ""
    """Key of the services of the whole build; "" when there are none."""

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
        keys = tuple(self._free(f"{prefix}{step.name}") for step in block.steps)
        self._layouts[owner, hook] = Layout(block, keys, watches)
        for index, (key, step) in enumerate(zip(keys, block.steps, strict=True)):
            self.add(Unit(key, step, owner, hook, index), prefix)

    def _free(self, key: str) -> str:
        """Return a key that no step has yet: steps in `arguments` may repeat a name."""
        while key in self._units:
            key = f"+{key}"  # the name stays its end
        return key

    def graph(self, pipeline: Pipeline) -> Graph:
        """Return everything that was added, with names resolved."""
        dependents: dict[str, list[str]] = {}
        units: dict[str, Unit] = {}
        for key, unit in self._units.items():
            waits = self._waits(unit)
            units[key] = replace(unit, waits=waits, probes=_scattered(waits), by_key=_by_key(waits))
            for each in waits:
                if each.key is not None:
                    dependents.setdefault(each.key, []).append(key)
        fixed = {key: tuple(dict.fromkeys(waiting)) for key, waiting in dependents.items()}
        services = self._services(pipeline)
        if services is not None:
            units[services.key] = services
        return Graph(pipeline, units, self._layouts, fixed, services.key if services else "")

    def _services(self, pipeline: Pipeline) -> Unit | None:
        """Return the services of the whole build; they are in no block, and nobody names them."""
        if not isinstance(pipeline.services, dict) or not pipeline.services:
            return None
        key = self._free(SERVICES)
        step = Step(key, SERVICES, settings=pipeline.services, line=pipeline.services_line)
        return Unit(key, step, BUILD, None, 0)

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


def _scattered(waits: tuple[Waits, ...]) -> tuple[Waits, ...]:
    count = len(waits)
    if count <= _FEW:
        return waits
    stride = next(s for s in range(int(count * 0.618), count + 1) if math.gcd(s, count) == 1)
    return tuple(waits[index * stride % count] for index in range(count))


def _by_key(waits: tuple[Waits, ...]) -> dict[str, tuple[Waits, ...]]:
    found: dict[str, tuple[Waits, ...]] = {}
    if len(waits) > _FEW:
        for each in waits:
            if each.key is not None:
                found[each.key] = (*found.get(each.key, ()), each)
    return found
