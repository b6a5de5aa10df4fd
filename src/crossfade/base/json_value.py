"""JSON as a type, and the texts in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from typing_extensions import TypeAliasType

if TYPE_CHECKING:
    Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
else:  # the form in which pydantic can follow a type into itself
    Json = TypeAliasType("Json", "bool | int | float | str | list[Json] | dict[str, Json] | None")


def texts_of(value: Json) -> Iterator[str]:
    """Yield every text in the value; keys of objects are none."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from texts_of(each)
        case dict():
            for each in value.values():
                yield from texts_of(each)
        case _:
            return
