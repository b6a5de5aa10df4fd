"""The expression language: the public cases, and what they leave open."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.pipeline.expression.evaluate import (
    LONGEST,
    evaluate,
    names,
    steps_read,
    syntax_error,
)

PUBLIC = json.loads((Path(__file__).parent / "public_cases.json").read_text())

VARIABLES = {
    "CF_BRANCH": "feature/FB-1",
    "COUNT": 3,
    "EMPTY": "",
    "LIST": ["a", "b"],
    "FACE": "a😀b",
    "steps": {
        "build": {"result": "success", "output": {"URL": "x"}},
        "my-step": {"result": "failure"},
    },
    "workflow": {"result": "running"},
}


@pytest.mark.parametrize(("name", "text", "expected"), PUBLIC["cases"])
def test_a_condition_decides_as_on_codefresh(name, text, expected):
    got = evaluate(text, PUBLIC["variables"])

    if isinstance(expected, str):
        assert (got.valid, got.result, got.error) == (False, False, expected)
    else:
        assert (got.valid, got.result, got.error) == (True, expected, None)


def test_there_are_as_many_public_cases_as_codefresh_has():
    assert len(PUBLIC["cases"]) == 207


TRUE = [
    "steps.build.result == 'success'",
    "Member(steps, \"my-step\").result == 'failure'",
    "Member(steps, 'build.output.URL') == 'x'",
    "Variable('CF_BRANCH') == CF_BRANCH",
    "workflow.result == 'running'",
    "replace('hello there', 'e', 'a') == 'hallo there'",
    "replace('abc', 'b', '[$&$&]') == 'a[bb]c'",
    "replace('abc', 'b', '$$') == 'a$c'",
    "substring('hello', 2, 1) == 'llo'",
    "substring('hello', 0 - 5, 2) == 'he'",
    "length(FACE) == 4",
    "indexOf(FACE, 'b') == 3",
    "FACE.length == 4",
    "LIST.length == 2",
    "match(CF_BRANCH, '^feature/(?!main)', false)",
    "match(CF_BRANCH, 'fb-[0-9]+$', true)",
    "includes(lower('say \\\"hi\\\" [SKIP CI]'), 'skip ci')",
    "String(1e21) == '1e+21'",
    "String(0.1 + 0.2) == '0.30000000000000004'",
    "String(1e-7) == '1e-7'",
    "String(123456789012345680000) == '123456789012345680000'",
    "Number(' 0x10 ') == 16",
    "Number('') == 0",
    "round(2.5) == 3",
    "round(0 - 2.5) == -2",
    "floor(0 - 1.5) == -2",
    "-5 / 0 < 0",
    "'false'",
    "'0'",
    "5;",
    ";5,",
    "1 + 2 * 3 == 7",
    "10 - 2 - 3 == 5",
    "- - 1 == 1",
    "!(1 > 2) && true",
    "'é' != 'e'",
    "upper('straße') == 'STRASSE'",
    "null == null",
    "'a' != null",
]

FALSE = ["''", "0", "null", "false", "()", "   ", ";", "0 / 0", "EMPTY", "LIST.length - 2", "."]

INVALID = [
    ("true || steps.nope.result == 'x'", "no short-circuit"),
    ("CF_BRANCH === 'x'", "three signs"),
    ("true == 'true'", "types differ"),
    ("5 > 'a'", "types differ"),
    ("1 && true", "no booleans"),
    ("Member('build', 'result')", "a text has no members"),
    ("steps.my-step.result", "a dash is a minus"),
    ("steps['build']", "brackets"),
    ("LIST", "an object"),
    ("a b", "two expressions"),
    ("1 +", "nothing to add"),
    ("* 5", "nothing to multiply"),
    ("f(,)", "no arguments"),
    ("'open", "no end of the text"),
    ("(1", "no end of the group"),
    ("1e", "no exponent"),
    ("0x10", "no such number"),
    ("1..2", "two points"),
    ("~1", "bits"),
    ("true ? 1 : 2", "a choice"),
    ("x in y", "in"),
    ("match('a', '(', false)", "a broken pattern"),
    ("Number('1e999')", "infinite"),
    ("1 / 0", "division by zero"),
    ("1 % 0", "rest by zero"),
    ("!null", "not of nothing"),
    ("-'1'", "minus of a text"),
    ("a.b.c", "no such variable"),
    ("1" * (LONGEST + 1), "too long"),
    ("(" * 500 + "1" + ")" * 500, "too deep"),
    ("Number(" * 500 + "1" + ")" * 500, "too deep"),
]


@pytest.mark.parametrize("text", TRUE)
def test_what_is_true(text):
    got = evaluate(text, VARIABLES)

    assert (got.valid, got.result) == (True, True), got.error


@pytest.mark.parametrize("text", FALSE)
def test_what_is_false_without_being_wrong(text):
    got = evaluate(text, VARIABLES)

    assert (got.valid, got.result) == (True, False), got.error


@pytest.mark.parametrize(("text", "why"), INVALID, ids=[why for _, why in INVALID])
def test_what_is_invalid_counts_as_false_and_says_why(text, why):
    got = evaluate(text, VARIABLES)

    assert (got.valid, got.result) == (False, False)
    assert got.error


def test_long_chains_are_no_deep_ones():
    assert evaluate("1+" * 5000 + "1 == 5001", {}).result
    assert evaluate("!" * 10_000 + "true", {}).result


SLOW = [
    " && ".join(["match(A, '^(([a-z])+.)+[A-Z]', false)"] * 200),
    " && ".join(["includes(upper(B), 'x')"] * 400),
    "replace(A, 'a', '" + "$`$'$&" * 1500 + "')",
    " + ".join(["B"] * 1500),
    "match(B, '" + "(.*a)" * 20 + "', true)",
]


@pytest.mark.parametrize("text", SLOW, ids=["patterns", "texts", "replacement", "sum", "pattern"])
def test_no_expression_makes_anybody_wait(text):
    started = time.process_time()
    evaluate(text, {"A": "a" * 10_000 + "!", "B": "\u00e9" * 1_000_000})

    assert time.process_time() - started < 1


def test_a_lone_half_of_a_character_breaks_nothing():
    assert evaluate("length('\ud83d') == 1", {}).result
    assert evaluate("x\ud83d", {}).error


def test_a_condition_that_can_never_be_evaluated_is_known_beforehand():
    assert syntax_error("a === b")
    assert syntax_error("nope(1)") == "Unknown function: 'nope'"
    assert syntax_error("~1")
    assert syntax_error("steps.a.result == 'success'") is None


def test_what_a_condition_reads_is_known_beforehand():
    assert names("steps.a.result == X && upper(Y) == 'Z'") == {"steps", "X", "Y"}
    assert steps_read("steps.a.result == Member(steps, 'b-c').result") == {"a", "b-c"}
    assert names("(") == steps_read("(") == frozenset()


_SPELLINGS = (
    "1 2.5 'a' \"b\" true null x steps .result ( ) [ ] , ; . + - * / % == != < > <= >= && || ! "
    "? : upper( match( replace( Member( Variable( \\ @ # 😀 \x00 ${{X}}"
)
TOKENS = st.sampled_from(_SPELLINGS.split())


@settings(max_examples=400, deadline=None)
@given(st.lists(TOKENS, max_size=30).map(" ".join) | st.text(max_size=60))
def test_no_text_whatever_raises(text):
    started = time.process_time()
    got = evaluate(text, VARIABLES)

    assert got.valid == (got.error is None)
    assert got.valid or got.result is False
    assert time.process_time() - started < 1
