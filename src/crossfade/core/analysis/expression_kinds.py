"""
What kinds of values a condition compares, found before it is answered.

The expr language checks types first, so that `true || result == "ok"` is an error when the result
is a number, though the second half would never be looked at.  Values inside of lists and maps are
of any kind until they are looked at.
"""

from collections.abc import Sequence
from enum import StrEnum

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
)
from crossfade.core.analysis.expression_tokens import ExpressionError


class Kind(StrEnum):
    """Kinds of values, in the words of messages."""

    NUMBER = "a number"
    TEXT = "a text"
    BOOL = "true or false"
    NIL = "nil"
    LIST = "a list"
    MAP = "a map"
    ANY = "anything"


def kind_of(value: object) -> Kind:
    """Return the kind of a value."""
    match value:
        case None:
            return Kind.NIL
        case bool():
            return Kind.BOOL
        case int() | float():
            return Kind.NUMBER
        case str():
            return Kind.TEXT
        case list() | tuple():
            return Kind.LIST
        case dict():
            return Kind.MAP
        case _:
            return Kind.ANY


def check(node: Node, result: Kind) -> Kind:
    """
    Return the kind of an expression over a result of this kind.

    Raises:
        ExpressionError: where values of kinds meet that cannot.
    """
    match node:
        case Literal() | Name() | Point():
            return _leaf(node, result)
        case Items(items):
            for item in items:
                check(item, result)
            return Kind.LIST
        case Member():
            return _member(node, result)
        case Unary(operator, of, column):
            wanted = Kind.BOOL if operator == "!" else Kind.NUMBER
            return _wanted(check(of, result), (wanted,), f"`{operator}`", column)
        case Binary():
            return _binary(node, result)
        case Choice():
            return _choice(node, result)
        case Call():
            return _call(node, result)
        case Each():
            return _each(node, result)


def _leaf(node: Literal | Name | Point, result: Kind) -> Kind:
    match node:
        case Literal(value):
            return kind_of(value)
        case Name():
            return result
        case Point():
            return Kind.ANY


def _choice(node: Choice, result: Kind) -> Kind:
    _wanted(check(node.condition, result), (Kind.BOOL,), "`?`", node.column)
    kinds = {check(node.then, result), check(node.otherwise, result)}
    return kinds.pop() if len(kinds) == 1 else Kind.ANY


def _each(node: Each, result: Kind) -> Kind:
    _wanted(check(node.over, result), (Kind.LIST,), f"{node.name}()", node.column)
    found = check(node.predicate, result)
    if node.name != "map":
        _wanted(found, (Kind.BOOL,), f"the closure of {node.name}()", node.column)
    return _EACH.get(node.name, Kind.BOOL)


_EACH = {"filter": Kind.LIST, "map": Kind.LIST, "count": Kind.NUMBER}


def _wanted(found: Kind, wanted: Sequence[Kind], what: str, column: int) -> Kind:
    if found in (*wanted, Kind.ANY):
        return found if found is not Kind.ANY or len(wanted) > 1 else wanted[0]
    raise ExpressionError(
        f"{what} takes {' or '.join(wanted)}, not {found}", column, _HINTS.get(found, "")
    )


_HINTS = {
    Kind.TEXT: "turn a text into a number with asFloat()",
    Kind.LIST: "take a value out of a list with [0]",
    Kind.NIL: "say what holds without a value with default(result, ...)",
}


def _member(node: Member, result: Kind) -> Kind:
    of, key = check(node.of, result), check(node.key, result)
    if of is Kind.NIL and node.optional:
        return Kind.NIL
    if of is Kind.LIST:
        _wanted(key, (Kind.NUMBER,), "the index of a list", node.column)
    elif of is Kind.MAP:
        _wanted(key, (Kind.TEXT,), "the key of a map", node.column)
    elif of is not Kind.ANY:
        raise ExpressionError(f"{of} has nothing inside", node.column, "leave out what follows")
    return Kind.ANY


_NUMBERS = ("-", "*", "/", "%", "**")


def _binary(node: Binary, result: Kind) -> Kind:
    left, right = check(node.left, result), check(node.right, result)
    kinds = {left, right} - {Kind.ANY}
    match node.operator:
        case "==" | "!=":
            if len(kinds - {Kind.NIL}) > 1:
                raise _mismatch(left, right, node)
            return Kind.BOOL
        case "in":
            _wanted(right, (Kind.LIST, Kind.MAP), "`in`", node.column)
            return Kind.BOOL
        case "??":
            return right if left is Kind.NIL else Kind.ANY
        case _:
            return _same_kind(node, left, right)


def _same_kind(node: Binary, left: Kind, right: Kind) -> Kind:
    for kind in (left, right):
        _wanted(kind, _sides(node.operator), f"`{node.operator}`", node.column)
    kinds = {left, right} - {Kind.ANY}
    if len(kinds) > 1:
        raise _mismatch(left, right, node)
    if node.operator == "+":
        return kinds.pop() if kinds else Kind.ANY
    return Kind.NUMBER if node.operator in _NUMBERS else Kind.BOOL


def _sides(operator: str) -> tuple[Kind, ...]:
    """Return what may stand on either side."""
    if operator in ("||", "&&"):
        return (Kind.BOOL,)
    if operator in ("contains", "startsWith", "endsWith"):
        return (Kind.TEXT,)
    return (Kind.NUMBER,) if operator in _NUMBERS else (Kind.NUMBER, Kind.TEXT)


def _mismatch(left: Kind, right: Kind, node: Binary) -> ExpressionError:
    hint = "turn a text into a number with asFloat()" if Kind.TEXT in (left, right) else ""
    return ExpressionError(f"`{node.operator}` compares {left} with {right}", node.column, hint)


_LISTS = ("sum", "mean", "median", "min", "max")


def _call(node: Call, result: Kind) -> Kind:
    kinds = [check(each, result) for each in node.arguments]
    what = f"{node.name}()"
    match node.name:
        case "default":
            return Kind.ANY
        case "isNil":
            return Kind.BOOL
        case "asInt" | "asFloat" | "int" | "float":
            wanted: tuple[Kind, ...] = (Kind.NUMBER, Kind.TEXT)
        case "len":
            wanted = (Kind.LIST, Kind.TEXT, Kind.MAP)
        case "first" | "last":
            wanted = (Kind.LIST,)
        case name if name in _LISTS:
            wanted = (Kind.NUMBER, Kind.LIST)
        case _:
            wanted = (Kind.NUMBER,)
    for kind in kinds:
        _wanted(kind, wanted, what, node.column)
    if node.name in ("first", "last"):
        return Kind.ANY
    return Kind.BOOL if node.name in ("isNaN", "isInf") else Kind.NUMBER
