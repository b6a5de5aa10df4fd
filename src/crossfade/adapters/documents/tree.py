"""YAML text to plain values that know their place, whatever the text is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.docinfo import DocInfo
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import BaseResolver
from ruamel.yaml.scanner import Scanner

from crossfade.adapters.documents.problems import Mark, Problems, shown

DEEPEST = 50
"""Levels of nesting."""
MOST_VALUES = 50_000
"""Values in one file, counted as often as aliases repeat them: no file becomes a bomb."""

Entries: TypeAlias = "Mapping[str, tuple[Mark, Located]]"

_STANDARD = "tag:yaml.org,2002:"
_TEXT = ("str", "timestamp", "value")


class Broken(Enum):
    """Stands for a value whose problem has been reported, so that it is not reported twice."""

    BROKEN = "broken"


BROKEN = Broken.BROKEN


@dataclass(frozen=True, slots=True)
class Located:
    """A value of the file and where it begins; mappings keep the place of each key."""

    value: "bool | int | float | str | tuple[Located, ...] | Entries | Broken | None"
    at: Mark


def read_tree(text: str, problems: Problems) -> tuple[Located, ...]:
    """
    Return the documents of the text that are not empty; what is wrong goes to `problems`.

    YAML 1.2: `yes`, `on` and dates are text.  Only the standard tags are known.
    """
    return tuple(
        tree
        for node in compose(text, problems)
        if (tree := _Reader(problems).read(node, "", 0)).value is not None
    )


class _Scanner(Scanner):
    """Gives up on brackets in brackets early: each level makes every further one slower."""

    def fetch_flow_collection_start(self, TokenClass: object, to_push: str) -> None:
        """Take in one more bracket."""
        if len(self.flow_context) > DEEPEST * 2:
            raise RecursionError
        super().fetch_flow_collection_start(TokenClass, to_push)

    def scan_yaml_directive_value(self, start_mark: StreamMark) -> object:
        """Read `%YAML 1.1`, and go on with the rules of 1.2: `on` stays text."""
        super().scan_yaml_directive_value(start_mark)
        self.yaml_version = 1, 2
        return self.yaml_version


def compose(
    text: str, problems: Problems, resolver: type[BaseResolver] | None = None
) -> list[Node]:
    """Return the documents of the text as nodes of the parser, none when it cannot be read."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    if resolver is not None:
        yaml.Resolver = resolver
    yaml.composer.warn_double_anchors = False  # the last one holds, and nobody is to be told
    yaml.doc_infos.append(DocInfo())  # where the parser keeps what directives say
    nodes: list[Node] = []
    try:
        _, parser = yaml.get_constructor_parser(text)
        try:
            while yaml.composer.check_node():
                nodes.append(yaml.composer.get_node())
        finally:
            parser.dispose()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(mark_of(mark), "", _syntax(error, text, mark))
    except ReaderError as error:
        before = text[: error.position]
        at = Mark(before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        problems.add(at, "", "a control character is not allowed in YAML: is this a text file?")
    except RecursionError:
        problems.add(Mark(1, 1), "", f"is nested too deeply; {DEEPEST} levels are allowed")
    except (YAMLError, ValueError, AttributeError, AssertionError, IndexError, KeyError) as error:
        # What else the parser raises on input that nobody writes by hand, found by fuzzing.
        problems.add(Mark(1, 1), "", f"is not valid YAML: {error}")
    return [] if problems.found else nodes


def mark_of(mark: StreamMark | None) -> Mark:
    """Return the place that the parser means, counted from 1."""
    return Mark(1, 1) if mark is None else Mark(mark.line + 1, mark.column + 1)


def _syntax(error: MarkedYAMLError, text: str, mark: StreamMark | None) -> str:
    if mark is not None:
        lines = text.splitlines()
        line = lines[mark.line] if mark.line < len(lines) else ""
        if "\t" in line[: mark.column + 1]:
            return "a tab cannot be used here: indent with spaces"
    said = error.problem or error.context or "it cannot be read"
    return f"is not valid YAML: {said}"


class _Reader:
    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._values = 0

    def read(self, node: Node, path: str, depth: int) -> Located:
        """Return the value, or BROKEN in its place when it is a problem."""
        at = mark_of(node.start_mark)
        self._values += 1
        if self._values > MOST_VALUES:
            if self._values == MOST_VALUES + 1:
                self._problems.add(at, path, f"more than {MOST_VALUES} values, aliases included")
            return Located(BROKEN, at)
        if depth > DEEPEST:
            self._problems.add(
                at, path, f"is nested too deeply, or contains itself; {DEEPEST} levels are allowed"
            )
            self._values = MOST_VALUES + 1  # a second look would say the same
            return Located(BROKEN, at)
        tag = str(node.tag)
        short = tag.removeprefix(_STANDARD)
        if isinstance(node, MappingNode) and short == "map" and tag != short:
            return Located(self._entries(node, path, depth), at)
        if isinstance(node, SequenceNode) and short == "seq" and tag != short:
            items = (
                self.read(item, f"{path}[{index}]", depth + 1)
                for index, item in enumerate(node.value)
            )
            return Located(tuple(items), at)
        if isinstance(node, ScalarNode) and tag != short:
            return self._scalar(node, short, path, at)
        return self._unknown_tag(tag, path, at)

    def _unknown_tag(self, tag: str, path: str, at: Mark) -> Located:
        name = tag.replace(_STANDARD, "!!")
        self._problems.add(at, path, f"the tag {shown(name)} is not known here: leave it out")
        return Located(BROKEN, at)

    def _entries(self, node: MappingNode, path: str, depth: int) -> Entries:
        entries: dict[str, tuple[Mark, Located]] = {}
        for key_node, value_node in node.value:
            at = mark_of(key_node.start_mark)
            if not isinstance(key_node, ScalarNode):
                self._problems.add(at, path, "a key must be text")
                continue
            key = str(key_node.value)
            here = f"{path}.{key}" if path else key
            if str(key_node.tag) == f"{_STANDARD}merge":
                self._problems.add(
                    at, path, "merge keys (<<) are not supported: write the keys out"
                )
            elif key in entries:
                first = entries[key][0]
                self._problems.add(at, here, f"is given twice, first in line {first.line}")
            else:
                entries[key] = (at, self.read(value_node, here, depth + 1))
        return entries

    def _scalar(self, node: ScalarNode, kind: str, path: str, at: Mark) -> Located:
        text = str(node.value)
        if kind in _TEXT:
            return Located(text, at)
        try:
            match kind:
                case "null":
                    return Located(None, at)
                case "bool":
                    return Located(_boolean(text), at)
                case "int":
                    return Located(_whole(text), at)
                case "float":
                    return Located(_number(text), at)
                case _:
                    return self._unknown_tag(f"{_STANDARD}{kind}", path, at)
        except ValueError as error:
            self._problems.add(at, path, f"{shown(text)} {error}")
            return Located(BROKEN, at)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return text.lower() == "true"


def _whole(text: str) -> int:
    plain = text.replace("_", "")
    if len(plain) > 100:
        raise ValueError("is too large a number")
    try:
        # YAML 1.2 has 0o17 for octal; 017 is seventeen, with a needless zero.
        return int(plain, 0) if re.match(r"[-+]?0[oxb]", plain, re.IGNORECASE) else int(plain)
    except ValueError as error:
        raise ValueError("is not a whole number") from error


def _number(text: str) -> float:
    try:
        value = float(text.replace("_", ""))
    except ValueError as error:
        raise ValueError("is not a number that JSON can hold") from error
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("is not a number that JSON can hold")
    return value
