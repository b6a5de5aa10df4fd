"""Pipeline files to trees: YAML 1.2 with anchors, merge keys, and the place of every value."""

from pathlib import Path
from typing import NoReturn

from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from crossfade.adapters.documents.files import read_given
from crossfade.adapters.documents.problems import Problems
from crossfade.adapters.documents.tree import compose, mark_of
from crossfade.adapters.pipelines.scalars import key_text, plain_value
from crossfade.base.words import shown
from crossfade.core.pipeline.findings import Finding
from crossfade.core.pipeline.tree import Date, Entry, Mark, Node, Plain

DEEPEST = 60
"""Levels of nesting."""
LARGEST_BYTES = 2 * 1024 * 1024
MOST_VALUES = 200_000
"""Values in one file, counted as often as aliases repeat them: no file becomes a bomb."""

_MOST_TABBED_LINES = 20
_PLAIN = "tag:crossfade.dev,2026:plain"
_STANDARD = "tag:yaml.org,2002:"
_PLAIN_TAG = Tag(suffix=_PLAIN)
_TEXT_TAG = Tag(suffix=f"{_STANDARD}str")
_LIST_TAG = Tag(suffix=f"{_STANDARD}seq")
_MAPPING_TAG = Tag(suffix=f"{_STANDARD}map")


class _Resolver(VersionedResolver):
    """Leaves it to us what words without quotes stand for."""

    def resolve(self, kind: object, value: object, implicit: object) -> Tag:
        """Return the tag of a node that was written without one."""
        if kind is ScalarNode:
            bare = isinstance(implicit, tuple | list) and bool(implicit[0])
            return _PLAIN_TAG if bare else _TEXT_TAG
        return _LIST_TAG if kind is SequenceNode else _MAPPING_TAG


