"""What values of a document may look like; each shape reads one value and says what is wrong."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, cast

from crossfade.adapters.documents.problems import Mark, Problems, did_you_mean, shown
from crossfade.adapters.documents.tree import BROKEN, Located
from crossfade.base.units import parse_duration

Read: TypeAlias = dict[str, object]
"""What was read of a mapping: keys that are missing or wrong are left out."""


class Shape(Protocol):
    """Reads one value."""

    @property
    def allowed(self) -> str:
        """What is allowed, for messages and for the reference."""
        ...

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return the value as plain Python, or add to `problems`; then what it returns is void."""
        ...


def _refuse(value: Located, path: str, problems: Problems, allowed: str) -> None:
    if value.value is not BROKEN:
        problems.add(value.at, path, f"{_kind(value)} is not allowed; allowed: {allowed}")


def _kind(value: Located) -> str:
    match value.value:
        case None:
            return "nothing"
        case tuple():
            return "a list"
        case Mapping():
            return "a mapping"
        case plain:
            return shown(plain)


@dataclass(frozen=True, slots=True)
class Text:
    """Text that matches a pattern."""

    allowed: str
    pattern: str = r"(?s:.+)"
    longest: int = 1000

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return the text."""
        match value.value:
            case bool() | int() | float() as plain:
                problems.add(
                    value.at,
                    path,
                    f"{shown(plain)} is no text here; put it in quotes to make it one",
                )
            case str() as text if len(text) > self.longest:
                limit = f"{len(text)} characters, {self.longest} are allowed"
                problems.add(value.at, path, f"{shown(text)} is too long: {limit}")
            case str() as text if re.fullmatch(self.pattern, text, re.ASCII):
                return text
            case _:
                _refuse(value, path, problems, self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The words."""
        return ", ".join(self.words)

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return the word."""
        word = value.value
        if isinstance(word, str) and word in self.words:
            return word
        if isinstance(word, str):
            near = did_you_mean(word, self.words)
            problems.add(
                value.at, path, f"{shown(word)} is not allowed; allowed: {self.allowed}{near}"
            )
        else:
            _refuse(value, path, problems, self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range, both ends included."""

    low: float
    high: float
    whole: bool = True

    @property
    def allowed(self) -> str:
        """The range."""
        return f"a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return the number."""
        number = value.value
        fits = isinstance(number, int | float) and not isinstance(number, bool)
        if fits and self.whole:
            fits = isinstance(number, int)
        if fits and isinstance(number, int | float) and self.low <= number <= self.high:
            return number
        _refuse(value, path, problems, self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration, as seconds."""

    shortest: float = 0.0
    longest: float = 366 * 86400.0

    @property
    def allowed(self) -> str:
        """How to write one."""
        low = f", at least {self.shortest:g}s" if self.shortest else ""
        return f"a duration such as 90, 90s, 2m, 1h30m or 500ms{low}"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return the seconds."""
        written = value.value
        if isinstance(written, str | int | float) and not isinstance(written, bool):
            try:
                seconds = parse_duration(str(written))
            except ValueError:
                pass
            else:
                if self.shortest <= seconds <= self.longest:
                    return seconds
        _refuse(value, path, problems, self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    allowed: str = "true or false"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return the flag."""
        if isinstance(value.value, bool):
            return value.value
        _refuse(value, path, problems, self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value of the first shape that takes it; problems are told as the nearest one has them."""

    shapes: tuple[Shape, ...]
    allowed: str

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return what the first shape that fits has read."""
        tried = []
        for shape in self.shapes:
            found = Problems(problems.file)
            read = shape.read(value, path, found)
            if not found.found:
                return read
            tried.append(found)
        inner = [each for each in tried if any(one.path != path for one in each.found)]
        if inner:
            problems.found.extend(inner[0].found)
        else:
            _refuse(value, path, problems, self.allowed)
        return None


@dataclass(frozen=True, slots=True)
class Tree:
    """Any JSON below a mapping: Helm values."""

    allowed: str = "a mapping"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return plain JSON."""
        if isinstance(value.value, Mapping):
            return _plain(value)
        _refuse(value, path, problems, self.allowed)
        return None


def _plain(value: Located) -> object:
    match value.value:
        case tuple() as items:
            return [_plain(item) for item in items]
        case Mapping() as entries:
            return {key: _plain(item) for key, (_, item) in entries.items()}
        case scalar:
            return scalar


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one shape."""

    item: Shape
    allowed: str = "a list"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return a tuple of what was read."""
        if not isinstance(value.value, tuple):
            _refuse(value, path, problems, self.allowed)
            return None
        return tuple(
            self.item.read(item, f"{path}[{index}]", problems)
            for index, item in enumerate(value.value)
        )


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping of names to values of one shape."""

    key: Text
    item: Shape

    @property
    def allowed(self) -> str:
        """Keys and values."""
        return f"a mapping: keys {self.key.allowed}, values {self.item.allowed}"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return a dict of what was read."""
        if not isinstance(value.value, Mapping):
            _refuse(value, path, problems, "a mapping")
            return None
        result: Read = {}
        for key, (at, item) in value.value.items():
            self.key.read(Located(key, at), path, problems)
            result[key] = self.item.read(item, f"{path}.{key}", problems)
        return result


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record."""

    shape: Shape
    about: str
    """For the reference: one sentence."""
    required: bool = False
    default: str = ""
    """For the reference: what holds when the key is left out."""


Check: TypeAlias = Callable[[Read, "Places"], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the values of one record stand, for checks that look at several of them."""

    record: Located
    path: str
    problems: Problems

    def wrong(self, key: str, message: str) -> None:
        """Add a problem at the value of `key`, or at the record when the key is missing."""
        entries = self.record.value
        known = isinstance(entries, Mapping) and key in entries
        at: Mark = entries[key][1].at if isinstance(entries, Mapping) and known else self.record.at
        self.problems.add(at, f"{self.path}.{key}" if self.path else key, message)


@dataclass(frozen=True, slots=True)
class OneKey:
    """Checks that exactly one of some keys is given, or at most one unless that is `needed`."""

    keys: tuple[str, ...]
    what: str
    needed: bool = True

    def __call__(self, _values: Read, places: Places) -> None:
        """Add a problem at the record when it is not so."""
        entries = places.record.value
        count = sum(key in entries for key in self.keys) if isinstance(entries, Mapping) else 1
        if count > 1 or (self.needed and count == 0):
            many = "exactly one" if self.needed else "at most one"
            message = f"{self.what} has {many} of {', '.join(self.keys)}"
            places.problems.add(places.record.at, places.path, message)


def _no_check(_values: Read, _places: Places) -> None:
    return


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys."""

    fields: Mapping[str, Field]
    later: Mapping[str, str] = field(default_factory=dict)
    """Keys of the design that are not built yet, and what to do until then."""
    check: Check = _no_check
    """Looks at the keys together; called with those that are right by themselves."""

    @property
    def allowed(self) -> str:
        """The keys."""
        return f"a mapping with the keys {', '.join(self.fields)}"

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return a dict of what was read."""
        entries = value.value
        if not isinstance(entries, Mapping):
            _refuse(value, path, problems, self.allowed)
            return None
        result: Read = {}
        for key, (at, item) in entries.items():
            here = f"{path}.{key}" if path else key
            if key in self.fields:
                before = len(problems)
                read = self.fields[key].shape.read(item, here, problems)
                if len(problems) == before:
                    result[key] = read
            else:
                self._unknown(key, Located(None, at), here, problems)
        for key, known in self.fields.items():
            if known.required and key not in entries:
                here = f"{path}.{key}" if path else key
                problems.add(value.at, here, f"is missing; allowed: {known.shape.allowed}")
        self.check(result, Places(value, path, problems))
        return result

    def _unknown(self, key: str, value: Located, path: str, problems: Problems) -> None:
        if key in self.later:
            problems.add(value.at, path, f"is not supported yet: {self.later[key]}")
            return
        near = did_you_mean(key, self.fields)
        problems.add(
            value.at, path, f"unknown key {shown(key)}; allowed: {', '.join(self.fields)}{near}"
        )


def part(values: Read, key: str) -> Read:
    """Return the mapping under `key`, an empty one when it is left out."""
    return cast(Read, values.get(key, {}))


def given(values: Read, names: Mapping[str, str]) -> Read:
    """Return the given values under the names of the core; its defaults hold for the others."""
    return {name: values[key] for key, name in names.items() if key in values}


def listed(values: Read, key: str) -> tuple[Read, ...]:
    """Return the list of mappings under `key`, an empty one when it is left out."""
    return cast("tuple[Read, ...]", values.get(key, ()))
