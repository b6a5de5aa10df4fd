"""A document as a tree whose values know their place in the file."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from crossfade.base.json_value import Json


class Mark(NamedTuple):
    """A place in a file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Date:
    """A date without quotes, which is neither text nor a number."""

    text: str


class Entry(NamedTuple):
    """What stands under a key."""

    at: Mark
    """Where the key stands."""
    node: "Node"


Entries: TypeAlias = Mapping[str, Entry]
Plain: TypeAlias = "bool | int | float | str | Date | tuple[Node, ...] | Entries | None"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it begins."""

    value: Plain
    at: Mark

    def __getitem__(self, key: str) -> "Node | None":
        """Return what stands under the key, None when this is no mapping or has no such key."""
        entries = self.value
        if isinstance(entries, Mapping) and key in entries:
            return entries[key].node
        return None

    @property
    def entries(self) -> Entries:
        """What stands under which key; nothing when this is no mapping."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> "tuple[Node, ...]":
        """The values of a list; none when this is no list."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def text(self) -> str | None:
        """The text, None when this is none."""
        return self.value if isinstance(self.value, str) else None

    @property
    def truth(self) -> bool:
        """Whether a key with this value counts as given: not nothing, false, zero or ""."""
        return self.value not in (None, False, 0, "")

    def changed(self, **entries: "Node | None") -> "Node":
        """Return a mapping with these keys set, or without those that are None."""
        kept = {key: each for key, each in self.entries.items() if entries.get(key, self)}
        given = ((key, node) for key, node in entries.items() if node is not None)
        return Node(kept | {key: Entry(node.at, node) for key, node in given}, self.at)


def plain(node: Node) -> Json:
    """Return the tree as JSON values, without places."""
    match node.value:
        case tuple() as items:
            return [plain(item) for item in items]
        case Mapping() as entries:
            return {key: plain(entry.node) for key, entry in entries.items()}
        case Date(text):
            return text
        case float() as number if not math.isfinite(number):
            return str(number)  # JSON has none of these
        case scalar:
            return scalar


def grown(value: Json, at: Mark) -> Node:
    """Return JSON values as a tree, all at one place."""
    match value:
        case list():
            return Node(tuple(grown(item, at) for item in value), at)
        case dict():
            return Node({key: Entry(at, grown(item, at)) for key, item in value.items()}, at)
        case scalar:
            return Node(scalar, at)


def opened(node: Node, kind: type[list[Json]] | type[dict[str, Json]]) -> Node:
    """Return the list or mapping that a text says in JSON, else the node as it is."""
    text = node.text
    if text is None or len(text) > 100_000 or not text.lstrip().startswith(("[", "{")):
        return node
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return node
    return grown(value, node.at) if isinstance(value, kind) else node


def texts(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every text in the tree with the path to it."""
    left = [(path, node)]
    while left:
        here, each = left.pop()
        if each.text is not None:
            yield here, each
        left.extend((f"{here}[{index}]", item) for index, item in enumerate(each.items))
        left.extend(
            (f"{here}.{key}" if here else key, entry.node) for key, entry in each.entries.items()
        )
