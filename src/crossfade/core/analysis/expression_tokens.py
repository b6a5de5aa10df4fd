"""Words of a condition: the text of an expression, cut into tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 4096
"""Characters of an expression."""


class ExpressionError(ValueError):
    """A condition cannot be read, or not be answered; `column` counts from 1, 0 is unknown."""

    def __init__(self, message: str, column: int = 0, hint: str = "") -> None:
        super().__init__(f"{message} (column {column})" if column else message)
        self.message, self.column, self.hint = message, column, hint


class Kind(StrEnum):
    """Kinds of tokens."""

    NUMBER = "a number"
    TEXT = "a text"
    NAME = "a name"
    OPERATOR = "an operator"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it begins."""

    kind: Kind
    text: str
    column: int
    value: int | float | str | None = None
    """Of numbers and texts."""


_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<number>0[xX][0-9a-fA-F_]+ | (?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?)
  | (?P<text>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `[^`]*`)
  | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
  | (?P<operator>\?\.|\?\?|\*\*|&&|\|\||==|!=|<=|>=|\.\.|[-+*/%^<>!?:.,()\[\]{}\#|;=])
    """,
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def tokens(text: str) -> Iterator[Token]:
    """
    Yield the tokens, END last.

    Raises:
        ExpressionError: at what is no token, and for texts longer than LONGEST.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"has {len(text)} characters, {LONGEST} are allowed")
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _unknown(text, at)
        word, column = found[0], at + 1
        at = found.end()
        match found.lastgroup:
            case "number":
                yield Token(Kind.NUMBER, word, column, _number(word, column))
            case "text":
                yield Token(Kind.TEXT, word, column, _text(word))
            case "name":
                yield Token(Kind.NAME, word, column)
            case "operator":
                yield Token(Kind.OPERATOR, word, column)
            case _:
                continue
    yield Token(Kind.END, "", len(text) + 1)


def _unknown(text: str, at: int) -> ExpressionError:
    if text[at] in "\"'`":
        return ExpressionError("a text does not end", at + 1, f"close it with {text[at]}")
    hint = "`and` is `&&`" if text[at] == "&" else "look for a slip of the pen"
    return ExpressionError(f"`{text[at]}` means nothing here", at + 1, hint)


def _number(word: str, column: int) -> int | float:
    try:
        if word[:2] in ("0x", "0X"):
            return int(word, 16)
        return float(word) if re.search(r"[.eE]", word) else int(word)
    except ValueError as error:
        raise ExpressionError(f"`{word}` is no number", column, "write it as 0.95") from error


def _text(word: str) -> str:
    inner = word[1:-1]
    return inner if word[0] == "`" else _ESCAPE.sub(_unescaped, inner)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "ux" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)
