"""
What an expression is compiled to: a list of small operations on a stack, run from left to right.

The language has no short-circuit: every operand is always evaluated.  So code without jumps is
all it takes, and neither long nor deep expressions can exhaust the stack of the machine.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Push:
    """Put a literal on the stack."""

    value: float | str | bool | None


@dataclass(frozen=True, slots=True)
class Load:
    """Put a variable on the stack."""

    name: str


@dataclass(frozen=True, slots=True)
class Get:
    """Replace the value on top by its member."""

    name: str | None
    """None: what stands there is no name, as in `a["b"]`."""


@dataclass(frozen=True, slots=True)
class Find:
    """Fail unless there is a function of this name; it comes before its arguments."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """Replace the arguments on top by what the function returns."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Prefix:
    """Apply `!`, `-` or `+` to the value on top."""

    sign: str


@dataclass(frozen=True, slots=True)
class Combine:
    """Replace the two values on top by the result of a binary operator."""

    sign: str


@dataclass(frozen=True, slots=True)
class Fail:
    """End here: this can be written but not evaluated."""

    message: str


Operation: TypeAlias = Push | Load | Get | Find | Call | Prefix | Combine | Fail
Code: TypeAlias = tuple[Operation, ...]
