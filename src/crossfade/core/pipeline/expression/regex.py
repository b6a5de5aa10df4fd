"""
Searching with regular expressions in bounded time, whatever pattern and text are.

A pattern becomes a small program.  Its states are tried depth first, each at most once at each
place of the text, so that the time is at most their product; nothing is tried twice.  Patterns with
references to groups cannot have that, and share the same budget of steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from crossfade.core.pipeline.expression.errors import ExpressionError
from crossfade.core.pipeline.expression.meter import Meter
from crossfade.core.pipeline.expression.numbers import SPACES
from crossfade.core.pipeline.expression.regex_syntax import (
    Assertion,
    Back,
    Characters,
    Either,
    Group,
    Look,
    RegexError,
    Repeat,
    Sequence,
    Tree,
    parsed,
)

MOST_STATES = 5_000
"""Size of the program of one pattern."""

_LINE_ENDS = "\n\r\u2028\u2029"
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_CLASSES: Mapping[str, frozenset[str]] = {
    "d": frozenset("0123456789"),
    "w": _WORD,
    "s": frozenset(SPACES),
    "n": frozenset(_LINE_ENDS),
}


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags that change what is found; `g`, `u` and `y` do not matter to a yes or no."""

    ignore_case: bool = False
    multiline: bool = False
    dot_all: bool = False


@dataclass(slots=True)
class _One:
    """Reads one character that is in the set."""

    wanted: Characters
    ignore_case: bool
    known: dict[str, bool] = field(default_factory=dict)

    def accepts(self, character: str) -> bool:
        """Say whether the character is in the set."""
        if character not in self.known:
            spellings = _spellings(character) if self.ignore_case else {character}
            inside = any(_inside(self.wanted, each) for each in spellings)
            self.known[character] = inside is not self.wanted.negated
        return self.known[character]


@dataclass(frozen=True, slots=True)
class _Fork:
    """Goes on at several places, the first one first."""

    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    sign: str


@dataclass(frozen=True, slots=True)
class _Peek:
    ahead: bool
    negated: bool
    program: "_Program"
    length: int
    """Characters that the inner part reads, -1 when that differs."""


@dataclass(frozen=True, slots=True)
class _Save:
    slot: int


@dataclass(frozen=True, slots=True)
class _Again:
    group: int


_State: TypeAlias = _One | _Fork | _Place | _Peek | _Save | _Again | None
"""None: the end, found."""


@dataclass(frozen=True, slots=True)
class _Program:
    states: tuple[_State, ...]
    remembers: bool
    """There are references, so that groups must be remembered."""


def matches(
    pattern: str, text: str, *, ignore_case: bool = False, meter: Meter | None = None
) -> bool:
    """Return whether the pattern is found in the text.  Raises ExpressionError."""
    return found(pattern, text, Flags(ignore_case=ignore_case), meter)


def found(pattern: str, text: str, flags: Flags, meter: Meter | None = None) -> bool:
    """Return whether the pattern is found in the text.  Raises ExpressionError."""
    try:
        program = _program(pattern, flags)
        return _Search(text, flags, meter or Meter()).anywhere(program)
    except RegexError as error:
        raise ExpressionError(str(error)) from None


@lru_cache(maxsize=256)
def _program(pattern: str, flags: Flags) -> _Program:
    if len(pattern) > MOST_STATES:
        raise RegexError("Invalid regular expression: it is too large")
    builder = _Builder(flags, parsed(pattern, dot_all=flags.dot_all))
    return builder.program()


def _inside(wanted: Characters, character: str) -> bool:
    if any(low <= character <= high for low, high in wanted.ranges):
        return True
    for letter in wanted.classes:
        if (character in _CLASSES[letter.lower()]) is letter.islower():
            return True
    return False


def _spellings(character: str) -> set[str]:
    """Return what counts as the same character when case is ignored."""
    upper = _upper(character)
    near = {upper.lower(), character.lower(), character, upper}
    return {each for each in near if len(each) == 1 and _upper(each) == upper}


