"""Frozen dataclasses to JSON values and back, by their type hints."""

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from crossfade.base.errors import InputError

T = TypeVar("T")


@cache
def _adapter(of: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def to_json(value: object) -> Any:
    """Return `value` (a dataclass, or a container of them) as plain JSON values."""
    return _adapter(type(value)).dump_python(value, mode="json")


def from_json(of: type[T], data: object) -> T:
    """
    Return `data` as a value of type `of`; fields with a default may be missing.

    Raises InputError if the data does not fit, as after a downgrade of Crossfade.
    """
    try:
        result: T = _adapter(of).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"stored {of.__name__} cannot be read: {first['msg']}",
            hint="was the store written by a newer Crossfade? upgrade, or choose another state",
            field=".".join(str(part) for part in first["loc"]),
        ) from error
    return result
