"""Conditions mean what they mean to Argo Rollouts, and can do nothing else."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.analysis.expression_syntax import CLOSURES, FUNCTIONS
from crossfade.core.analysis.expression_tokens import ExpressionError
from crossfade.core.analysis.expressions import condition, holds


def answer(text, result=None):
    return holds(condition(text), result)


APDEX = {"service_apdex": {"label": None, "values": {"values": [2.0, 2.0]}}}

TRUE = [
    (True, "result == true"),
    (APDEX, "all(result.service_apdex.values.values, {# > 1})"),
    ([2.0, 2.0], "2 in result"),
    (5.0, "result > 1"),
    ("1", "asInt(result) == 1"),
    (1, "asInt(result) == 1"),
    (1.123, "asInt(result) == 1"),
    ("1.1", "asFloat(result) == 1.1"),
    ("1.1", "asFloat(result) >= 1.1"),
    ("1.1", "asFloat(result) <= 1.1"),
    (1.1, "asFloat(result) == 1.1"),
    (1, "asFloat(result) >= 1"),
    # what is written most in the wild
    ([0.97], "result[0] >= 0.95"),
    ([0.97], "result[0] >= 0.95 && result[0] <= 1"),
    ([0.97], "len(result) > 0 and result[0] >= .95"),
    ([], "len(result) == 0 || result[0] >= 0.95"),
    (math.nan, "isNaN(result) || result >= 0.95"),
    (0.99, "isNaN(result) || result >= 0.95"),
    ([math.nan], "isNaN(result[0])"),
    (math.inf, "isInf(result)"),
    (-math.inf, "isInf(result)"),
    (None, "default(result, 0) < 5"),
    (3, "default(result, 10) < 5"),
    (None, "isNil(result)"),
    (None, "result == nil"),
    ([], "!isNil(result)"),
    ([], "result != nil"),
    ({"ok": True}, "result.ok"),
    ({"ok": True}, "result['ok'] == true"),
    ({"a": {"b": [1, {"c": "x"}]}}, "result.a.b[1].c == 'x'"),
    ({"a": 1}, "result.missing == nil"),
    ({"a": None}, "result.a?.b == nil"),
    ({"a": None}, "(result.a ?? 7) == 7"),
    ({"status": "ok", "errors": 0}, 'result.status == "ok" && result.errors == 0'),
    ({"a": 1}, '"a" in result && "b" not in result'),
    (
        "ready to serve",
        "result contains 'to' and result startsWith 'ready' and result endsWith 'e'",
    ),
    ([1, 2, 3], "any(result, {# == 2}) && none(result, {# > 3}) && one(result, # > 2)"),
    ([1, 2, 3], "count(result, {# >= 2}) == 2"),
    ([1, 2, 3], "len(filter(result, {# != 2})) == 2"),
    ([1, 2, 3], "map(result, {# * 2}) == [2, 4, 6]"),
    ([{"v": 1}, {"v": 5}], "all(result, {.v > 0}) and any(result, {#.v == 5})"),
    ([[1], [2, 3]], "all(result, {len(#) > 0 && all(#, {# > 0})})"),
    ([3, 1, 2], "min(result) == 1 && max(result) == 3 && sum(result) == 6 && mean(result) == 2"),
    ([3, 1, 2], "median(result) == 2 and first(result) == 3 and last(result) == 2"),
    ([3, 1, 2], "result[-1] == 2"),
    (0.5, "0 < result < 1"),
    (0.5, "0 <= result <= 0.5"),
    (1, "result == 1.0"),
    (7, "result % 4 == 3"),
    (-7, "result % 4 == -3"),
    (2, "result ** 3 == 8"),
    (2, "-result ^ 2 == -4"),
    (2, "2 ** 3 ** result == 512"),
    (1, "result / 2 == 0.5"),
    (1, "isInf(result / 0)"),
    (0, "isNaN(result / 0)"),
    (10, "result > 5 ? true : false"),
    (3, "result > 5 ? false : result > 2 ? true : false"),
    (True, "result ?: false"),
    (False, "result ?: true"),
    ({}, "result.a ?? result.b ?? true ? true : false"),
    (1, "not false or false"),
    (1, "!(result == 2) && true"),
    (1, "true || false && false"),
    (1, "abs(-result) == 1 && round(1.5) == 2 && floor(1.9) == 1 && ceil(1.1) == 2"),
    (1, "1_000 == 1e3 && 0xff == 255"),
    ("a\"b'c", 'result == "a\\"b\'c"'),
    ("é", "len(result) == 1 and result == '\\u00e9'"),
    ("a\\n", "result == `a\\n`"),
    ("b", "result > 'a' and result <= 'b'"),
    ("b", "result + 'c' == 'bc'"),
]


@pytest.mark.parametrize(("result", "text"), TRUE, ids=[text for _, text in TRUE])
def test_it_holds(result, text):
    assert answer(text, result) is True
    assert answer(f"not ({text})", result) is False


FALSE = [
    (True, "result == false"),
    (5.0, "result < 1"),
    (math.nan, "result >= 0.95"),
    (math.nan, "result < 0.95"),
    (math.nan, "result == result"),
    ([1.0], "result[0] == '1'"),
    ([True], "result[0] == 1"),
    (None, "nil in [1, 2]"),
]


@pytest.mark.parametrize(("result", "text"), FALSE, ids=[text for _, text in FALSE])
def test_it_does_not_hold(result, text):
    assert answer(text, result) is False


# result, condition, what is said
WRONG = [
    (True, "1", "expected true or false, but got a number"),
    (True, "result.ok ?? 1", "has nothing inside"),
    (True, "unknownThing", "unknown name unknownThing (column 1)"),
    (True, "true || unknownThing", "unknown name unknownThing (column 9)"),
    (True, "result.Name() == 'hi'", "values have no methods (column 12)"),
    (True, "open('x')", "unknown name open()"),
    (True, "__import__('os')", "unknown name __import__()"),
    ("1.1", "asInt(result) == 1.1", "asInt() cannot read '1.1'"),
    (True, "asInt(result) == 1", "asInt() takes a number or a text, not true or false"),
    ([True], "asFloat(result[0]) == 1", "a number is wanted here, not true or false"),
    ("NotANum", "asFloat(result) == 1.1", "asFloat() cannot read 'NotANum'"),
    ("1_0", "asFloat(result) == 10", "asFloat() cannot read '1_0'"),
    ("1.1", 'asFloat(result) == "1.1"', "`==` compares a number with a text (column 17)"),
    (1.0, "true || result == 'a'", "`==` compares a number with a text"),
    ("99", "result >= 95", "`>=` compares a text with a number"),
    ([0.97], "result >= 0.95", "`>=` takes a number or a text, not a list"),
    ([], "result[0] >= 0.95", "there is no value 0 in a list of 0"),
    ([1], "result['a'] == 1", "the index of a list takes a number, not a text"),
    ({"a": 1}, "result[0] == 1", "the key of a map takes a text, not a number"),
    (None, "result[0] >= 0.95", "nil has nothing inside"),
    (None, "result >= 0.95", "not nil"),
    (None, "isNaN(result)", "not nil"),
    ({"a": None}, "result.a > 1", "a number is wanted here, not nil"),
    ({"a": None}, "result.a.b == 1", "nil has nothing at a text"),
    ({"a": 1}, "result.a && true", "true or false is wanted here, not a number"),
    ({"a": 1}, "result.a", "expected true or false, but got a number"),
    (1, "result % 0 == 1", "whole numbers"),
    (1, "result %% 2", "column 9"),
    (1, "'a' contains 1", "takes a text, not a number"),
    ([1], "result[0] contains 'a'", "takes two texts, not a number and a text"),
    (1, "1 in result", "takes a list or a map, not a number"),
    ([1], "all(result, {#})", "not true or false"),
    ([1], "all(result, {1})", "takes true or false, not a number"),
    ([[1]], "all(result, {# > 1})", "a number is wanted here, not a list"),
    ([1], "# > 1", "has `#` where a value is wanted"),
    ([], "min(result) > 1", "there are no numbers"),
    ([1], "len() == 1", "len() takes 1 values, not 0"),
    ([1], "result[0:1] == []", "slices are not known"),
    ([1], "result matches 'a.*'", "compare with == or startsWith"),
    ([1], "let x = 1; x > 0", "has `let` where a value is wanted"),
    (1, "result | len()", "has `|` where an operator is wanted"),
    (1, "result = 1", "has `=` where an operator is wanted"),
    (1, "result == 1 result", "has `result` where an operator is wanted (column 13)"),
    (1, "(result == 1", "ends where `)` to match `(` is wanted (column 13)"),
    (1, "result ==", "ends where a value is wanted (column 10)"),
    (1, "", "ends where a value is wanted (column 1)"),
    (1, "result == 'a", "a text does not end (column 11)"),
    (1, "result & true", "`&` means nothing here (column 8)"),
    (1, "result == 1.2.3", "column 14"),
    (1, "result > 1 ? true", "`:` and what holds otherwise"),
    ({}, "result.a ?? 1 == 1", "`??` cannot be mixed (column 15)"),
    (1, "result not 1", "`in`, `contains`, `startsWith` or `endsWith`"),
    (1, "result.", "the name of a field"),
]


@pytest.mark.parametrize(
    ("result", "text", "said"), WRONG, ids=[each[1] or "empty" for each in WRONG]
)
def test_what_is_wrong_is_told(result, text, said):
    with pytest.raises(ExpressionError) as raised:
        answer(text, result)

    assert said in f"{raised.value} {raised.value.hint}"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "(" * 100 + "true" + ")" * 100,
        "!" * 3000 + "true",
        " && ".join(["true"] * 600),
        "[" * 70 + "]" * 70 + " == []",
        "result" + ".a" * 1000 + " == 1",
        "-" * 500 + "1 == 1",
        "true ? " * 200 + "true",
        "1 < " * 300 + "2",
        "x" * 5000,
    ],
    ids=lambda text: text[:8],
)
def test_no_expression_is_too_much_for_the_machine(text):
    with pytest.raises(ExpressionError):
        answer(text, {})


@pytest.mark.parametrize(
    "text",
    [
        "all(result, {all(result, {all(result, {# > 0})})})",
        "all(result, {# in result})",
        "all(result, {sum(result) > 0})",
        "all(result, {result == result})",
    ],
)
def test_an_answer_that_takes_too_long_is_given_up(text):
    begun = time.process_time()
    with pytest.raises(ExpressionError, match="steps"):
        answer(text, [1] * 5000)

    assert time.process_time() - begun < 5


def test_a_large_power_does_not_eat_the_memory():
    assert answer("isInf(9 ** 9 ** 9 ** 9)")
    assert answer("isNaN((0 - 8) ** 0.5)")


words = st.sampled_from(
    [*"()[]{}#.,?:!<>+-*/%|&=", "&&", "||", "==", "!=", "<=", ">=", "??", "?.", "**", "and", "or",
     "not", "in", "nil", "true", "false", "result", "'a'", "1", "0.5", "contains", *FUNCTIONS, *CLOSURES]
)  # fmt: skip
results = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["", "a", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)


def said(text, result):
    """Return the answer, or the error and where it is."""
    try:
        return answer(text, result)
    except ExpressionError as error:
        return error.message, error.column


@given(st.lists(words, max_size=12).map(" ".join) | st.text(max_size=20), results)
def test_no_text_and_no_result_raise_anything_but_an_expression_error(text, result):
    assert said(text, result) not in ("", None)


IN_THE_WILD = ("result[0] >= 0.95", "result.a.b == 'x'", "all(result, {# > 1})", "default(result, 0) == 0", "1 in result", "sum(result) / len(result) > 0", "asInt(result) > 0", "asFloat(result[0]) < 1", "round(result) == 1")  # fmt: skip


@given(results, st.sampled_from(IN_THE_WILD))
def test_what_does_not_fit_a_condition_is_told_with_its_place(result, text):
    match said(text, result):
        case bool():
            pass
        case message, column:
            assert 0 < column <= len(text), message
