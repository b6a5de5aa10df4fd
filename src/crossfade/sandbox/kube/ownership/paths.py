"""
Sets of paths in an object, as `managedFields` writes them.

A step is `f:name` (a field), `k:{"name":"web"}` (an item of a list, by its keys) or `v:"x"` (an
item by its value).  A path stands for its value when that is plain or owned whole, and for the
existence of an item of a list.
"""

import json
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.ownership.shapes import Shape, Sharing
from crossfade.sandbox.kube.values import Json

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = frozenset[Path]

NO_PATHS: Paths = frozenset()
_KEY_DEFAULTS = {"protocol": "TCP"}
"""Keys of lists that may be left out, with what they are then."""


def paths_in(value: Json, shape: Shape) -> Paths:
    """Return every path that a value has something at."""
    return frozenset(walk(value, shape, ()))


def walk(value: Json, shape: Shape, at: Path) -> Iterator[Path]:
    """Yield every path that a value at `at` has something at."""
    if not value and value is not False and at:
        yield at  # empty objects and lists are owned as a whole, as plain values are
    elif isinstance(value, dict) and shape.sharing is Sharing.GRANULAR:
        for name, item in value.items():
            yield from walk(item, shape.child(name), (*at, f"f:{name}"))
    elif isinstance(value, list) and shape.sharing in (Sharing.MAP, Sharing.SET):
        for step, item in steps(value, shape):
            yield (*at, step)
            if shape.sharing is Sharing.MAP:
                yield from walk(item, shape.item(), (*at, step))
    else:
        yield at


def steps(items: list[Json], shape: Shape) -> Iterator[tuple[str, Json]]:
    """Yield each item of a set or an associative list with its step."""
    for item in items:
        yield step_of(item, shape), item


def step_of(item: Json, shape: Shape) -> str:
    """Return the step by which an item of a list is known."""
    if shape.sharing is Sharing.SET or not isinstance(item, dict):
        return "v:" + json.dumps(item, separators=(",", ":"), sort_keys=True)
    keys = {name: item.get(name, _KEY_DEFAULTS.get(name)) for name in shape.keys}
    known = {name: value for name, value in keys.items() if value is not None}
    return "k:" + json.dumps(known, separators=(",", ":"), sort_keys=True)


def to_fields(paths: Iterable[Path]) -> Object:
    """Return a set of paths as `fieldsV1`."""
    result: Object = {}
    for path in sorted(paths):
        node = result
        for step in path:
            node = node.setdefault(step, {})
        if path[-1][:2] in ("k:", "v:"):
            node.setdefault(".", {})
    for path in paths:
        _mark_inner(result, path)
    return result


def _mark_inner(tree: Object, path: Path) -> None:
    """Mark a path that stands for a value and also leads to others."""
    node = tree
    for step in path:
        node = node[step]
    if node and "." not in node:
        node["."] = {}


def from_fields(tree: Json) -> Paths:
    """Return the set of paths that `fieldsV1` stands for."""
    return frozenset(_read(tree, ())) if isinstance(tree, dict) else NO_PATHS


def _read(tree: Object, at: Path) -> Iterator[Path]:
    for step, inner in tree.items():
        if step == ".":
            yield at
        elif not inner or not isinstance(inner, dict):
            yield (*at, step)
        else:
            yield from _read(inner, (*at, step))


def below(paths: Iterable[Path], *roots: Path) -> Paths:
    """Return the paths at or below one of the roots."""
    return frozenset(path for path in paths if any(path[: len(root)] == root for root in roots))


def shown(path: Path) -> str:
    """Return a path for people: `.spec.containers[name="web"].image`."""
    parts = []
    for step in path:
        mark, text = step[:2], step[2:]
        if mark == "f:":
            parts.append(f".{text}")
        elif mark == "v:":
            parts.append(f"[={text}]")
        else:
            keys = json.loads(text)
            named = ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(keys.items()))
            parts.append(f"[{named}]")
    return "".join(parts)
