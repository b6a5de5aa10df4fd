"""Frozen dataclasses to JSON values and back, by their type hints."""

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from crossfade.base.errors import InputError

T = TypeVar("T")


@cache
def _adapter(of: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - any type has its adapter
    return TypeAdapter(of)


def to_json(value: object) -> dict[str, Any]:
    """Return `value`, a dataclass, as a JSON object."""
    dumped = _adapter(cast("Hashable", type(value))).dump_python(value, mode="json")
    return cast("dict[str, Any]", dumped)


def from_json(of: type[T], data: object) -> T:
    """
    Return `data` as a value of type `of`; fields with a default may be missing.

    Raises InputError if the data does not fit, as after a downgrade of Crossfade.
    """
    try:
        result: T = _adapter(cast("Hashable", of)).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"stored {of.__name__} cannot be read: {first['msg']}",
            hint="was the store written by a newer Crossfade? upgrade, or choose another state",
            field=".".join(str(part) for part in first["loc"]),
        ) from error
    return result
