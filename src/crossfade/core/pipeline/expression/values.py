"""Values of expressions, and texts as sequences of UTF-16 units, which is how they are counted."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from crossfade.core.pipeline.expression import numbers

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"


def units(text: str) -> str:
    """Return the text with each character beyond U+FFFF as its two surrogates."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(data[index] | data[index + 1] << 8) for index in range(0, len(data), 2))


def joined(text: str) -> str:
    """Return the text with pairs of surrogates as the characters that they stand for."""
    if text.isascii():
        return text
    data = text.encode("utf-16-le", "surrogatepass")
    return data.decode("utf-16-le", "surrogatepass")


def entered(value: Value) -> Value:
    """Return a value from outside as the language sees it: doubles, and texts as units."""
    if isinstance(value, str):
        return units(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return numbers.as_double(value)
    return value


def type_name(value: Value) -> str:
    """Return the name that messages use for the type."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case _:
            return "object"


def written(value: Value) -> str | None:
    """Return a plain value as it is put into texts, None when it has no such form."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return numbers.written(numbers.as_double(value))
        case _:
            return None
