"""`{{name}}` in texts: replaced by values, never evaluated."""

import difflib
import re
from collections.abc import Mapping
from typing import TypeAlias

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json

Fields: TypeAlias = Mapping[str, str]
"""Values by the names that texts call them by."""

_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*")


def names(text: str) -> tuple[str, ...]:
    """Return the names in the text, in order.  Raises InputError for `{{` with something else."""
    return tuple(_name(inside) for inside in _PLACEHOLDER.findall(text))


def fill(text: str, fields: Fields) -> str:
    """
    Return the text with each `{{name}}` replaced by its value, once: values are not looked into.

    Raises InputError for a name without a value, with those that have one.
    """

    def value(found: re.Match[str]) -> str:
        name = _name(found[1])
        if name not in fields:
            raise _unknown(name, fields)
        return fields[name]

    return _PLACEHOLDER.sub(value, text)


def fill_json(value: Json, fields: Fields) -> Json:
    """Return the JSON value with the placeholders in all its texts replaced; keys stay."""
    match value:
        case str():
            return fill(value, fields)
        case list():
            return [fill_json(each, fields) for each in value]
        case dict():
            return {key: fill_json(each, fields) for key, each in value.items()}
        case _:
            return value


def _name(inside: str) -> str:
    found = _NAME.fullmatch(inside)
    if found is None:
        raise InputError(
            f"`{{{{{inside}}}}}` is no placeholder",
            hint="between the braces stands one name, such as `{{revision}}` or `{{args.name}}`",
        )
    return found[1]


def _unknown(name: str, fields: Fields) -> InputError:
    near = difflib.get_close_matches(name, fields, n=1)
    meant = f"did you mean `{{{{{near[0]}}}}}`? " if near else ""
    known = ", ".join(sorted(fields)) or "none"
    return InputError(f"`{{{{{name}}}}}` has no value", hint=f"{meant}there are: {known}")
