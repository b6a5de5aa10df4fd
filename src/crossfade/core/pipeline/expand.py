"""
`scale` and `matrix`: one step written, a group of parallel steps meant.

A child has the keys of its parent, with its own on top: lists are joined, mappings are merged,
other values replaced.  The group keeps the parent's name, so that others can wait for it.
"""

from collections.abc import Mapping
from itertools import islice, product

from crossfade.core.pipeline.findings import Findings, under
from crossfade.core.pipeline.steps import PARALLEL, Placed, children, every, lifted
from crossfade.core.pipeline.tree import Entry, Node, plain

MOST_CHILDREN = 256
"""Steps that one `matrix` may become."""

_OF_GROUP = ("title", "stage", "when", "fail_fast", "fail-fast", "strict_fail_fast", "description")
"""Keys that hold for the group; the children do what the rest says."""


def expanded(root: Node, found: Findings) -> Node:
    """Return the document with groups in place of scaled steps."""
    steps = root["steps"]
    if steps is None or not any(_scaled(each.node) for each in every(steps, "")):
        return root
    taken = {each.name for each in every(steps, "")}
    return root.changed(steps=_level(steps, "steps", taken, found))


def _scaled(step: Node) -> bool:
    return any(key in step.entries for key in ("scale", "matrix"))


def _level(steps: Node, path: str, taken: set[str], found: Findings) -> Node:
    entries: dict[str, Entry] = {}
    for step in children(steps, path):
        node = step.node
        inner = node["steps"]
        if _scaled(node):
            node = _group(step, taken, found)
        elif isinstance(inner, Node) and isinstance(inner.value, Mapping):
            node = node.changed(steps=_level(inner, f"{step.path}.steps", taken, found))
        entries[step.name] = Entry(step.entry.at, node)
    return Node(entries, steps.at)


def _group(step: Placed, taken: set[str], found: Findings) -> Node:
    node = step.node
    scale, matrix = node["scale"], node["matrix"]
    if scale is not None and matrix is not None:
        path = under(step.path, "matrix")
        found.error(matrix.at, path, "cannot go with scale; leave one of them out")
    base = {key: e for key, e in node.entries.items() if key not in ("scale", "matrix")}
    given = scale if scale is not None else matrix
    if given is None or not isinstance(given.value, Mapping) or not given.value:
        what = "a mapping of names to keys" if scale is not None else "a mapping of keys to lists"
        place = given.at if given is not None else node.at
        found.error(place, step.path, f"scale or matrix is not allowed so; allowed: {what}")
        return Node(base, node.at)
    if scale is not None:
        overrides = _of_scale(scale, step, taken, found)
    else:
        overrides = _of_matrix(given, step, taken, found)
    shared = Node({key: e for key, e in base.items() if key not in _OF_GROUP}, node.at)
    steps = {
        name: Entry(each.at, lifted(Node(_merged(shared, each).entries, each.at)))
        for name, each in overrides.items()
    }
    group = {key: entry for key, entry in base.items() if key in _OF_GROUP}
    group["type"] = Entry(node.at, Node(PARALLEL, node.at))
    group["steps"] = Entry(given.at, Node(steps, given.at))
    return Node(group, node.at)


def _of_scale(scale: Node, step: Placed, taken: set[str], found: Findings) -> dict[str, Node]:
    """Return the children by name: the key, unless another step is called so already."""
    overrides: dict[str, Node] = {}
    for key, (at, node) in scale.entries.items():
        if node.value is None:
            node = Node({}, at)
        if not isinstance(node.value, Mapping):
            message = "is no mapping; allowed: the keys that differ from the other children"
            found.error(node.at, f"{step.path}.scale.{key}", message)
            continue
        overrides[_free(key if key not in taken else f"{step.name}_{key}", taken)] = node
    return overrides


def _of_matrix(matrix: Node, step: Placed, taken: set[str], found: Findings) -> dict[str, Node]:
    axes: list[list[tuple[str, Node]]] = []
    for key, entry in matrix.entries.items():
        if not entry.node.items:
            path = f"{step.path}.matrix.{key}"
            found.error(entry.node.at, path, "must be a list of at least one value")
            return {}
        as_list = key in ("environment", "commands", "volumes", "build_arguments")
        axes.append([(key, _value(each, as_list)) for each in entry.node.items])
    overrides: dict[str, Node] = {}
    for index, chosen in enumerate(islice(product(*axes), MOST_CHILDREN + 1)):
        if index == MOST_CHILDREN:
            path = under(step.path, "matrix")
            found.error(matrix.at, path, f"is more than {MOST_CHILDREN} steps")
            break
        name = _free(f"{step.name}_{index}", taken)
        entries = {key: Entry(node.at, node) for key, node in chosen}
        entries["title"] = Entry(matrix.at, Node(_title(step.name, chosen), matrix.at))
        overrides[name] = Node(entries, matrix.at)
    return overrides


def _value(node: Node, as_list: bool) -> Node:
    """Return a value of an axis; a text stands for a list of one where lists are asked for."""
    return Node((node,), node.at) if as_list and node.text is not None else node


def _title(name: str, chosen: tuple[tuple[str, Node], ...]) -> str:
    values = [plain(node) for _, node in chosen]
    parts = (" ".join(map(str, v)) if isinstance(v, list) else str(v) for v in values)
    return f"{name}: {', '.join(parts)}"[:200]


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _merged(low: Node, high: Node) -> Node:
    """Return `high` on top of `low`."""
    if isinstance(low.value, Mapping) and isinstance(high.value, Mapping):
        entries = dict(low.value)
        for key, (at, node) in high.value.items():
            old = entries.get(key)
            entries[key] = Entry(at, node if old is None else _merged(old.node, node))
        return Node(entries, high.at)
    if isinstance(low.value, tuple) and isinstance(high.value, tuple):
        return Node((*low.value, *high.value), high.at)
    return high
