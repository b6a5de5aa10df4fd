"""The operators of the language, each for operands of one type."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence

from crossfade.core.pipeline.expression import numbers
from crossfade.core.pipeline.expression.errors import ExpressionError
from crossfade.core.pipeline.expression.values import Value, type_name

_EQUAL = ("number", "string", "nullableString", "object", "boolean")
_ORDER = ("number", "string")
_BINARY: Mapping[str, tuple[str, ...]] = {
    "==": _EQUAL,
    "!=": _EQUAL,
    "<": _ORDER,
    ">": _ORDER,
    "<=": _ORDER,
    ">=": _ORDER,
    "+": _ORDER,
    "-": ("number",),
    "*": ("number",),
    "/": ("number",),
    "%": ("number",),
    "||": ("boolean",),
    "&&": ("boolean",),
}
_UNARY: Mapping[str, tuple[str, ...]] = {
    "+": ("number",),
    "-": ("number",),
    "!": ("number", "boolean"),
}
_TYPES: Mapping[str, tuple[str, ...]] = {
    "nullableString": ("string", "null"),
    "object": ("object", "null"),
}
_COMPARE: Mapping[str, Callable[[float | str, float | str], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_LONGEST = 1_000_000
"""Characters that a text may grow to."""


def prefixed(sign: str, value: Value) -> Value:
    """Return `!value`, `-value` or `+value`.  Raises ExpressionError."""
    if sign not in _UNARY:
        raise ExpressionError(f"Invalid unary operator: {sign}")
    _check(sign, _UNARY[sign], (value,))
    number = float(value) if isinstance(value, bool | int | float) else math.nan
    if sign == "!":
        return number == 0 or math.isnan(number)
    return -number if sign == "-" else number


def combined(sign: str, left: Value, right: Value) -> Value:
    """Return the result of a binary operator.  Raises ExpressionError."""
    if sign not in _BINARY:
        raise ExpressionError(f"Invalid binary operator: {sign}")
    _check(sign, _BINARY[sign], (left, right))
    match sign:
        case "==":
            return _same(left, right)
        case "!=":
            return not _same(left, right)
        case "||":
            return left is True or right is True
        case "&&":
            return left is True and right is True
        case _:
            return _computed(sign, left, right)


def _check(sign: str, allowed: Sequence[str], operands: Sequence[Value]) -> None:
    given = [type_name(each) for each in operands]
    if not any(all(each in _TYPES.get(kind, (kind,)) for each in given) for kind in allowed):
        raise ExpressionError(
            f"The operator {sign} cannot be used with {','.join(given)}. "
            f"It can only be used with the types: {','.join(allowed)}"
        )


def _same(left: Value, right: Value) -> bool:
    if type_name(left) == type_name(right) == "object":
        return left is right
    return left == right


def _computed(sign: str, left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        if sign == "+":
            if len(left) + len(right) > _LONGEST:
                raise ExpressionError("The text becomes too long")
            return left + right
        return _COMPARE[sign](left, right)
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise ExpressionError(f"Invalid binary operator: {sign}")
    if sign in _COMPARE:
        return _COMPARE[sign](left, right)
    return _arithmetic(sign, left, right)


def _arithmetic(sign: str, left: float, right: float) -> float:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            if (result := left * right) == math.inf:
                raise ExpressionError("Numeric overflow")
        case "/":
            if (result := numbers.divided(left, right)) == math.inf:
                raise ExpressionError(f"Division of {numbers.written(left)} by 0")
        case _:
            if math.isnan(result := numbers.remainder(left, right)):
                raise ExpressionError(f"Modulo of {numbers.written(left)} by 0")
    return result
