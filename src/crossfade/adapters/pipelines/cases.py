"""Files for `pipeline eval`: variables, and many expressions at once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from crossfade.adapters.documents.files import read_text
from crossfade.adapters.pipelines.reading import parse
from crossfade.base.errors import InputError
from crossfade.core.pipeline.expression.values import Value
from crossfade.core.pipeline.tree import plain

LARGEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Case:
    """One expression with the variables that it sees."""

    text: str
    variables: Mapping[str, Value]


def read_variables(path: Path) -> Mapping[str, Value]:
    """Return the mapping of a JSON or YAML file.  Raises InputError."""
    text = read_text(path, LARGEST_BYTES)
    if text.lstrip().startswith("{"):
        try:
            return _mapping(json.loads(text), str(path), "variables")
        except (ValueError, RecursionError):
            pass  # a YAML mapping in braces, or a mistake that is told with its place there
    trees, unreadable = parse(text)
    for finding in unreadable:
        where = f"{path}:{finding.at.line}:{finding.at.column}"
        raise InputError(f"{where}: {finding.message}", hint="give a mapping of names to values")
    return _mapping(plain(trees[0]), str(path), "variables")


def read_cases(path: Path) -> tuple[Case, ...]:
    """Return the cases of a JSON file.  Raises InputError."""
    text = read_text(path, LARGEST_BYTES)
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}", hint=_FORM) from error
    whole = _mapping(document, str(path), "cases")
    shared = _mapping(whole.get("variables") or {}, str(path), "variables")
    listed = whole.get("cases")
    if not isinstance(listed, list):
        raise InputError(f"{path} has no list of cases", hint=_FORM)
    return tuple(_case(each, shared, f"{path}: case {i}") for i, each in enumerate(listed))


_FORM = 'write {"variables": {...}, "cases": [{"expression": "1 == 1"}]}'


def _case(case: object, shared: Mapping[str, Value], where: str) -> Case:
    if isinstance(case, str):
        return Case(case, shared)
    entries = _mapping(case, where, "a case")
    text = entries.get("expression")
    if not isinstance(text, str):
        raise InputError(f"{where} has no expression", hint=_FORM)
    own = _mapping(entries.get("variables") or {}, where, "variables")
    return Case(text, {**shared, **own})


def _mapping(value: object, where: str, what: str) -> Mapping[str, Value]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: {what} must be a mapping", hint=_FORM)
    return cast("Mapping[str, Value]", value)
