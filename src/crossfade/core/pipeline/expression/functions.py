"""The functions of the language: fixed numbers of arguments, each of fixed types."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from crossfade.core.pipeline.expression import numbers
from crossfade.core.pipeline.expression.errors import ExpressionError
from crossfade.core.pipeline.expression.meter import Meter
from crossfade.core.pipeline.expression.regex import matches
from crossfade.core.pipeline.expression.values import Value, entered, joined, type_name, units

Arguments: TypeAlias = Sequence[Value]
_MEANT = re.compile(r"\$([$&`'])")
_LONGEST = 1_000_000
"""Characters that a text may grow to."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function."""

    types: tuple[tuple[str, ...], ...]
    """For each argument the types that it may have."""
    body: Callable[[Arguments], Value]


def call(name: str, arguments: Arguments, meter: Meter) -> Value:
    """Return what the function makes of the arguments.  Raises ExpressionError."""
    function = FUNCTIONS[name]
    if len(arguments) != len(function.types):
        raise ExpressionError(f"Expected {len(function.types)} arguments for function '{name}'.")
    for index, (argument, allowed) in enumerate(zip(arguments, function.types, strict=True)):
        given = type_name(argument)
        # A null has a type of its own here, though it is an object to operators.
        if given not in allowed:
            raise ExpressionError(
                f"Invalid argument #{index} of type {given} for function '{name}': "
                f"expected {','.join(allowed)}"
            )
    for argument in arguments:
        if isinstance(argument, str):
            meter.read(argument)
    if name == "match":
        return _match(arguments, meter)
    return function.body(arguments)


def member(container: Value, name: str) -> Value:
    """Return the member of this name.  Raises ExpressionError when there is none."""
    undefined = ExpressionError(f"Undefined identifier member: '{name}'")
    match container:
        case None:
            raise ExpressionError(f"Cannot read '{name}' of null")
        case str() if name == "length":
            return float(len(container))
        case str() | bool() | int() | float():
            raise undefined
        case Mapping():
            name = joined(name)
            if name not in container:
                raise undefined
            return entered(container[name])
        case _ if name == "length":
            return float(len(container))
        case _ if name.isascii() and name.isdigit() and int(name[:9]) < len(container):
            return entered(container[int(name[:9])])
        case _:
            raise undefined


def _member(arguments: Arguments) -> Value:
    """Return a member of any name; `a.b` and `a[0]` go deeper unless a member is called so."""
    container, name = arguments[0], _text(arguments[1])
    if isinstance(container, Mapping) and name in container:
        return entered(container[name])
    try:
        for part in name.replace("[", ".").replace("]", "").split("."):
            container = member(container, part)
    except ExpressionError:
        raise ExpressionError(f"Undefined identifier member: '{joined(name)}'") from None
    return container


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _string(arguments: Arguments) -> Value:
    value = arguments[0]
    return value if isinstance(value, str) else numbers.written(_number(value))


def _to_number(arguments: Arguments) -> Value:
    value = arguments[0]
    number = numbers.read(value) if isinstance(value, str) else _number(value)
    if not math.isfinite(number):
        shown = joined(_text(_string(arguments)))
        raise ExpressionError(f"Error converting value '{shown}' to number")
    return number


def truth(value: Value) -> bool:
    """Return whether the value counts as true: not empty, not zero, a number."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def _replace(arguments: Arguments) -> Value:
    """Return the text with the first place replaced; `$&` and its like stand for what matched."""
    text, old, new = (_text(each) for each in arguments)
    at = text.find(old)
    if at < 0:
        return text
    meant = {"$": "$", "&": old, "`": text[:at], "'": text[at + len(old) :]}
    places = [found[1] for found in _MEANT.finditer(new)]
    if len(text) + len(new) + sum(len(meant[each]) for each in places) > _LONGEST:
        raise ExpressionError("The text becomes too long")
    filled = _MEANT.sub(lambda found: meant[found[1]], new)
    return text[:at] + filled + text[at + len(old) :]


def _substring(arguments: Arguments) -> Value:
    text, start, end = _text(arguments[0]), _number(arguments[1]), _number(arguments[2])
    if end < start:  # to the end, whatever was meant
        end = float(len(text))
    low, high = sorted((_index(start, len(text)), _index(end, len(text))))
    return text[low:high]


def _index(number: float, length: int) -> int:
    return 0 if math.isnan(number) else int(min(max(number, 0), length))


def _match(arguments: Arguments, meter: Meter) -> Value:
    text, pattern, ignore_case = arguments
    return matches(_text(pattern), _text(text), ignore_case=ignore_case is True, meter=meter)


_S, _N, _SN = ("string",), ("number",), ("number", "string")

FUNCTIONS: Mapping[str, Function] = {
    "Member": Function((("object",), _S), _member),
    "Variable": Function((_S,), lambda a: a[0]),  # the evaluator looks it up
    "String": Function((_SN,), _string),
    "Number": Function((_SN,), _to_number),
    "Boolean": Function((_SN,), lambda a: truth(a[0])),
    "round": Function((_N,), lambda a: numbers.rounded(_number(a[0]))),
    "floor": Function((_N,), lambda a: numbers.floored(_number(a[0]))),
    "upper": Function((_S,), lambda a: units(joined(_text(a[0])).upper())),
    "lower": Function((_S,), lambda a: units(joined(_text(a[0])).lower())),
    "trim": Function((_S,), lambda a: _text(a[0]).strip(numbers.SPACES)),
    "trimLeft": Function((_S,), lambda a: _text(a[0]).lstrip(numbers.SPACES)),
    "trimRight": Function((_S,), lambda a: _text(a[0]).rstrip(numbers.SPACES)),
    "replace": Function((_S, _S, _S), _replace),
    "substring": Function((_S, _N, _N), _substring),
    "length": Function((_S,), lambda a: float(len(_text(a[0])))),
    "includes": Function((_S, _S), lambda a: _text(a[1]) in _text(a[0])),
    "indexOf": Function((_S, _S), lambda a: float(_text(a[0]).find(_text(a[1])))),
    "match": Function((_S, _S, ("boolean",)), lambda a: _match(a, Meter())),
}
