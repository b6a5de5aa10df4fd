"""
Conditions on a measured value, in the part of the expr language that analyses are written in.

Safe for conditions of strangers: there is one variable, no attribute of any object, and the size,
the depth and the steps of an expression are bounded.
"""

from dataclasses import dataclass, field

from crossfade.base.json_value import Json
from crossfade.core.analysis.expression_functions import OF_MANY, OF_ONE, numbers
from crossfade.core.analysis.expression_kinds import Kind, check, kind_of
from crossfade.core.analysis.expression_operators import applied, as_number, equal, inside
from crossfade.core.analysis.expression_syntax import (
    Binary,
    Call,
    Choice,
    Each,
    Items,
    Literal,
    Member,
    Name,
    Node,
    Point,
    Unary,
    parse,
)
from crossfade.core.analysis.expression_tokens import ExpressionError

MOST_STEPS = 200_000
"""Values that one answer may look at."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression that can be read; its text is kept for messages."""

    text: str
    tree: Node = field(repr=False, compare=False)


def condition(text: str) -> Condition:
    """
    Return a condition.

    Raises:
        ExpressionError: where it cannot be read, with the column and a hint.
    """
    return Condition(text, parse(text))


def holds(of: Condition, result: Json) -> bool:
    """
    Say whether a condition holds for a measured value.

    Raises:
        ExpressionError: when the value is not of the kind that the condition asks for.
    """
    found = check(of.tree, kind_of(result))
    if found not in (Kind.BOOL, Kind.ANY):
        raise ExpressionError(f"expected true or false, but got {found}")
    answer = _Run(result).value(of.tree)
    if not isinstance(answer, bool):
        raise ExpressionError(f"expected true or false, but got {kind_of(answer)}")
    return answer


@dataclass(slots=True)
class _Run:
    """One answer being worked out."""

    result: Json
    points: list[Json] = field(default_factory=list)
    steps: int = 0

    def _spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise ExpressionError(
                f"takes more than {MOST_STEPS} steps", hint="look at fewer values"
            )

    def value(self, node: Node) -> Json:
        """Return what a part of the expression comes to."""
        self._spend(1)
        match node:
            case Literal() | Name() | Point():
                return self._leaf(node)
            case Items(items):
                return [self.value(item) for item in items]
            case Member():
                return self._member(node)
            case Unary(sign, of, column):
                return self._unary(sign, of, column)
            case Binary():
                return self._binary(node)
            case Choice(wanted, then, otherwise, column):
                return self.value(then if self._bool(wanted, column) else otherwise)
            case Call():
                return self._call(node)
            case Each():
                return self._each(node)

    def _leaf(self, node: Literal | Name | Point) -> Json:
        match node:
            case Literal(value):
                return value
            case Name():
                return self.result
            case Point():
                return self.points[-1]

    def _bool(self, node: Node, column: int) -> bool:
        found = self.value(node)
        if isinstance(found, bool):
            return found
        raise ExpressionError(f"true or false is wanted here, not {kind_of(found)}", column)

    def _unary(self, sign: str, of: Node, column: int) -> Json:
        if sign == "!":
            return not self._bool(of, column)
        number = as_number(self.value(of), column)
        return -number if sign == "-" else number

    def _member(self, node: Member) -> Json:
        of = self.value(node.of)
        if of is None and node.optional:
            return None
        key = self.value(node.key)
        match of, key:
            case list(), int() if not isinstance(key, bool):
                if -len(of) <= key < len(of):
                    return of[key]
                what = f"there is no value {key} in a list of {len(of)}"
                raise ExpressionError(what, node.column, "say default(result, ...) for none")
            case dict(), str():
                return of.get(key)
            case _:
                what = f"{kind_of(of)} has nothing at {kind_of(key)}"
                raise ExpressionError(what, node.column, "look at what the source answers")

    def _binary(self, node: Binary) -> Json:
        column = node.column
        match node.operator:
            case "||":
                return self._bool(node.left, column) or self._bool(node.right, column)
            case "&&":
                return self._bool(node.left, column) and self._bool(node.right, column)
            case "??":
                left = self.value(node.left)
                return self.value(node.right) if left is None else left
            case _:
                return self._of_both(node)

    def _of_both(self, node: Binary) -> Json:
        left, right = self.value(node.left), self.value(node.right)
        self._spend(sum(len(each) for each in (left, right) if isinstance(each, list | dict)))
        match node.operator:
            case "==":
                return equal(left, right)
            case "!=":
                return not equal(left, right)
            case "in":
                return inside(left, right, node.column)
            case _:
                return applied(node.operator, left, right, node.column)

    def _each(self, node: Each) -> Json:
        over = self.value(node.over)
        if not isinstance(over, list):
            raise ExpressionError(f"{node.name}() takes a list, not {kind_of(over)}", node.column)
        if node.name == "map":
            return [self._at(item, node.predicate) for item in over]
        kept = [item for item in over if self._chosen(item, node)]
        match node.name:
            case "filter":
                return kept
            case "count":
                return len(kept)
            case "all":
                return len(kept) == len(over)
            case "any":
                return bool(kept)
            case "none":
                return not kept
            case _:
                return len(kept) == 1

    def _chosen(self, item: Json, node: Each) -> bool:
        found = self._at(item, node.predicate)
        if isinstance(found, bool):
            return found
        what = f"the closure of {node.name}() says {kind_of(found)}, not true or false"
        raise ExpressionError(what, node.column)

    def _at(self, item: Json, predicate: Node) -> Json:
        self.points.append(item)
        found = self.value(predicate)
        self.points.pop()
        return found

    def _call(self, node: Call) -> Json:
        arguments = [self.value(each) for each in node.arguments]
        match node.name:
            # As with Argo these two look at the result, whatever they are given.
            case "default":
                return arguments[1] if self.result is None else self.result
            case "isNil":
                return self.result is None
            case name if name in OF_MANY:
                found = numbers(arguments, node.column)
                self._spend(len(found))
                return OF_MANY[name](found)
            case name:
                return OF_ONE[name](arguments[0], node.column)
