"""
Expressions of `condition`, `success_criteria` and annotations: is this true?

Nothing is ever raised: what cannot be read or evaluated is invalid, and counts as false.  Time is
bounded for any input: code runs once from left to right, texts and patterns have limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from crossfade.core.pipeline.expression import functions, numbers, operators
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
from crossfade.core.pipeline.expression.grammar import compiled
from crossfade.core.pipeline.expression.meter import Meter
from crossfade.core.pipeline.expression.values import Value, entered, joined, type_name, units

LONGEST = 12_000
"""Characters of an expression, before and after variables are put in."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an expression says."""

    valid: bool
    result: bool
    """False when it is invalid."""
    error: str | None = None
    """Why it is invalid."""


def evaluate(text: str, variables: Mapping[str, Value]) -> Verdict:
    """Return whether the expression is true.  The same inputs always give the same answer."""
    try:
        return Verdict(True, _truth(_run(_read(text), variables)))
    except ExpressionError as error:
        return Verdict(False, False, joined(str(error)).encode(errors="replace").decode())


def syntax_error(text: str) -> str | None:
    """Return why the expression can never be evaluated, None when it can."""
    try:
        code = _read(text)
    except ExpressionError as error:
        return joined(str(error)).encode(errors="replace").decode()
    for operation in code:
        match operation:
            case Fail(message):
                return message
            case Find(name) if name not in functions.FUNCTIONS:
                return f"Unknown function: '{name}'"
            case Combine("===" | "!==" | "|" | "^" | "&" | "<<" | ">>" | ">>>" as sign):
                return f"Invalid binary operator: {sign}"
            case Prefix("~"):
                return "Invalid unary operator: ~"
            case _:
                continue
    return None


def names(text: str) -> frozenset[str]:
    """Return the variables that the expression reads by their plain names."""
    try:
        code = _read(text)
    except ExpressionError:
        return frozenset()
    return frozenset(operation.name for operation in code if isinstance(operation, Load))


def steps_read(text: str) -> frozenset[str]:
    """Return the steps that the expression reads as `steps.NAME` or `Member(steps, "NAME")`."""
    try:
        code = _read(text)
    except ExpressionError:
        return frozenset()
    found = set()
    for first, second in pairwise(code):
        match first, second:
            case (Load("steps"), Get(str() as name)) | (Load("steps"), Push(str() as name)):
                found.add(name)
            case _:
                continue
    return frozenset(found)


def _read(text: str) -> Code:
    if len(text) > LONGEST:
        raise ExpressionError(f"Longer than {LONGEST} characters")
    return compiled(units(text).strip(numbers.SPACES))


def _run(code: Code, variables: Mapping[str, Value]) -> Value:
    machine = _Machine(variables)
    for operation in code:
        machine.step(operation)
    return machine.stack.pop()


class _Machine:
    """The stack of one evaluation, and the work that is left for it."""

    def __init__(self, variables: Mapping[str, Value]) -> None:
        self.stack: list[Value] = []
        self._variables = variables
        self._meter = Meter()

    def step(self, operation: Operation) -> None:
        """Do one operation.  Raises ExpressionError."""
        stack = self.stack
        match operation:
            case Push(value):
                stack.append(value)
            case Load(name):
                stack.append(self._variable(name))
            case Get(name):
                if name is None:
                    raise ExpressionError("Invalid identifier member: 'undefined'")
                stack.append(functions.member(stack.pop(), name))
            case Find() | Call():
                self._function(operation)
            case Prefix(sign):
                stack.append(operators.prefixed(sign, stack.pop()))
            case Combine(sign):
                right, left = stack.pop(), stack.pop()
                stack.append(operators.combined(sign, left, right))
            case Fail(message):
                raise ExpressionError(message)

    def _function(self, operation: Find | Call) -> None:
        name = operation.name
        if isinstance(operation, Find):
            if name not in functions.FUNCTIONS:
                raise ExpressionError(f"Unknown function: '{joined(name)}'")
            return
        first = len(self.stack) - operation.count
        arguments = self.stack[first:]
        del self.stack[first:]
        value = functions.call(name, arguments, self._meter)
        if name == "Variable" and isinstance(value, str):
            value = self._variable(value)
        self.stack.append(value)

    def _variable(self, name: str) -> Value:
        name = joined(name)
        if name not in self._variables:
            raise ExpressionError(f"Invalid identifier: '{name}'")
        value = self._variables[name]
        if isinstance(value, str):
            self._meter.read(value)
        return entered(value)


def _truth(value: Value) -> bool:
    if type_name(value) == "object":
        raise ExpressionError("Cannot evaluate object variable directly")
    return functions.truth(value)
