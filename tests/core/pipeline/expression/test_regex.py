"""Patterns of `match` and of branches, as ECMAScript reads them, and in bounded time."""

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.pipeline.expression.errors import ExpressionError
from crossfade.core.pipeline.expression.regex import Flags, found, matches

FOUND = [
    ("ell", "hello"),
    ("^he.*o$", "hello"),
    ("^(?!main$).*$", "feature"),
    ("^((?!main).)*$", "develop"),
    ("(?<=v)[0-9]+", "v12"),
    ("(?<!v)1", "x1"),
    ("[\\w-]+/\\d{2,3}", "fb-1/123"),
    ("(a|b)\\1", "xbb"),
    ("(?<n>a)\\k<n>", "aa"),
    ("a{,3}", "a{,3}"),
    ("{", "{"),
    ("]", "]"),
    ("[]|x", "x"),
    ("[^]", "\n"),
    ("\\u0061\\x62\\t", "ab\t"),
    ("\\8", "8"),
    ("\\bfoo\\b", "a foo b"),
    ("(?:ab)+?c", "ababc"),
    ("^.{3}$", "abc"),
    ("(z)|(a)\\1", "a"),
    ("", ""),
]
NOT_FOUND = [
    ("^main$", "main\n"),
    (".", "\n"),
    ("a{2}", "a"),
    ("[]", "a"),
    ("(?=a)b", "ab"),
    ("\\d", "\u0663"),
    ("^(?!fb-)", "fb-1"),
    ("(a)\\1", "ab"),
]
BROKEN = ["(", ")", "[a", "*", "a**", "(?<=a)*", "[b-a]", "a{2,1}", "\\", "(?x)", "x{3000}", "^*"]
CATASTROPHES = [
    ("^(a+)+$", "a" * 5000 + "!"),
    ("^(a|a)*$", "a" * 5000 + "!"),
    ("(.*)*x", "a" * 5000),
    ("(a?){50}a{50}", "a" * 50),
    ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 3000),
    ("(x+x+)+y", "x" * 3000),
    ("(.*a){20}", "a" * 3000),
    ("(a*)*\\1b", "a" * 3000),
    ("(?=(a+)+$)b", "a" * 3000),
    ("(?<=(a+)+)b", "a" * 12000),
    ("((a{0,40}){0,40}){0,40}", "a" * 100),
]


@pytest.mark.parametrize(("pattern", "text"), FOUND)
def test_what_is_found(pattern, text):
    assert matches(pattern, text)


@pytest.mark.parametrize(("pattern", "text"), NOT_FOUND)
def test_what_is_not_found(pattern, text):
    assert not matches(pattern, text)


@pytest.mark.parametrize("pattern", BROKEN)
def test_a_broken_pattern_is_an_error(pattern):
    with pytest.raises(ExpressionError):
        matches(pattern, "x")


@pytest.mark.parametrize(("pattern", "text"), CATASTROPHES, ids=[p for p, _ in CATASTROPHES])
def test_no_pattern_hangs_a_build(pattern, text):
    started = time.process_time()
    with suppress(ExpressionError):  # "takes too long" is an answer too
        matches(pattern, text)

    assert time.process_time() - started < 1


def test_flags_of_branches():
    assert found("^fb-", "FB-1", Flags(ignore_case=True))
    assert found("^b$", "a\nb", Flags(multiline=True))
    assert found("a.b", "a\nb", Flags(dot_all=True))
    assert not found("^b$", "a\nb", Flags())


SIMPLE = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "\\w", "\\d"]),
    lambda inner: (
        st.tuples(inner, inner).map("".join)
        | inner.map(lambda p: f"({p})*")
        | inner.map(lambda p: f"(?:{p})?")
        | inner.map(lambda p: f"(?={p})")
        | st.tuples(inner, inner).map(lambda p: f"({p[0]}|{p[1]})")
        | inner.map(lambda p: f"(?:{p}){{1,3}}")
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(SIMPLE, st.text("ab1 ", max_size=8), st.booleans())
def test_it_finds_what_another_engine_finds(pattern, text, anchored):
    pattern = f"^(?:{pattern})$" if anchored else pattern

    assert matches(pattern, text) == bool(re.search(pattern.replace("$", "\\Z"), text, re.ASCII))
