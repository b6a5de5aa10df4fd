"""Functions of conditions: what may be called, and what it answers."""

import math
import re
from collections.abc import Callable, Sequence

from crossfade.base.json_value import Json
from crossfade.core.analysis.expression_kinds import kind_of
from crossfade.core.analysis.expression_operators import as_number
from crossfade.core.analysis.expression_tokens import ExpressionError


def _length(value: Json, column: int) -> int:
    if isinstance(value, list | dict | str):
        return len(value)
    raise ExpressionError(f"len() takes a list, a map or a text, not {kind_of(value)}", column)


def _at(index: int) -> Callable[[Json, int], Json]:
    def apply(value: Json, column: int) -> Json:
        if not isinstance(value, list):
            raise ExpressionError(f"a list is wanted here, not {kind_of(value)}", column)
        return value[index] if value else None

    return apply


def numbers(arguments: Sequence[Json], column: int) -> list[int | float]:
    """Return the numbers of lists and of single values, one after another."""
    flat: list[Json] = []
    for each in arguments:
        flat += each if isinstance(each, list) else [each]
    found = [as_number(each, column) for each in flat]
    if not found:
        raise ExpressionError("there are no numbers", column, "ask len(result) > 0 first")
    return found


def _median(values: Sequence[float]) -> float:
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


OF_MANY: dict[str, Callable[[list[int | float]], int | float]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "mean": lambda values: sum(values) / len(values),
    "median": _median,
}
"""Functions of numbers."""

_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf|infinity)|nan",
    re.ASCII | re.IGNORECASE,
)


def _as_int(value: Json, column: int) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value) and len(value) < 20:
        return int(value)
    if isinstance(value, str) or (isinstance(value, float) and not math.isfinite(value)):
        raise ExpressionError(f"asInt() cannot read {value!r}", column, "use asFloat()")
    return int(as_number(value, column))


def _as_float(value: Json, column: int) -> float:
    if isinstance(value, str):
        if not _FLOAT.fullmatch(value):
            raise ExpressionError(f"asFloat() cannot read {value!r}", column)
        return float(value)
    return float(as_number(value, column))


def _rounded(how: Callable[[float], float]) -> Callable[[Json, int], float]:
    def apply(value: Json, column: int) -> float:
        number = float(as_number(value, column))
        return how(number) if math.isfinite(number) else number

    return apply


def _half_away(number: float) -> float:
    return math.copysign(math.floor(abs(number) + 0.5), number)


OF_ONE: dict[str, Callable[[Json, int], Json]] = {
    "len": _length,
    "first": _at(0),
    "last": _at(-1),
    "isNaN": lambda value, column: math.isnan(as_number(value, column)),
    "isInf": lambda value, column: math.isinf(as_number(value, column)),
    "asInt": _as_int,
    "int": _as_int,
    "asFloat": _as_float,
    "float": _as_float,
    "abs": lambda value, column: abs(as_number(value, column)),
    "ceil": _rounded(math.ceil),
    "floor": _rounded(math.floor),
    "round": _rounded(_half_away),
}
"""Functions of one value; they get the column for messages."""
