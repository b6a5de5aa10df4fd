"""
Typed steps: plugins that are defined by a manifest, and used by its name as `type`.

A definition says which arguments the step takes and which steps it is made of.  Arguments are
variables inside of those steps.  What a definition does not take is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.json_value import Json
from crossfade.base.words import did_you_mean, shown
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.findings import Findings, under
from crossfade.core.pipeline.step_shapes import KNOWN_TYPES
from crossfade.core.pipeline.steps import every, is_semantic, type_of, version_of
from crossfade.core.pipeline.tree import Node, plain

_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a typed step."""

    types: tuple[str, ...] = ()
    """As in JSON Schema; none: any."""
    choices: tuple[Json, ...] = ()
    default: Json = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """What a typed step is."""

    name: str
    """With the account in front where there is one, as `codefresh-inc/jira`."""
    version: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    more: bool = True
    """Arguments that are not listed are taken as well."""
    returns: tuple[str, ...] | None = None
    """The exported variables that others may see; None: all."""
    steps: Settings = field(default_factory=dict)
    """The steps that it is made of."""


Definitions = Mapping[str, tuple[Definition, ...]]
"""By name, each with all its versions."""


def find(definitions: Definitions, kind: str, *, exact: bool = True) -> Definition | None:
    """
    Return the definition of a type: of its version, else the latest one that is known.

    Unless `exact`, another version will do.
    """
    name, version = version_of(kind)
    known = definitions.get(name) or definitions.get(name.rpartition("/")[2], ())
    if version and exact:
        return next((each for each in known if each.version == version), None)
    return max(known, key=lambda each: _order(each.version), default=None)


def _order(version: str) -> tuple[int, int, int, bool, str]:
    numbers = [int(part[:9]) for part in re.findall(r"\d+", version.partition("-")[0])][:3]
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    before = version.partition("-")[2]
    return major, minor, patch, not before, before


def check_typed(
    root: Node, definitions: Definitions, found: Findings, *, exact: bool = True
) -> None:
    """Add what is wrong with the arguments of typed steps whose definition is known."""
    for step in every(root["steps"], "steps"):
        kind = type_of(step.node)
        name, version = version_of(kind)
        if name in KNOWN_TYPES or "${{" in kind:
            continue
        definition = find(definitions, kind, exact=exact)
        if definition is not None:
            arguments = step.node["arguments"]
            path = under(step.path, "arguments")
            _check(definition, arguments or Node({}, step.node.at), path, found)
        elif is_semantic(version) and name in definitions:
            written = step.node["type"] or step.node
            there = ", ".join(each.version for each in definitions[name])
            message = f"{name} has no version {version}; there are {there}"
            found.warning(written.at, under(step.path, "type"), message)


def _check(definition: Definition, arguments: Node, path: str, found: Findings) -> None:
    for key, (at, node) in arguments.entries.items():
        argument = definition.arguments.get(key)
        if argument is not None:
            _check_value(argument, node, under(path, key), found)
        elif not definition.more:
            near = did_you_mean(key, definition.arguments)
            allowed = ", ".join(definition.arguments)
            message = f"{definition.name} has no argument {shown(key)}; allowed: {allowed}{near}"
            found.error(at, under(path, key), message)
    for key, argument in definition.arguments.items():
        if argument.required and key not in arguments.entries:
            message = f"is missing: {definition.name} asks for it"
            found.error(arguments.at, under(path, key), message)


def _check_value(argument: Argument, node: Node, path: str, found: Findings) -> None:
    value = plain(node)
    if isinstance(value, str) and "${{" in value:
        return
    if argument.types and not any(_is_of(value, kind) for kind in argument.types):
        found.error(node.at, path, f"{shown(value)} is not allowed; allowed: {_names(argument)}")
    elif argument.choices and value not in argument.choices:
        words = ", ".join(map(str, argument.choices))
        near = did_you_mean(value, map(str, argument.choices)) if isinstance(value, str) else ""
        found.error(node.at, path, f"{shown(value)} is not allowed; allowed: {words}{near}")


def _names(argument: Argument) -> str:
    return " or ".join(argument.types)


def _is_of(value: Json, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _JSON_TYPES.get(kind, (object,)))
