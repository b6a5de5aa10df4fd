r"""
Helm values: merged as Helm merges them, and changed by expressions as `--set` takes them.

    a.b=1,c={x,y},d[0].e=text     several at once, below maps, lists, items of lists
    a\.b=1   a=x\,y               a backslash takes the meaning from the next character
    a=null                        removes the chart's default
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.core.application import Values

MAX_INDEX = 65536
"""Longest list that an index may make, as in Helm."""

MAX_DEPTH = 30
"""Deepest nesting that an expression may make, as in Helm."""


def merge(under: Values, over: Values) -> Values:
    """Return `under` with `over` laid on top: maps are merged, all else is replaced."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def parse_set(
    expressions: Sequence[str], values: Values | None = None, *, text: bool = False
) -> Values:
    """
    Return `values`, which are not changed, with the expressions applied in order.

    With `text` every value is a string, as with Helm's `--set-string`.
    Raises InputError that names the expression.
    """
    changed: Values = _copy(values or {})
    for expression in expressions:
        _Parser(expression, text).apply(changed)
    return changed


def _copy(value: Any) -> Any:  # noqa: ANN401 - any JSON value comes back as the same kind of value
    if isinstance(value, dict):
        return {key: _copy(below) for key, below in value.items()}
    return [_copy(below) for below in value] if isinstance(value, list) else value


@dataclass(slots=True)
class _Parser:
    """Reads one expression from left to right."""

    expression: str
    text: bool
    at: int = 0

    def apply(self, values: Values) -> None:
        while self.at < len(self.expression):
            path = self._path()
            if self._next() != "=":
                raise self._error(f"key `{_shown(path)}` has no value", "write key=value")
            self._put(values, path, self._value())

    def _path(self) -> list[str | int]:
        """Return the keys and indices up to `=`."""
        path: list[str | int] = []
        while True:
            key = self._until(".[=,")
            if key or not path or isinstance(path[-1], str):
                if not key:
                    raise self._error("a key is empty", r"write key=value; `\.` is a dot in a key")
                path.append(key)
            while self._peek() == "[":
                self.at += 1
                path.append(self._index())
            if len(path) > MAX_DEPTH:
                raise self._error("keys are nested too deeply", f"use at most {MAX_DEPTH} levels")
            if self._peek() != ".":
                return path
            self.at += 1
            if self._peek() in ("", "=", ",", "."):
                raise self._error("a key is empty", r"write key=value; `\.` is a dot in a key")

    def _index(self) -> int:
        digits = self._until("]")
        self.at += 1
        if not digits.isascii() or not digits.isdigit() or int(digits) > MAX_INDEX:
            raise self._error(
                f"`{digits}` is no index", f"use a whole number from 0 to {MAX_INDEX}"
            )
        if self._peek() not in ("", "=", ".", "["):
            raise self._error("text follows an index", "write a[0]=x or a[0].b=x")
        return int(digits)

    def _value(self) -> Json:
        if self._peek() != "{":
            found = self._until(",")
            self.at += 1
            return found if self.text else _typed(found)
        self.at += 1
        items = self._items()
        if self._next() not in ("", ","):
            raise self._error("text follows a list", "separate values by commas: a={x,y},b=z")
        return items

    def _items(self) -> list[Json]:
        items: list[Json] = []
        while True:
            found = self._until(",}")
            items.append(found if self.text else _typed(found))
            end = self._next()
            if not end:
                raise self._error("a list is not closed", "write key={x,y}")
            if end == "}":
                return items

    def _put(self, values: Values, path: list[str | int], value: Json) -> None:
        holder: Any = values
        for key, below in zip(path, [*path[1:], None], strict=True):
            self._check(holder, key)
            if isinstance(key, int):
                holder.extend([None] * (key + 1 - len(holder)))
            if below is None:
                holder[key] = value
                return
            present = holder.get(key) if isinstance(key, str) else holder[key]
            if present is None and isinstance(key, str) and key in holder:
                self._check(None, below)  # a null that was set stays, as in Helm
            if present is None:
                present = holder[key] = {} if isinstance(below, str) else []
            holder = present

    def _check(self, holder: object, key: str | int) -> None:
        if not isinstance(holder, dict if isinstance(key, str) else list):
            kind = "map" if isinstance(key, str) else "list"
            raise self._error(
                f"`{_shown([key])}` needs a {kind} and there is another value",
                f"set the whole value above `{_shown([key])}` instead",
            )

    def _until(self, ends: str) -> str:
        """Return the text before the first of `ends` that no backslash precedes."""
        found = []
        while (character := self._peek()) and character not in ends:
            if character == "\\":
                self.at += 1
                character = self._peek()
            found.append(character)
            self.at += 1
        return "".join(found)

    def _peek(self) -> str:
        return self.expression[self.at : self.at + 1]

    def _next(self) -> str:
        character = self._peek()
        self.at += 1
        return character

    def _error(self, what: str, hint: str) -> InputError:
        return InputError(f"`--set {self.expression}` cannot be read: {what}", hint=hint)


def _typed(text: str) -> Json:
    """Return the value that Helm takes the text for; `2.0` and `007` stay text."""
    words: dict[str, Json] = {"true": True, "false": False, "null": None, "0": 0}
    if text.lower() in words:
        return words[text.lower()]
    digits = text[1:] if text[:1] in ("-", "+") else text
    if text[:1] != "0" and digits.isascii() and digits.isdigit() and len(digits) < 20:
        number = int(text)
        return number if -(2**63) <= number < 2**63 else text
    return text


def _shown(path: list[str | int]) -> str:
    shown = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return shown.removeprefix(".")
