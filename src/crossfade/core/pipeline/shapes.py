"""
What values of a pipeline file may look like.

The rules are Codefresh's, leniences included: `"5"` is a number and `yes` is true where one is
asked for, a text in JSON may stand for a list or a mapping, and no text may be empty.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from crossfade.base.words import did_you_mean, nearest, shown
from crossfade.core.pipeline.expression.numbers import read
from crossfade.core.pipeline.findings import Findings, under
from crossfade.core.pipeline.tree import Date, Entry, Node, opened

VARIABLE = re.compile(r"\$\{\{[^\n\r\u2028\u2029]+?\}\}")
"""A reference that is the whole text."""

TRUE_WORDS = ("true", "yes", "on", "1")
FALSE_WORDS = ("false", "no", "off", "0")


class Shape(Protocol):
    """Judges one value."""

    @property
    def allowed(self) -> str:
        """What is allowed, for messages."""
        ...

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        ...


def fits(shape: Shape, node: Node) -> bool:
    """Return whether nothing is wrong with the value."""
    found = Findings()
    shape.check(node, "", found)
    return not found.errors


def kind_of(node: Node) -> str:
    """Return how a message names the value."""
    match node.value:
        case None:
            return "nothing"
        case "":
            return "an empty text"
        case tuple():
            return "a list"
        case Mapping():
            return "a mapping"
        case Date(text):
            return f"the date {text}"
        case scalar:
            return shown(scalar)


def refuse(node: Node, path: str, allowed: str, found: Findings) -> None:
    """Add that the value is not allowed."""
    found.error(node.at, path, f"{kind_of(node)} is not allowed; allowed: {allowed}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not empty."""

    allowed: str = "a text"
    pattern: str = ""
    """What must be found in it."""

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        match node.value:
            case bool() | int() | float() | Date():
                found.error(
                    node.at,
                    path,
                    f"{kind_of(node)} is no text here; put it in quotes to make it one",
                )
            case str() as text if text and (
                not self.pattern or re.search(self.pattern, text, re.ASCII)
            ):
                return
            case _:
                refuse(node, path, self.allowed, found)


