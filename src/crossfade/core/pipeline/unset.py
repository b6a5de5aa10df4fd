"""Variables that a pipeline reads and that nobody sets, and what gives them a value."""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from crossfade.base.json_value import texts_of
from crossfade.core.pipeline.document import Step
from crossfade.core.pipeline.graph import Graph, Unit
from crossfade.core.pipeline.variables import references

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNED = re.compile(r"(?<![\w$])([A-Za-z_]\w*)=")
_EXPORTED = re.compile(r"\bcf_export\s+([^\n;&|]*)")
_OF_STEP = re.compile(
    r"CF_(STEP_NAME|CURRENT_ATTEMPT|MAX_ATTEMPTS)|CF_OUTPUT_URL|\w+_CF_OUTPUT_URL"
)


@dataclass(frozen=True, slots=True)
class Unset:
    """One of them."""

    name: str
    step: str
    """The first step that reads it."""
    line: int
    """Where that step stands; 0: it is not known."""


def unset(graph: Graph, given: Container[str]) -> tuple[Unset, ...]:
    """
    Return the variables that steps refer to as `${{NAME}}` and that nothing sets, each once.

    `given` are the variables that the build begins with.  What any step seems to export is not
    among them, whenever it does; nor is what only conditions ask for, as they may ask whether a
    variable is set.
    """
    names = {unit.step.name for unit in graph.units.values()}
    written = set(_written(graph.units.values()))
    found: dict[str, Unset] = {}
    for key, unit in graph.units.items():
        owner = graph.units.get(unit.owner)
        if owner is not None and owner.step.plugin is not None:
            continue  # it reads the arguments of the typed step
        if unit.step.main:
            continue  # a folder comes in its place, or whoever started the build says what it is
        own = set(_own(unit.step))
        for name in _read(unit.step):
            if name in given or name in names or name in written or name in own:
                continue
            if not _OF_STEP.fullmatch(name):
                found.setdefault(name, Unset(name, key, unit.step.line))
    return tuple(found.values())


def ways_to_set(text: str) -> str:
    """Return what gives a value to the variables that a text still refers to, "" if to none."""
    names = [each for each in dict.fromkeys(references(text)) if _NAME.fullmatch(each)]
    if not names:
        return ""
    given = " ".join(f"--var {name}=VALUE" for name in names)
    return f"`{given}` says it, or a step before with `cf_export {names[0]}=VALUE`"


def _read(step: Step) -> Iterator[str]:
    """Yield the plain names that the step refers to."""
    for text in texts_of(step.settings):
        yield from (each for each in references(text) if _NAME.fullmatch(each))


def _own(step: Step) -> Iterator[str]:
    """Yield the variables of the step's own `environment`."""
    listed = step.settings.get("environment")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, str):
            yield each.partition("=")[0].strip()


def _written(units: Iterable[Unit]) -> Iterator[str]:
    """Yield what commands of steps may set for later ones."""
    for unit in units:
        for key in ("commands", "cmd", "entry_point"):
            for text in texts_of(unit.step.settings.get(key)):
                for words in _EXPORTED.findall(text):
                    yield from re.findall(r"(?<![\w=$])[A-Za-z_]\w*", words)
                if "env_vars_to_export" in text:
                    yield from _ASSIGNED.findall(text)
