"""Operators of conditions on values that are known only when the condition is answered."""

import math
import operator
from collections.abc import Callable

from crossfade.base.json_value import Json
from crossfade.core.analysis.expression_kinds import kind_of
from crossfade.core.analysis.expression_tokens import ExpressionError


def as_number(value: Json, column: int) -> int | float:
    """Return a value that is a number.  Raises ExpressionError for others."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    hint = "turn a text into a number with asFloat()" if isinstance(value, str) else ""
    raise ExpressionError(f"a number is wanted here, not {kind_of(value)}", column, hint)


def equal(left: Json, right: Json) -> bool:
    """Say whether two values are the same; values of different kinds never are."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return kind_of(left) is kind_of(right) and left == right


def inside(left: Json, right: Json, column: int) -> bool:
    """Say whether a list has a value, or a map a key."""
    match right:
        case list():
            return any(equal(left, item) for item in right)
        case dict():
            return isinstance(left, str) and left in right
        case None:
            return False
        case _:
            raise ExpressionError(f"`in` takes a list or a map, not {kind_of(right)}", column)


_ORDER = ("<", ">", "<=", ">=")
_TEXTS: dict[str, Callable[[str, str], bool | str]] = {
    "contains": operator.contains,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "+": operator.add,
}


def applied(sign: str, left: Json, right: Json, column: int) -> Json:
    """Return what an operator makes of two values.  Raises ExpressionError for other kinds."""
    if isinstance(left, str) and isinstance(right, str):
        if sign in _TEXTS:
            return _TEXTS[sign](left, right)
        if sign in _ORDER:
            return _ordered(sign, left < right, left > right, left == right)
    if sign in ("contains", "startsWith", "endsWith"):
        what = f"`{sign}` takes two texts, not {kind_of(left)} and {kind_of(right)}"
        raise ExpressionError(what, column)
    a, b = as_number(left, column), as_number(right, column)
    if sign in _ORDER:
        return _ordered(sign, a < b, a > b, a == b)
    return _worked_out(sign, a, b, column)


def _ordered(sign: str, less: bool, greater: bool, same: bool) -> bool:
    chosen = less if sign[0] == "<" else greater
    return chosen or (same and sign.endswith("="))


def _worked_out(sign: str, a: int | float, b: int | float, column: int) -> int | float:
    """Return what a sum or product comes to; as in Go, a float may become infinite or NaN."""
    if sign == "%":
        return _remainder(a, b, column)
    try:
        match sign:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "/":
                return _divided(float(a), float(b))
            case _:
                return math.pow(a, b)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a * math.copysign(1, b))


def _remainder(a: int | float, b: int | float, column: int) -> int:
    if not (float(a).is_integer() and float(b).is_integer()) or b == 0:
        raise ExpressionError("`%` takes whole numbers, the second not 0", column)
    return int(math.copysign(abs(int(a)) % abs(int(b)), a))
