"""Trees of conditions: what an expression is made of, and how its tokens become one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from crossfade.core.analysis.expression_tokens import ExpressionError, Kind, Token, tokens

DEEPEST = 60
"""Levels of a tree."""

Node: TypeAlias = "Literal | Name | Point | Items | Member | Unary | Binary | Choice | Call | Each"


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true, false or nil."""

    value: int | float | str | bool | None
    column: int


@dataclass(frozen=True, slots=True)
class Name:
    """`result`, the only variable."""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Point:
    """`#`: the value that a closure looks at."""

    column: int


@dataclass(frozen=True, slots=True)
class Items:
    """`[a, b]`."""

    items: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Member:
    """`of.key`, `of[key]` or, with nil for what is missing, `of?.key`."""

    of: Node
    key: Node
    optional: bool
    column: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`!of`, `-of`, `+of`."""

    operator: str
    of: Node
    column: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: Node
    right: Node
    column: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`."""

    name: str
    arguments: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Each:
    """`name(over, {predicate})`: a function that looks at each value of a list."""

    name: str
    over: Node
    predicate: Node
    column: int


FUNCTIONS = {
    "default": 2, "isNil": 1, "isNaN": 1, "isInf": 1, "asInt": 1, "asFloat": 1, "len": 1,
    "abs": 1, "ceil": 1, "floor": 1, "round": 1, "int": 1, "float": 1, "first": 1, "last": 1,
    "min": None, "max": None, "sum": None, "mean": None, "median": None,
}  # fmt: skip
"""Functions and how many values they take; None: lists, or any number of numbers."""

CLOSURES = ("all", "any", "none", "one", "filter", "map", "count")
"""Functions that look at each value of a list."""

_SAME = {"or": "||", "and": "&&", "not": "!", "^": "**"}
_BINARY = {
    "||": 10, "&&": 15, "==": 20, "!=": 20, "<": 20, ">": 20, "<=": 20, ">=": 20, "in": 20,
    "contains": 20, "startsWith": 20, "endsWith": 20, "+": 30, "-": 30, "*": 60, "/": 60,
    "%": 60, "**": 100, "??": 500,
}  # fmt: skip
_UNARY = {"!": 50, "-": 90, "+": 90}
_ORDER = ("<", ">", "<=", ">=")
_NEGATABLE = ("in", "contains", "startsWith", "endsWith")
_WORDS = ("in", "contains", "startsWith", "endsWith", "or", "and", "not")
_LITERALS = {"true": True, "false": False, "nil": None}
_NOT_HERE = {
    "matches": "compare with == or startsWith",
    "let": "write the value where it is needed",
    "|": "call the function as f(x)",
    "..": "write the list out",
    "{": "a closure stands in all(), any(), none(), one(), filter(), map() or count()",
    ";": "one expression is wanted",
    "=": "compare with ==",
}