def _upper(character: str) -> str:
    upper = character.upper()
    changes = len(upper) == 1 and not (ord(character) >= 128 > ord(upper))
    return upper if changes else character


class _Builder:
    def __init__(self, flags: Flags, tree: Tree) -> None:
        self._flags, self._tree = flags, tree
        self._states: list[_State] = []
        self._names: dict[str, int] = {}
        self._remembers = _has_back(tree)

    def program(self) -> _Program:
        """Return the program of the tree."""
        self._collect(self._tree)
        self._add(self._tree)
        self._put(None)
        return _Program(tuple(self._states), self._remembers)

    def _put(self, state: _State) -> int:
        self._states.append(state)
        if len(self._states) > MOST_STATES:
            raise RegexError("Invalid regular expression: it is too large")
        return len(self._states) - 1

    def _collect(self, tree: Tree) -> None:
        """Remember which names groups have."""
        if isinstance(tree, Group) and tree.name:
            self._names[tree.name] = tree.number
        for inner in _inner(tree):
            self._collect(inner)

    def _add(self, tree: Tree) -> None:
        match tree:
            case Characters():
                self._put(_One(tree, self._flags.ignore_case))
            case Assertion(sign):
                self._put(_Place(sign))
            case Sequence(parts):
                for part in parts:
                    self._add(part)
            case Either(choices):
                self._either(choices)
            case Repeat():
                self._repeat(tree)
            case Group(number, _, inner):
                self._group(number, inner)
            case Back(group):
                number = group if isinstance(group, int) else self._names.get(group, 0)
                self._put(_Again(number))
            case Look(ahead, negated, inner):
                program = _Builder(self._flags, inner).program()
                self._put(_Peek(ahead, negated, program, _length(inner)))

    def _group(self, number: int, inner: Tree) -> None:
        if not self._remembers:
            self._add(inner)
            return
        self._put(_Save(number * 2))
        self._add(inner)
        self._put(_Save(number * 2 + 1))

    def _either(self, choices: tuple[Tree, ...]) -> None:
        fork = self._put(None)
        starts, ends = [], []
        for choice in choices:
            starts.append(len(self._states))
            self._add(choice)
            ends.append(self._put(None))
        self._states[fork] = _Fork(tuple(starts))
        for end in ends:
            self._states[end] = _Fork((len(self._states),))

    def _repeat(self, repeat: Repeat) -> None:
        for _ in range(repeat.least):
            self._add(repeat.inner)
        if repeat.most is None:
            fork = self._put(None)
            self._add(repeat.inner)
            self._put(_Fork((fork,)))
            self._states[fork] = self._choice(fork + 1, len(self._states), repeat.lazy)
            return
        forks = []
        for _ in range(repeat.most - repeat.least):
            forks.append(self._put(None))
            self._add(repeat.inner)
        for fork in forks:
            self._states[fork] = self._choice(fork + 1, len(self._states), repeat.lazy)

    @staticmethod
    def _choice(inside: int, after: int, lazy: bool) -> _Fork:
        return _Fork((after, inside) if lazy else (inside, after))


def _inner(tree: Tree) -> tuple[Tree, ...]:
    match tree:
        case Sequence(parts) | Either(parts):
            return parts
        case Group(_, _, inner) | Look(_, _, inner):
            return (inner,)
        case Repeat():
            return (tree.inner,)
        case _:
            return ()


def _has_back(tree: Tree) -> bool:
    return isinstance(tree, Back) or any(_has_back(inner) for inner in _inner(tree))


def _length(tree: Tree) -> int:
    """Return how many characters the tree reads, -1 when it may be several numbers."""
    match tree:
        case Characters():
            return 1
        case Assertion() | Look():
            return 0
        case Group():
            return _length(tree.inner)
        case Sequence(parts):
            lengths = [_length(part) for part in parts]
            return -1 if -1 in lengths else sum(lengths)
        case Either(choices):
            lengths = [_length(choice) for choice in choices]
            return lengths[0] if len(set(lengths)) == 1 else -1
        case Repeat() if tree.least == tree.most and _length(tree.inner) >= 0:
            return _length(tree.inner) * tree.least
        case _:
            return -1


