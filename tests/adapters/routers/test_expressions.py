"""Expressions for headers and cookies: they take what is meant and nothing else."""

import re

import pytest

from crossfade.adapters.routers.expressions import MOST_COOKIES, escaped, of_cookies, of_header
from crossfade.base.errors import InputError
from crossfade.core.traffic.split import HeaderMatch, MatchKind

PREFIX, REGEX = MatchKind.PREFIX, MatchKind.REGEX


def cookie(name, value, kind=MatchKind.EXACT):
    return HeaderMatch(name, value, kind, cookie=True)


def test_a_value_with_signs_of_expressions_means_itself():
    value = "a.b*c[d]{e}(f)|^$\\+? "
    assert re.fullmatch(escaped(value), value)
    assert not re.fullmatch(escaped("a.b"), "axb")


@pytest.mark.parametrize(
    ("match", "taken", "left"),
    [
        (HeaderMatch("h", "Mozilla/5.0 (X", PREFIX), "Mozilla/5.0 (X11)", "xMozilla/5.0 (X11)"),
        (HeaderMatch("h", "a|b", REGEX), "b", "bb"),
        (HeaderMatch("h", "^v[0-9]+$", REGEX), "v12", "v12x"),
        (HeaderMatch("h", "[$^]", REGEX), "$", "x"),
    ],
)
@pytest.mark.parametrize("find", [re.fullmatch, re.search])
def test_a_header_is_taken_as_a_whole_however_the_gateway_matches(match, taken, left, find):
    assert find(of_header(match), taken)
    assert not find(of_header(match), left)


@pytest.mark.parametrize("find", [re.fullmatch, re.search])
@pytest.mark.parametrize(
    ("match", "taken", "left"),
    [
        (cookie("v", "r1"), ["v=r1", "a=1; v=r1", "v=r1;b=2", "a=1;v=r1; b=2", "v=r1 ; b"],
         ["v=r11", "av=r1", "a=v=r1", "v=r1x; b=2", "a; v", "", "v=", "V=r1"]),
        (cookie("a.b", "1+1"), ["a.b=1+1"], ["axb=1+1", "a.b=11"]),
        (cookie("v", "r", PREFIX), ["v=r1; b=2", "v=r"], ["v=x; b=r", "v=x;r"]),
        (cookie("v", "r.*9", REGEX), ["v=r19; b"], ["v=r1; b=9"]),
        (cookie("v", "a|b", REGEX), ["v=a", "v=b"], ["v=ab", "b", "v=x;b"]),
    ],
)  # fmt: skip
def test_a_cookie_is_found_wherever_it_stands_and_nothing_that_looks_like_it(
    match, taken, left, find
):
    expression = of_cookies(match)
    assert [text for text in taken if not find(expression, text)] == []
    assert [text for text in left if find(expression, text)] == []


def test_several_cookies_may_come_in_any_order():
    expression = of_cookies(cookie("a", "1"), cookie("b", "2"))
    for text in ("a=1; b=2", "b=2;a=1", "x=0; b=2; y=0; a=1; z=0"):
        assert re.fullmatch(expression, text), text
    for text in ("a=1", "b=2", "a=1; b=3", "a=2; b=1"):
        assert not re.fullmatch(expression, text), text


def test_more_cookies_than_can_be_written_in_all_orders_are_refused():
    with pytest.raises(InputError):
        of_cookies(*[cookie(f"c{place}", "1") for place in range(MOST_COOKIES + 1)])


@pytest.mark.parametrize("bad", ["(", "(?=a)b", "(?!a)b", "(?<=a)b", "a++", "a{2}+", r"(a)\1"])
def test_what_gateways_do_not_have_is_refused_with_the_expression(bad):
    with pytest.raises(InputError) as raised:
        of_header(HeaderMatch("h", bad, REGEX))
    assert raised.value.facts["expression"] == bad
    assert "RE2" in raised.value.hint


@pytest.mark.parametrize("bad", ["[^a]", r"\S+", r"\W", "(?s)a", "a;b"])
def test_an_expression_that_reaches_into_the_next_cookie_is_refused(bad):
    with pytest.raises(InputError, match="next cookie"):
        of_cookies(cookie("v", bad, REGEX))
    assert of_header(HeaderMatch("h", "[^a]", REGEX)) == "^(?:[^a])$"