@dataclass(frozen=True, slots=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]
    among: str = ""
    """Where the words come from, for messages."""

    @property
    def allowed(self) -> str:
        """The words."""
        words = ", ".join(self.words[:40]) or "none"
        return f"{words}{self.among}"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        if node.text in self.words and node.text is not None:
            return
        near = did_you_mean(node.text, self.words) if node.text else ""
        refuse(node, path, self.allowed + near, found)


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false, or a variable that will say so."""

    strict: bool = False
    """No words instead of true and false."""
    variable: bool = True

    @property
    def allowed(self) -> str:
        """The words."""
        words = "true, false" if self.strict else "true, false (also yes, no, on, off, 1, 0)"
        return f"{words}{', a variable as ${{NAME}}' if self.variable else ''}"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        value = node.value
        if isinstance(value, bool):
            return
        word = str(value).lower() in TRUE_WORDS + FALSE_WORDS or value in (0.0, 1.0)
        if word and not self.strict:
            return
        if self.variable and isinstance(value, str) and VARIABLE.fullmatch(value):
            return
        refuse(node, path, self.allowed, found)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, also in quotes."""

    positive: bool = False

    @property
    def allowed(self) -> str:
        """The range."""
        return "a number above 0" if self.positive else "a number"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        value = node.value
        if isinstance(value, str):
            value = read(value) if value.strip() else float("nan")
        finite = isinstance(value, int | float) and not isinstance(value, bool)
        if finite and isinstance(value, int | float):
            finite = value == value and abs(value) != float("inf")
            if finite and (value > 0 or not self.positive):
                return
        refuse(node, path, self.allowed, found)


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value at all."""

    allowed: str = "anything"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add nothing."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing, as `timeout: null`, or else a value of a shape."""

    otherwise: Shape

    @property
    def allowed(self) -> str:
        """Nothing, or the shape."""
        return f"null, {self.otherwise.allowed}"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        if node.value is not None:
            self.otherwise.check(node, path, found)


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A key that must not be there."""

    why: str
    allowed: str = "nothing: leave it out"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add why the key must not be there."""
        found.error(node.at, path, f"is not allowed here: {self.why}")


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one shape."""

    item: Shape = field(default_factory=Anything)
    least: int = 0

    @property
    def allowed(self) -> str:
        """What the items may be."""
        some = f" of at least {self.least}" if self.least else ""
        return f"a list{some}, each {self.item.allowed}"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        items = opened(node, list).value
        if not isinstance(items, tuple) or len(items) < self.least:
            refuse(node, path, self.allowed, found)
            return
        for index, item in enumerate(items):
            self.item.check(item, f"{path}[{index}]", found)


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping of names to values of one shape."""

    item: Shape = field(default_factory=Anything)
    key: str = r"(?s).+"
    """What a whole key must look like."""
    keys: str = "any name"
    least: int = 0

    @property
    def allowed(self) -> str:
        """What keys and values may be."""
        return f"a mapping of {self.keys} to {self.item.allowed}"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        entries = opened(node, dict).value
        if not isinstance(entries, Mapping) or len(entries) < self.least:
            refuse(node, path, self.allowed, found)
            return
        for key, (at, item) in entries.items():
            if not re.fullmatch(self.key, key, re.ASCII):
                found.error(at, under(path, key), f"{shown(key)} is no name here: {self.keys}")
            self.item.check(item, under(path, key), found)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value of any of several shapes."""

    shapes: tuple[Shape, ...]

    @property
    def allowed(self) -> str:
        """All the shapes."""
        return ", or ".join(shape.allowed for shape in self.shapes)

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value, by the shape that was probably meant."""
        if any(fits(shape, node) for shape in self.shapes):
            return
        meant = [shape for shape in self.shapes if _is_for(shape, node)]
        if len(meant) == 1:
            meant[0].check(node, path, found)
        else:
            refuse(node, path, self.allowed, found)


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    open: bool = False
    """Other keys are passed on as they are."""
    old_names: Mapping[str, str] = field(default_factory=dict)
    """Former spellings of keys."""
    apart: tuple[tuple[str, str], ...] = ()
    """Pairs of keys that cannot go together."""
    exactly_one: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """Keys of freestyle steps, to guess from when no key of this step comes near."""

    @property
    def allowed(self) -> str:
        """The keys."""
        return f"a mapping with the keys {', '.join(self.fields)}"

    def check(self, node: Node, path: str, found: Findings) -> None:
        """Add what is wrong with the value."""
        node = opened(node, dict)
        if not isinstance(node.value, Mapping):
            refuse(node, path, self.allowed, found)
            return
        entries = self.renamed(node, path, found)
        for key, (at, item) in entries.items():
            if key in self.fields:
                self.fields[key].check(item, under(path, key), found)
            elif not self.open:
                near = did_you_mean(key, self.fields) or self._of_others(key)
                allowed = ", ".join(self.fields) or "none"
                found.error(
                    at, under(path, key), f"unknown key {shown(key)}; allowed: {allowed}{near}"
                )
        for key in self.required:
            if key not in entries:
                allowed = self.fields[key].allowed
                found.error(node.at, under(path, key), f"is missing; allowed: {allowed}")
        self._together(node, entries, path, found)

    def _of_others(self, key: str) -> str:
        near = nearest(key, self.elsewhere)
        return f'; did you mean "{near}", a key of freestyle steps?' if near is not None else ""

    def renamed(self, node: Node, path: str, found: Findings) -> dict[str, Entry]:
        """Return the entries with today's keys."""
        entries = dict(node.entries)
        for old, new in self.old_names.items():
            if old in entries and new in entries:
                found.error(
                    entries[old].at, under(path, old), f"is the old name of {new}, given as well"
                )
            elif old in entries:
                entries[new] = entries.pop(old)
        return entries

    def _together(
        self, node: Node, entries: Mapping[str, Entry], path: str, found: Findings
    ) -> None:
        for first, second in self.apart:
            if first in entries and second in entries:
                at = entries[first].at
                found.error(at, under(path, first), f"cannot go with {second}; leave one out")
        given = [key for key in self.exactly_one if key in entries]
        if self.exactly_one and len(given) != 1:
            names = " and ".join(self.exactly_one)
            found.error(node.at, path, f"must have exactly one of {names}")


def _is_for(shape: Shape, node: Node) -> bool:
    """Return whether the shape is for lists or mappings, as the value is one."""
    if isinstance(node.value, tuple):
        return isinstance(shape, ListOf)
    return isinstance(node.value, Mapping) and isinstance(shape, Record | MapOf)
