"""Words of an instruction: quotes, escapes and references to variables, as Docker reads them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


class BadReference(ValueError):
    """A reference cannot be read, or asks for a variable that must be there and is not."""


@dataclass(slots=True)
class _Reader:
    text: str
    variables: Mapping[str, str]
    escape: str
    at: int = 0

    def words(self) -> Iterator[str]:
        """Yield the words with quotes removed and references replaced."""
        while self.at < len(self.text):
            if self.text[self.at].isspace():
                self.at += 1
                continue
            yield self.word(stop=" \t")

    def word(self, stop: str) -> str:
        parts = []
        while self.at < len(self.text) and self.text[self.at] not in stop:
            parts.append(self._piece())
        return "".join(parts)

    def _piece(self) -> str:
        character = self.text[self.at]
        if character == "'":
            return self._single()
        if character == '"':
            return self._double()
        if character == "$":
            return self._reference()
        if character == self.escape and self.at + 1 < len(self.text):
            self.at += 1
        self.at += 1
        return self.text[self.at - 1]

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise BadReference("a single quote is not closed")
        found = self.text[self.at + 1 : end]
        self.at = end + 1
        return found

    def _double(self) -> str:
        parts = []
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            character = self.text[self.at]
            following = self.text[self.at + 1 : self.at + 2]
            if character == "$":
                parts.append(self._reference())
                continue
            if character == self.escape and following in ('"', "$", self.escape):
                self.at += 1
            parts.append(self.text[self.at])
            self.at += 1
        if self.at >= len(self.text):
            raise BadReference("a double quote is not closed")
        self.at += 1
        return "".join(parts)

    def _reference(self) -> str:
        self.at += 1
        if self.text[self.at : self.at + 1] == "{":
            self.at += 1
            return self._braced()
        name = self._name()
        return self.variables.get(name, "") if name else "$"

    def _name(self) -> str:
        start = self.at
        while self.at < len(self.text) and _in_name(self.text[self.at], first=self.at == start):
            self.at += 1
        return self.text[start : self.at]

    def _braced(self) -> str:
        name = self._name()
        if not name:
            raise BadReference("`${` is not followed by the name of a variable")
        operator = self.text[self.at : self.at + 1]
        empty_counts = operator == ":"
        if empty_counts:
            self.at += 1
            operator = self.text[self.at : self.at + 1]
        if operator == "}" and not empty_counts:
            self.at += 1
            return self.variables.get(name, "")
        if operator not in ("-", "+", "?") or not operator:
            raise BadReference(f"`${{{name}` goes on neither with }}, :-, :+ nor :?")
        self.at += 1
        other = self.word(stop="}")
        if self.at >= len(self.text):
            raise BadReference(f"`${{{name}` is not closed")
        self.at += 1
        value = self.variables.get(name)
        given = bool(value) if empty_counts else value is not None
        return _chosen(operator, name, value or "", other, given=given)


def _chosen(operator: str, name: str, value: str, other: str, *, given: bool) -> str:
    if operator == "+":
        return other if given else ""
    if given:
        return value
    if operator == "?":
        raise BadReference(f"{name} must be given{': ' + other if other else ''}")
    return other


def _in_name(character: str, *, first: bool) -> bool:
    plain = character.isascii() and (character.isalpha() or character == "_")
    return plain or (not first and character.isascii() and character.isdigit())


def words(text: str, variables: Mapping[str, str], escape: str = "\\") -> tuple[str, ...]:
    """
    Return the words of a text, without quotes and with values for `$NAME` and `${NAME}`.

    `${NAME:-other}`, `${NAME:+other}` and `${NAME:?why}` are known, also without the colon, with
    which an empty value counts as none.  A variable that is not there is empty.

    Raises BadReference.
    """
    return tuple(_Reader(text, variables, escape).words())


def filled_in(text: str, variables: Mapping[str, str], escape: str = "\\") -> str:
    """Return the whole text as one word: spaces outside of quotes stay.  Raises BadReference."""
    return _Reader(text, variables, escape).word(stop="")