_Slots: TypeAlias = tuple[int, ...]


class _Search:
    """One search in one text."""

    def __init__(self, text: str, flags: Flags, meter: Meter) -> None:
        self._text, self._flags, self._meter = text, flags, meter
        self._peeked: dict[tuple[int, int], bool] = {}

    def anywhere(self, program: _Program) -> bool:
        """Return whether the program ends well from any place of the text."""
        seen: set[tuple[int, int]] = set()
        return any(self._from(program, start, None, seen) for start in range(len(self._text) + 1))

    def _from(
        self, program: _Program, start: int, end: int | None, seen: set[tuple[int, int]]
    ) -> bool:
        """Return whether the program ends well from `start`, at `end` when one is asked for."""
        slots = (-1,) * (2 * len(program.states)) if program.remembers else ()
        stack: list[tuple[int, int, _Slots]] = [(0, start, slots)]
        while stack:
            state, at, slots = stack.pop()
            if not program.remembers:
                if (state, at) in seen:
                    continue
                seen.add((state, at))
            self._meter.spend()
            match program.states[state]:
                case _One() as one:
                    if at < len(self._text) and one.accepts(self._text[at]):
                        stack.append((state + 1, at + 1, slots))
                case _Fork(targets):
                    for target in reversed(targets):
                        stack.append((target, at, slots))  # noqa: PERF401 - often one or two
                case None if end is None or at == end:
                    return True
                case None:
                    continue
                case now:
                    self._advance(now, (state, at, slots), stack)
        return False

    def _advance(
        self,
        now: "_Place | _Peek | _Save | _Again",
        here: tuple[int, int, _Slots],
        stack: list[tuple[int, int, _Slots]],
    ) -> None:
        state, at, slots = here
        match now:
            case _Place() | _Peek():
                if self._stands(now, at):
                    stack.append((state + 1, at, slots))
            case _Save(slot):
                kept = (*slots[:slot], at, *slots[slot + 1 :])
                stack.append((state + 1, at, kept))
            case _Again(group):
                length = self._again(slots, group, at)
                if length is not None:
                    stack.append((state + 1, at + length, slots))

    def _stands(self, now: "_Place | _Peek", at: int) -> bool:
        if isinstance(now, _Place):
            return self._holds(now.sign, at)
        return self._peek(now, at) is not now.negated

    def _again(self, slots: _Slots, group: int, at: int) -> int | None:
        start, end = slots[group * 2 : group * 2 + 2] or (-1, -1)
        if start < 0 or end < start:
            return 0  # a group that has not taken part stands for nothing
        same = self._text.startswith(self._text[start:end], at)
        if self._flags.ignore_case:
            old, new = self._text[start:end], self._text[at : at + end - start]
            same = [_upper(each) for each in old] == [_upper(each) for each in new]
        return end - start if same else None

    def _holds(self, sign: str, at: int) -> bool:
        before, after = self._text[at - 1 : at] if at else "", self._text[at : at + 1]
        match sign:
            case "^":
                return not before or (self._flags.multiline and before in _LINE_ENDS)
            case "$":
                return not after or (self._flags.multiline and after in _LINE_ENDS)
            case _:
                return ((before in _WORD) != (after in _WORD)) is (sign == "b")

    def _peek(self, look: _Peek, at: int) -> bool:
        key = (id(look), at)
        if key not in self._peeked:
            self._peeked[key] = self._look(look, at)
        return self._peeked[key]

    def _look(self, look: _Peek, at: int) -> bool:
        if look.ahead:
            return self._from(look.program, at, None, set())
        starts = range(at, -1, -1) if look.length < 0 else (at - look.length,)
        return any(self._from(look.program, start, at, set()) for start in starts if start >= 0)
