"""
Expressions as text to code.

    expression  = operand { operator operand } [ "?" expression ":" expression ]
    operand     = { "!" | "-" | "+" | "~" } ( number | string | list | variable )
    variable    = ( name | "(" expression ")" ) { "." name | "[" expression "]" | arguments }

Operators bind as in C.  Some forms can be written and not evaluated: lists, `?:`, `===`, bits.
"""

import re
from typing import NoReturn

from crossfade.core.pipeline.expression import numbers
from crossfade.core.pipeline.expression.code import (
    Call,
    Code,
    Combine,
    Fail,
    Find,
    Get,
    Load,
    Operation,
    Prefix,
    Push,
)
from crossfade.core.pipeline.expression.errors import ExpressionError

DEEPEST = 80
"""Levels of parentheses, calls and brackets."""

_BINDING = {
    "||": 1,
    "&&": 2,
    "|": 3,
    "^": 4,
    "&": 5,
    **dict.fromkeys(("==", "!=", "===", "!=="), 6),
    **dict.fromkeys(("<", ">", "<=", ">="), 7),
    **dict.fromkeys(("<<", ">>", ">>>"), 8),
    **dict.fromkeys(("+", "-"), 9),
    **dict.fromkeys(("*", "/", "%"), 10),
}
_OPERATOR = re.compile("|".join(re.escape(sign) for sign in sorted(_BINDING, key=len)[::-1]))
_SPACE = re.compile(r"[ \t\n\r]*")
_DIGITS = re.compile(r"[0-9]*")
_NAME = re.compile(r"[A-Za-z_$\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

_MISSING = Fail("an operand is missing")
_TERNARY = Fail("Trinary operator (?:) currently not supported.")
_LIST = Fail("Array literals ([1, 2, 3]) currently not supported.")
_THIS = Fail("keyword 'this' not supported.")
_COMPOUND = Fail("Cannot handle compound expressions.")
_CALLED_NO_NAME = "Invalid function name type: '{}'"
_KINDS: dict[type[Operation], str] = {Push: "Literal", Fail: "ThisExpression"}


def compiled(text: str) -> Code:
    """Return the code of an expression.  Raises ExpressionError when it cannot be read."""
    return _Compiler(text).program()


class _Compiler:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._code: list[Operation] = []
        self._depth = 0

    def program(self) -> Code:
        """Return the code of the whole text."""
        found = 0
        while self._at < len(self._text):
            if self._text[self._at] in ";,":
                self._at += 1
            elif self._expression():
                found += 1
            elif self._at < len(self._text):
                self._stop(f'Unexpected "{self._text[self._at]}"')
        if found == 0:
            return (Push(False),)
        return tuple(self._code) if found == 1 else (_COMPOUND,)

    def _stop(self, message: str) -> NoReturn:
        raise ExpressionError(f"{message} at character {self._at}")

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_spaces(self) -> str:
        """Return the next character that is no space, "" at the end."""
        found = _SPACE.match(self._text, self._at)
        if found:
            self._at = found.end()
        return self._peek()

    def _expression(self) -> bool:
        """Add the code of an expression; return False, and add none, when there is none."""
        self._depth += 1
        if self._depth > DEEPEST:
            self._stop(f"Nested too deeply, {DEEPEST} levels are allowed,")
        start = len(self._code)
        there = self._chain()
        if self._skip_spaces() == "?":
            self._choice(start)
            there = True
        self._depth -= 1
        return there

    def _choice(self, start: int) -> None:
        for sign in "?:":
            if self._skip_spaces() != sign:
                self._stop(f"Expected {sign}")
            self._at += 1
            if not self._expression():
                self._stop("Expected expression")
        self._code[start:] = [_TERNARY]

    def _operator(self) -> str:
        self._skip_spaces()
        found = _OPERATOR.match(self._text, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found[0]

    def _chain(self) -> bool:
        there = self._operand()
        waiting: list[str] = []
        while sign := self._operator():
            if not there:
                self._code.append(_MISSING)
            while waiting and _BINDING[waiting[-1]] >= _BINDING[sign]:
                self._code.append(Combine(waiting.pop()))
            waiting.append(sign)
            there = self._operand()
            if not there:
                self._stop(f"Expected expression after {sign}")
        self._code.extend(Combine(sign) for sign in reversed(waiting))
        return there

    def _operand(self) -> bool:
        signs = []
        while (character := self._skip_spaces()) and character in "!-+~":
            signs.append(character)
            self._at += 1
        there = self._value(character)
        if signs and not there:
            self._code.append(_MISSING)
        self._code.extend(Prefix(sign) for sign in reversed(signs))
        return there or bool(signs)

    def _value(self, first: str) -> bool:
        if first == "." or (first.isascii() and first.isdigit()):
            self._number()
        elif first and first in "'\"":
            self._string(first)
        elif first == "[":
            start = len(self._code)
            self._at += 1
            self._arguments("]")
            self._code[start:] = [_LIST]
        elif first == "(" or _NAME.match(first):
            return self._variable()
        else:
            return False
        return True

    def _digits(self) -> None:
        found = _DIGITS.match(self._text, self._at)
        if found:
            self._at = found.end()

    def _number(self) -> None:
        start = self._at
        self._digits()
        if self._peek() == ".":
            self._at += 1
            self._digits()
        if self._peek() in ("e", "E"):
            self._exponent(start)
        following = self._peek()
        number = self._text[start : self._at]
        if _NAME.match(following):
            self._stop(f"Variable names cannot start with a number ({number}{following})")
        if following == ".":
            self._stop("Unexpected period")
        self._code.append(Push(numbers.read(number)))

    def _exponent(self, start: int) -> None:
        self._at += 1
        if self._peek() in ("+", "-"):
            self._at += 1
        digits = self._at
        self._digits()
        if self._at == digits:
            self._stop(f"Expected exponent ({self._text[start : self._at]}{self._peek()})")

    def _string(self, quote: str) -> None:
        parts: list[str] = []
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == quote:
                self._code.append(Push("".join(parts)))
                return
            if character == "\\":
                character = self._peek()
                self._at += 1
                character = _ESCAPES.get(character, character)
            parts.append(character)
        self._at = len(self._text)
        self._stop(f'Unclosed quote after "{"".join(parts)}"')

    def _name(self) -> str:
        found = _NAME.match(self._text, self._at)
        if not found:
            self._stop(f"Unexpected {self._peek()}")
        self._at = found.end()
        return found[0]

    def _variable(self) -> bool:
        """Add the code of a name or group and all that follows it; False for `()` alone."""
        start, kind, there = len(self._code), "Identifier", True
        if self._peek() == "(":
            kind, there = self._group()
        else:
            self._code.append(operation := _named(self._name()))
            kind = _KINDS.get(type(operation), kind)
        while (sign := self._skip_spaces()) and sign in ".[(":
            self._at += 1
            if not there:
                self._code.append(_MISSING)
            there = True
            if sign == "(":
                self._call(start, kind)
                kind = "CallExpression"
            else:
                self._member(sign)
                kind = "MemberExpression"
        return there

    def _group(self) -> tuple[str, bool]:
        self._at += 1
        start = len(self._code)
        there = self._expression()
        if self._skip_spaces() != ")":
            self._stop("Unclosed (")
        self._at += 1
        alone = len(self._code) == start + 1 and isinstance(self._code[start], Load)
        return ("Identifier" if alone else "Expression"), there

    def _member(self, sign: str) -> None:
        if sign == ".":
            self._skip_spaces()
            name = self._name()
            self._code.append(Get(None if name in _CONSTANTS or name == "this" else name))
            return
        start = len(self._code)
        self._expression()
        if self._skip_spaces() != "]":
            self._stop("Unclosed [")
        self._at += 1
        inner = self._code[start:]
        named = inner[0].name if len(inner) == 1 and isinstance(inner[0], Load) else None
        self._code[start:] = [Get(named)]

    def _call(self, start: int, kind: str) -> None:
        called = self._code[start] if len(self._code) == start + 1 else None
        if kind == "Identifier" and isinstance(called, Load):
            self._code[start:] = [Find(called.name)]
            count = self._arguments(")")
            self._code.append(Call(called.name, count))
            return
        self._arguments(")")
        self._code[start:] = [Fail(_CALLED_NO_NAME.format(kind))]

    def _arguments(self, end: str) -> int:
        count = commas = 0
        while (character := self._skip_spaces()) != end:
            if not character:
                self._stop(f"Expected {end}")
            if character == ",":
                self._at += 1
                commas += 1
                if commas != count and end == ")":
                    self._stop("Unexpected token ,")
                count = max(count, commas)
            else:
                if not self._expression():
                    self._stop("Expected comma")
                count += 1
        self._at += 1
        if end == ")" and commas and commas >= count:
            self._stop(f"Unexpected token {end}")
        return count


def _named(name: str) -> Operation:
    if name in _CONSTANTS:
        return Push(_CONSTANTS[name])
    return _THIS if name == "this" else Load(name)
