"""
One value out of a JSON document, by a path as kubectl and Argo write it: `{$.data.items[0].ok}`.

Names (`.a`, `['a b']`), positions (`[0]`, `[-1]`) and `[*]` for all, which gives a list.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json

Part: TypeAlias = str | int | None
"""A name, a position, or None for all."""

_PART = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*) | (?P<all>\.\*|\[\*\]) | \[(?P<at>-?\d{1,9})\]
      | \['(?P<single>[^']+)'\] | \["(?P<double>[^"]+)"\]""",
    re.VERBOSE | re.ASCII,
)
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path that was understood."""

    text: str
    parts: tuple[Part, ...]

    def find(self, document: Json) -> tuple[bool, Json]:
        """Return whether there is something at the path, and what."""
        found: list[Json] = [document]
        for part in self.parts:
            found = [each for value in found for each in _step(value, part)]
        if None in self.parts:
            return bool(found), found
        return (True, found[0]) if found else (False, None)


def parse_path(text: str) -> JsonPath:
    """Return the path; "" is the whole document.  Raises InputError with the place of the error."""
    path = text.strip()
    if path.startswith("{") and path.endswith("}"):
        path = path[1:-1].strip()
    path = path.removeprefix("$")
    if path and path[0] not in ".[":
        path = f".{path}"
    parts: list[Part] = []
    at = 0
    while at < len(path):
        found = _PART.match(path, at)
        if found is None or len(text) > _LONGEST:
            raise InputError(
                f"the JSON path `{text[:100]}` cannot be read at `{path[at : at + 20]}`",
                hint="allowed are `.name`, `['name']`, `[0]`, `[-1]` and `[*]`;"
                " filters and `..` are not",
            )
        parts.append(_part(found))
        at = found.end()
    return JsonPath(text, tuple(parts))


def _part(found: re.Match[str]) -> Part:
    if found["at"] is not None:
        return int(found["at"])
    return found["name"] or found["single"] or found["double"]


def _step(value: Json, part: Part) -> list[Json]:
    match value, part:
        case dict(), str() if part in value:
            return [value[part]]
        case list(), int() if -len(value) <= part < len(value):
            return [value[part]]
        case list(), None:
            return value
        case dict(), None:
            return list(value.values())
        case _:
            return []