class _Unreadable(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def read_pipeline(path: Path) -> str:
    """Return the text of a file, of standard input for `-`.  Raises as `read_given` does."""
    return read_given(path, LARGEST_BYTES)


def parse(text: str) -> tuple[tuple[Node, ...], tuple[Finding, ...]]:
    """Return the documents of the text that are not empty, or else why it cannot be read."""
    nodes, problems = _composed(text)
    if problems.found:
        found = problems.found
        return (), tuple(Finding(Mark(*each.at), each.path, each.message) for each in found)
    try:
        trees = tuple(_Reader().read(node, "", 0) for node in nodes)
    except _Unreadable as error:
        return (), (error.finding,)
    given = tuple(tree for tree in trees if tree.value is not None)
    if given:
        return given, ()
    return (), (Finding(Mark(1, 1), "", "is empty; a pipeline begins with `version: '1.0'`"),)


def _composed(text: str) -> tuple[list[YamlNode], Problems]:
    """Return the nodes; tabs between words are spaces where the parser stumbles over them."""
    problems = Problems("")
    lines: list[str] | None = None
    for _ in range(_MOST_TABBED_LINES):
        problems = Problems("")
        nodes = compose(text, problems, _Resolver)
        if not problems.found or "\t" not in text:
            return nodes, problems
        lines = text.split("\n") if lines is None else lines
        at = problems.found[0].at
        tabbed = _untabbed(lines, at.line - 1) or _untabbed(lines, at.line - 2)
        if not tabbed:
            break
        text = "\n".join(lines)
    return [], problems


def _untabbed(lines: list[str], index: int) -> bool:
    """Replace the tabs of a line that are not its indentation; return whether there were any."""
    if not 0 <= index < len(lines):
        return False
    line = lines[index]
    words = line.lstrip()
    indent = line[: len(line) - len(words)]
    lines[index] = indent + words.replace("\t", " ")
    return lines[index] != line


class _Reader:
    def __init__(self) -> None:
        self._values = 0
        self._read: dict[int, tuple[Node, int]] = {}
        """What aliases may stand for, with its number of values, so that it is read once."""

    def read(self, node: YamlNode, path: str, depth: int) -> Node:
        """Return the node as a tree.  Raises _Unreadable."""
        at = Mark(*mark_of(node.start_mark))
        known = self._read.get(id(node))
        self._values += 1 if known is None else known[1]
        if self._values > MOST_VALUES:
            _stop(at, path, f"more than {MOST_VALUES} values, aliases included")
        if depth > DEEPEST:
            _stop(
                at, path, f"is nested too deeply, or contains itself; {DEEPEST} levels are allowed"
            )
        if known is not None:
            return known[0]
        before = self._values
        tree = self._tree(node, at, path, depth)
        self._read[id(node)] = (tree, self._values - before + 1)
        return tree

    def _tree(self, node: YamlNode, at: Mark, path: str, depth: int) -> Node:
        tag = str(node.tag)
        if isinstance(node, ScalarNode):
            return Node(_scalar(str(node.value), tag, at, path), at)
        if isinstance(node, SequenceNode) and tag == f"{_STANDARD}seq":
            items = (
                self.read(each, f"{path}[{index}]", depth + 1)
                for index, each in enumerate(node.value)
            )
            return Node(tuple(items), at)
        if isinstance(node, MappingNode) and tag == f"{_STANDARD}map":
            return Node(self._entries(node, path, depth), at)
        return _unknown_tag(tag, at, path)

    def _entries(self, node: MappingNode, path: str, depth: int) -> dict[str, Entry]:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            at = Mark(*mark_of(key_node.start_mark))
            if str(key_node.tag) == _PLAIN and key_node.value == "<<":
                self._merge(value_node, merged, path, depth)
                continue
            key = self._key(key_node, at, path)
            here = f"{path}.{key}" if path else key
            if key in own:
                _stop(at, here, f"is given twice, first in line {own[key].at.line}")
            own[key] = Entry(at, self.read(value_node, here, depth + 1))
        return {**merged, **own}

    def _merge(self, node: YamlNode, merged: dict[str, Entry], path: str, depth: int) -> None:
        """Add the keys of a mapping, or of several; those that are there already stay."""
        for each in node.value if isinstance(node, SequenceNode) else (node,):
            if not isinstance(each, MappingNode):
                at = Mark(*mark_of(node.start_mark))
                _stop(at, path, "`<<` takes a mapping, or a list of mappings")
            for key, entry in self.read(each, path, depth + 1).entries.items():
                merged.setdefault(key, entry)

    def _key(self, node: YamlNode, at: Mark, path: str) -> str:
        if isinstance(node, ScalarNode):
            if node.value == "" and str(node.tag) == _PLAIN:
                _stop(at, path, "a key is missing before the colon")
            return key_text(_simple(_scalar(str(node.value), str(node.tag), at, path)))
        if isinstance(node, MappingNode):
            return "[object Object]"  # `{{NAME}}` without quotes: no text, as the check says then
        keys = [self._key(each, at, path) for each in node.value]
        return ",".join(keys)


def _simple(value: Plain) -> bool | int | float | str | Date | None:
    return None if isinstance(value, tuple | dict) else value  # type: ignore[return-value]


def _scalar(text: str, tag: str, at: Mark, path: str) -> bool | int | float | str | Date | None:
    if tag == _PLAIN:
        return plain_value(text)
    match tag.removeprefix(_STANDARD):
        case "str":
            return text
        case "null" | "bool" | "int" | "float" | "timestamp" as kind:
            value = plain_value(text)
            if _kind(value) == kind:
                return value
            if kind == "float" and _kind(value) == "int" and isinstance(value, int):
                return float(value)
            return _stop(at, path, f"{shown(text)} is not what the tag !!{kind} says")
        case _:
            return _unknown_tag(tag, at, path)


def _kind(value: bool | int | float | str | Date | None) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case Date():
            return "timestamp"
        case _:
            return "str"


def _unknown_tag(tag: str, at: Mark, path: str) -> NoReturn:
    name = tag.replace(_STANDARD, "!!").replace(_PLAIN, "!")
    _stop(at, path, f"the tag {shown(name)} is not known here: leave it out")


def _stop(at: Mark, path: str, message: str) -> NoReturn:
    raise _Unreadable(Finding(at, path, message))
