"""
Regular expressions as ECMAScript writes them (without the `u` flag), as text to a tree.

Forms that have no meaning there are plain characters, as `{` without a count or `]` alone.
"""

import re
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

DEEPEST = 40
"""Levels of groups."""
MOST_REPEATS = 1000
"""The greatest count in `{m,n}`."""

_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}", re.ASCII)
_GROUP = re.compile(r"\((\?:|\?=|\?!|\?<=|\?<!|\?<([A-Za-z_$][\w$]*)>|(?!\?))", re.ASCII)
_HEX = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})", re.ASCII)
_CAPTURES = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]?|(\((?!\?)|\(\?<(?![=!]))", re.DOTALL)
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}


class RegexError(Exception):
    """The pattern cannot be read, or is larger than allowed."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set."""

    ranges: tuple[tuple[str, str], ...]
    classes: str = ""
    """Letters of the escapes in it, as `dWs`."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place between characters: `^`, `$`, `b` or `B`."""

    sign: str


@dataclass(frozen=True, slots=True)
class Back:
    """The text of a group once more."""

    group: int | str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """One of them."""

    choices: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Group:
    """A group that can be referred to."""

    number: int
    name: str
    inner: "Tree"


@dataclass(frozen=True, slots=True)
class Look:
    """What follows, or goes before, without being part of the match."""

    ahead: bool
    negated: bool
    inner: "Tree"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The inner part several times."""

    inner: "Tree"
    least: int
    most: int | None
    lazy: bool


Tree: TypeAlias = Characters | Assertion | Back | Sequence | Either | Group | Look | Repeat

ANY = Characters((), "n", negated=True)
"""The dot: anything but the end of a line."""


def parsed(pattern: str, *, dot_all: bool = False) -> Tree:
    """Return the tree of a pattern.  Raises RegexError."""
    return _Parser(pattern, dot_all).whole()


class _Parser:
    def __init__(self, text: str, dot_all: bool) -> None:
        self._text, self._at, self._depth, self._groups = text, 0, 0, 0
        self._dot = Characters((), "", negated=True) if dot_all else ANY
        self._captures = sum(bool(found[1]) for found in _CAPTURES.finditer(text))
        self._named = re.search(r"\(\?<[A-Za-z_$]", text) is not None

    def whole(self) -> Tree:
        """Return the tree of all of it."""
        tree = self._either()
        if self._at < len(self._text):
            self._stop("Unmatched ')'")
        return tree

    def _stop(self, why: str) -> NoReturn:
        raise RegexError(f"Invalid regular expression: /{self._text[:60]}/: {why}")

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, sign: str) -> bool:
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found

    def _either(self) -> Tree:
        self._depth += 1
        if self._depth > DEEPEST:
            self._stop(f"groups are nested too deeply, {DEEPEST} levels are allowed")
        choices = [self._sequence()]
        while self._take("|"):
            choices.append(self._sequence())
        self._depth -= 1
        return choices[0] if len(choices) == 1 else Either(tuple(choices))

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while (character := self._peek()) and character not in "|)":
            parts.append(self._repeated(self._part(character)))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _part(self, character: str) -> Tree:
        if character == "(":
            return self._group()
        if character in "*+?":
            self._stop("Nothing to repeat")
        if character == "{" and _COUNT.match(self._text, self._at):
            self._stop("Nothing to repeat")
        self._at += 1
        match character:
            case "^" | "$":
                return Assertion(character)
            case ".":
                return self._dot
            case "[":
                return self._set()
            case "\\":
                return self._escape()
            case _:
                return Characters(((character, character),))

    def _repeated(self, inner: Tree) -> Tree:
        counts = self._counts()
        if counts is None:
            return inner
        least, most = counts
        if isinstance(inner, Assertion) or (isinstance(inner, Look) and not inner.ahead):
            self._stop("Nothing to repeat")
        if most is not None and most < least:
            self._stop("numbers out of order in {} quantifier")
        if max(least, most or 0) > MOST_REPEATS:
            self._stop(f"counts are limited to {MOST_REPEATS}")
        return Repeat(inner, least, most, self._take("?"))

    def _counts(self) -> tuple[int, int | None] | None:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return counts
        found = _COUNT.match(self._text, self._at)
        if not found:
            return None
        self._at = found.end()
        least = _count(found[1])
        if not found[2]:
            return least, least
        return least, _count(found[3]) if found[3] else None

    def _group(self) -> Tree:
        found = _GROUP.match(self._text, self._at)
        if not found:
            self._stop("Invalid group")
        self._at = found.end()
        kind = found[1]
        number = 0
        if kind == "" or found[2]:
            self._groups += 1
            number = self._groups
        inner = self._either()
        if not self._take(")"):
            self._stop("Unterminated group")
        if kind == "?:":
            return inner if not isinstance(inner, Assertion) else Sequence((inner,))
        if number:
            return Group(number, found[2] or "", inner)
        return Look(ahead="<" not in kind, negated=kind.endswith("!"), inner=inner)

    def _escape(self) -> Tree:
        character = self._peek()
        if not character:
            self._stop("\\ at end of pattern")
        if character in "bB":
            self._at += 1
            return Assertion(character)
        if character in "123456789":
            return self._back()
        if character == "k" and self._named:
            found = re.compile(r"k<([^>]*)>").match(self._text, self._at)
            if not found:
                self._stop("Invalid named reference")
            self._at = found.end()
            return Back(found[1])
        return self._escaped_set()

    def _back(self) -> Tree:
        found = re.compile(r"\d{1,3}", re.ASCII).match(self._text, self._at)
        number = int(found[0]) if found else 0
        if found and number <= self._captures:
            self._at = found.end()
            return Back(number)
        return self._octal()

    def _octal(self) -> Characters:
        """Return a character given by its octal number, which is what is left of `\\7`."""
        found = re.compile(r"[0-3]?[0-7]{1,2}").match(self._text, self._at)
        if not found:
            self._at += 1
            return _one(self._text[self._at - 1])
        self._at = found.end()
        return _one(chr(int(found[0], 8)))

    def _escaped_set(self) -> Characters:
        """Return the set that an escape stands for, in a class and outside of one."""
        character = self._peek()
        if character in "dDwWsS":
            self._at += 1
            return Characters((), character)
        if found := _HEX.match(self._text, self._at):
            self._at = found.end()
            return _one(chr(int(found[1] or found[2], 16)))
        if character == "c":
            letter = self._text[self._at + 1 : self._at + 2]
            if letter.isascii() and letter.isalpha():
                self._at += 2
                return _one(chr(ord(letter) % 32))
            return _one("\\")  # the c is read as a plain one, next
        if character in "01234567" and self._text[self._at : self._at + 2] != "0":
            return self._octal()
        self._at += 1
        return _one(_CONTROLS.get(character, character))

    def _set(self) -> Characters:
        negated = self._take("^")
        ranges: list[tuple[str, str]] = []
        classes = ""
        while not self._take("]"):
            if not self._peek():
                self._stop("Unterminated character class")
            low = self._set_part()
            if not (self._text.startswith("-", self._at) and self._after_dash()):
                ranges += low.ranges
                classes += low.classes
                continue
            self._at += 1
            high = self._set_part()
            classes += low.classes + high.classes
            if low.classes or high.classes:
                ranges += [*low.ranges, ("-", "-"), *high.ranges]
            elif low.ranges[0][0] > high.ranges[0][0]:
                self._stop("Range out of order in character class")
            else:
                ranges.append((low.ranges[0][0], high.ranges[0][0]))
        return Characters(tuple(ranges), classes, negated)

    def _after_dash(self) -> bool:
        following = self._text[self._at + 1 : self._at + 2]
        return following not in ("]", "")

    def _set_part(self) -> Characters:
        character = self._peek()
        self._at += 1
        if character != "\\":
            return _one(character)
        if not self._peek():
            self._stop("\\ at end of pattern")
        if self._peek() == "b":
            self._at += 1
            return _one("\b")
        return self._escaped_set()


def _one(character: str) -> Characters:
    return Characters(((character, character),))


def _count(digits: str) -> int:
    return int(digits[:9])
