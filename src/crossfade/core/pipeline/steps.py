"""Steps as they stand in a file: their type, their names, and `arguments` lifted to the step."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.core.pipeline.findings import under
from crossfade.core.pipeline.step_shapes import KNOWN_TYPES
from crossfade.core.pipeline.tree import Entry, Node

FREESTYLE, PARALLEL, APPROVAL = "freestyle", "parallel", "pending-approval"
_PART = r"(?:0|[1-9]\d*)"
_WORD = rf"(?:{_PART}|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMANTIC_VERSION = re.compile(
    rf"{_PART}\.{_PART}\.{_PART}(?:-{_WORD}(?:\.{_WORD})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A step with its name and where it stands."""

    name: str
    entry: Entry
    path: str

    @property
    def node(self) -> Node:
        """The step itself."""
        return self.entry.node


def type_of(step: Node) -> str:
    """Return the type as written; a step without one runs commands."""
    kind = step["type"]
    return kind.text if kind is not None and kind.text else FREESTYLE


def version_of(kind: str) -> tuple[str, str]:
    """Return name and version of a typed step; the version is "" when there is none."""
    name, _, version = kind.partition(":")
    return name, version


def is_semantic(version: str) -> bool:
    """Return whether this is a semantic version, as 1.2.3."""
    return _SEMANTIC_VERSION.fullmatch(version) is not None


def children(steps: Node | None, path: str) -> tuple[Placed, ...]:
    """Return the steps of a mapping, or of a list, whose names are then numbers."""
    if steps is None:
        return ()
    if steps.items:
        numbered = enumerate(steps.items)
        return tuple(Placed(str(i), Entry(s.at, s), f"{path}[{i}]") for i, s in numbered)
    return tuple(Placed(key, entry, under(path, key)) for key, entry in steps.entries.items())


def every(steps: Node | None, path: str) -> Iterator[Placed]:
    """Yield all steps of the tree, parents before their children."""
    left = list(reversed(children(steps, path)))
    while left:
        step = left.pop()
        yield step
        inner = step.node["steps"]
        if inner is not None and inner.truth:
            left += reversed(children(inner, under(step.path, "steps")))


def lifted(step: Node) -> Node:
    """Return the step with its `arguments` as keys of its own, which they replace."""
    arguments = step["arguments"]
    if arguments is None or not arguments.truth:
        return step
    known = type_of(step) in KNOWN_TYPES
    given = dict(arguments.entries)
    given |= {each.name: each.entry for each in children(arguments, "") if arguments.items}
    if arguments.text:  # its letters, by their number: a mistake that only closed types notice
        given |= {str(i): Entry(arguments.at, arguments) for i in range(len(arguments.text))}
    given.pop("arguments", None)
    if not known:
        given.pop("timeout", None)  # may be an argument of the plugin
    kept = {key: entry for key, entry in step.entries.items() if key != "arguments"}
    return Node(kept | given, step.at)