def parse(text: str) -> Node:
    """
    Return the tree of an expression.

    Raises:
        ExpressionError: at the first place where it cannot be read, with its column.
    """
    parser = _Parser(list(tokens(text)))
    tree = parser.expression(0)
    parser.end()
    if _depth(tree) > DEEPEST:
        raise ExpressionError(f"is nested too deeply; {DEEPEST} levels are allowed")
    return tree


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes right below one."""
    match node:
        case Items(items):
            yield from items
        case Member(of, key):
            yield from (of, key)
        case Unary(_, of):
            yield of
        case Binary(_, left, right):
            yield from (left, right)
        case Choice(condition, then, otherwise):
            yield from (condition, then, otherwise)
        case Call(_, arguments):
            yield from arguments
        case Each(_, over, predicate):
            yield from (over, predicate)
        case Literal() | Name() | Point():
            return


def _depth(tree: Node) -> int:
    level, depth = [tree], 0
    while level and depth <= DEEPEST:
        level = [child for node in level for child in children(node)]
        depth += 1
    return depth


class _Parser:
    """Operator precedence, as in the expr language: who binds tighter has the higher number."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens, self._at = found, 0
        self._nested, self._closures = 0, 0

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    @property
    def _word(self) -> str:
        """The operator here, "" for anything else."""
        token = self._now
        if token.kind is Kind.OPERATOR or (token.kind is Kind.NAME and token.text in _WORDS):
            return _SAME.get(token.text, token.text)
        return ""

    def _next(self) -> Token:
        token = self._now
        self._at += token.kind is not Kind.END
        return token

    def _take(self, text: str, why: str) -> None:
        if self._now.kind is not Kind.OPERATOR or self._now.text != text:
            raise self._unexpected(f"`{text}` {why}")
        self._next()

    def _unexpected(self, wanted: str) -> ExpressionError:
        token = self._now
        found = "ends" if token.kind is Kind.END else f"has `{token.text}`"
        hint = _NOT_HERE.get(token.text, "") or f"{wanted} is wanted here"
        return ExpressionError(f"{found} where {wanted} is wanted", token.column, hint)

    def end(self) -> None:
        """Raise unless all tokens are taken."""
        if self._now.kind is not Kind.END:
            raise self._unexpected("an operator")

    def expression(self, lowest: int) -> Node:
        """Return the tree of what binds at least as tightly as `lowest`."""
        self._nested += 1
        if self._nested > DEEPEST:
            message = f"is nested too deeply; {DEEPEST} levels are allowed"
            raise ExpressionError(message, self._now.column)
        left, before = self._unary(), ""
        while (power := self._power()) >= max(lowest, 1):
            if before == "??" != self._word:
                hint = "put the part with `??` in parentheses"
                raise ExpressionError("`??` cannot be mixed", self._now.column, hint)
            before = self._word
            left = self._binary(left, power)
        if lowest == 0 and self._word == "?":
            left = self._choice(left)
        self._nested -= 1
        return left

    def _power(self) -> int:
        """Return how tightly the operator here binds, 0 when there is none."""
        if self._word == "!" and self._tokens[self._at].kind is Kind.NAME:
            return _BINARY["in"]  # `a not in b`
        return _BINARY.get(self._word, 0)

    def _binary(self, left: Node, power: int) -> Node:
        token = self._now
        operator, negated = self._word, False
        self._next()
        if operator == "!":
            operator, negated = self._word, True
            if operator not in _NEGATABLE:
                raise self._unexpected("`in`, `contains`, `startsWith` or `endsWith`")
            self._next()
        right = self.expression(power if operator == "**" else power + 1)
        made: Node = Binary(operator, left, right, token.column)
        while operator in _ORDER and self._word in _ORDER:  # 0 < a < 1
            column, operator = self._now.column, self._word
            self._next()
            further = self.expression(power + 1)
            made = Binary("&&", made, Binary(operator, right, further, column), column)
            right = further
        return Unary("!", made, token.column) if negated else made

    def _choice(self, condition: Node) -> Node:
        column = self._next().column
        # `a ?: b` is short for `a ? a : b`.
        then = condition if self._word == ":" else self.expression(0)
        self._take(":", "and what holds otherwise")
        return Choice(condition, then, self.expression(0), column)

    def _unary(self) -> Node:
        operator = self._word
        if operator in _UNARY:
            column = self._next().column
            return Unary(operator, self.expression(_UNARY[operator]), column)
        return self._members(self._primary())

    def _primary(self) -> Node:
        token = self._now
        match token.kind, token.text:
            case ((Kind.NUMBER | Kind.TEXT), _):
                self._next()
                return Literal(token.value, token.column)
            case Kind.NAME, word if word in _LITERALS:
                self._next()
                return Literal(_LITERALS[word], token.column)
            case Kind.NAME, word if word not in (*_WORDS, "let", "matches"):
                return self._named()
            case Kind.OPERATOR, "(":
                self._next()
                inner = self.expression(0)
                self._take(")", "to match `(`")
                return inner
            case Kind.OPERATOR, "[":
                self._next()
                return Items(self._list("]"), token.column)
            case Kind.OPERATOR, "#" if self._closures:
                self._next()
                return Point(token.column)
            case Kind.OPERATOR, "." if self._closures:
                return Point(token.column)  # `.field` is short for `#.field`
            case _:
                raise self._unexpected("a value")

    def _named(self) -> Node:
        token = self._next()
        called = self._now.kind is Kind.OPERATOR and self._now.text == "("
        if not called:
            if token.text != "result":
                raise _unknown(token, "", "the measured value is called `result`")
            return Name(token.text, token.column)
        self._next()
        if token.text in CLOSURES:
            return self._each(token)
        if token.text not in FUNCTIONS:
            raise _unknown(token, "()", f"known: {', '.join((*FUNCTIONS, *CLOSURES))}")
        arguments = self._list(")")
        wanted = FUNCTIONS[token.text]
        if len(arguments) != wanted if wanted else not arguments:
            message = f"{token.text}() takes {wanted or 'some'} values, not {len(arguments)}"
            raise ExpressionError(message, token.column, "give as many")
        return Call(token.text, arguments, token.column)

    def _list(self, close: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not (self._now.kind is Kind.OPERATOR and self._now.text == close):
            if items:
                self._take(",", f"or `{close}`")
            items.append(self.expression(0))
        self._next()
        return tuple(items)

    def _each(self, token: Token) -> Node:
        over = self.expression(0)
        self._take(",", "and a closure such as {# > 1}")
        braced = self._word == "{"
        if braced:
            self._next()
        self._closures += 1
        predicate = self.expression(0)
        self._closures -= 1
        if braced:
            self._take("}", "to match `{`")
        self._take(")", "to match `(`")
        return Each(token.text, over, predicate, token.column)

    def _members(self, of: Node) -> Node:
        while self._word in (".", "?.", "["):
            token = self._next()
            optional = token.text == "?."
            if optional and self._word == "[":
                token = self._next()
            key = self._key(token)
            if self._word == "(":
                raise ExpressionError(
                    "values have no methods", self._now.column, "call a function, as len(result)"
                )
            of = Member(of, key, optional, token.column)
        return of

    def _key(self, token: Token) -> Node:
        if token.text == "[":
            key = self.expression(0)
            self._take("]", "to match `[`; slices are not known")
            return key
        name = self._next()
        if name.kind is not Kind.NAME:
            self._at -= name.kind is not Kind.END
            raise self._unexpected("the name of a field")
        return Literal(name.text, name.column)


def _unknown(token: Token, suffix: str, hint: str) -> ExpressionError:
    return ExpressionError(f"unknown name {token.text}{suffix}", token.column, hint)
