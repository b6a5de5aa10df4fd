"""JSON as a type."""

from typing import TYPE_CHECKING, TypeAlias

from typing_extensions import TypeAliasType

if TYPE_CHECKING:
    Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
else:  # the form in which pydantic can follow a type into itself
    Json = TypeAliasType("Json", "bool | int | float | str | list[Json] | dict[str, Json] | None")
