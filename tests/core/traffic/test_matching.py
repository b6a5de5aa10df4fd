"""Header routes: who is taken by which, and that order decides also where routers go by length."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.errors import InputError
from crossfade.core.traffic.matching import MOST_UNORDERED, alternatives, chosen, cookies, width
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, MatchKind


def header(name, value, kind=MatchKind.EXACT):
    return HeaderMatch(name, value, kind)


def cookie(name, value, kind=MatchKind.EXACT):
    return HeaderMatch(name, value, kind, cookie=True)


def route(name, *matches):
    return HeaderRoute(name, matches, name)


@pytest.mark.parametrize(
    ("match", "headers", "taken"),
    [
        (header("X-Beta", "yes"), {"x-beta": "yes"}, True),
        (header("x-beta", "yes"), {"X-Beta": "YES"}, False),
        (header("x-beta", "yes"), {}, False),
        (header("agent", "Fire", MatchKind.PREFIX), {"agent": "Firefox"}, True),
        (header("agent", "fox", MatchKind.PREFIX), {"agent": "Firefox"}, False),
        (header("agent", "Fire.*", MatchKind.REGEX), {"agent": "Firefox"}, True),
        (header("agent", "Fire", MatchKind.REGEX), {"agent": "Firefox"}, False),
        (cookie("user", "me"), {"Cookie": "a=1; user=me;b=2"}, True),
        (cookie("user", "me"), {"cookie": "user=meme"}, False),
        (cookie("user", "me"), {"cookie": "theuser=me"}, False),
        (cookie("user", "me"), {"cookie": "a=user=me"}, False),
        (cookie("user", "m", MatchKind.PREFIX), {"cookie": "user=me"}, True),
    ],
)
def test_a_request_is_taken_by_its_header_or_cookie_and_by_nothing_that_looks_like_it(
    match, headers, taken
):
    assert (chosen((route("r1", match),), headers) is not None) is taken


def test_a_route_takes_only_what_meets_all_its_conditions():
    both = route("r1", header("a", "1"), cookie("b", "2"))
    assert chosen((both,), {"a": "1", "cookie": "b=2"}) is both
    assert chosen((both,), {"a": "1"}) is None


def test_a_route_without_conditions_takes_nobody():
    assert chosen((route("r1"),), {"a": "1"}) is None


def test_a_cookie_without_a_value_is_none_and_of_equal_ones_the_first_counts():
    assert cookies("a; b=1; b=2; c=") == {"b": "1", "c": ""}


def test_all_cookies_are_in_one_header():
    assert width((header("a", "1"), cookie("b", "1"), cookie("c", "1"))) == 2


def by_length(routes, headers):
    """Choose as the Gateway API does: most headers first, then the order of the rules."""
    lists = [
        (-width(matches), place, each)
        for place, (each, found) in enumerate(zip(routes, alternatives(routes), strict=True))
        for matches in found
        if chosen((HeaderRoute("", matches, ""),), headers)
    ]
    return min(lists, key=lambda each: each[:2])[2] if lists else None


conditions = st.sampled_from([header("a", "1"), header("b", "1"), header("c", "1"),
                              header("a", "12"), header("a", "1", MatchKind.PREFIX),
                              cookie("d", "1"), cookie("e", "1")])  # fmt: skip
lists = st.lists(conditions, min_size=1, max_size=3, unique_by=lambda each: each.name)


@given(st.lists(lists, min_size=1, max_size=MOST_UNORDERED))
def test_the_first_route_that_matches_decides_also_where_the_longest_one_would(found):
    routes = tuple(route(f"r{place}", *each) for place, each in enumerate(found))
    for a, b, c, jar in product((None, "1", "12"), (None, "1"), (None, "1"), ("", "d=1; e=1")):
        headers = {"a": a, "b": b, "c": c, "cookie": jar or None}
        given_ = {name: value for name, value in headers.items() if value}
        assert by_length(routes, given_) is chosen(routes, given_)


def test_routes_in_falling_length_need_no_further_rules():
    long, short = route("r1", header("a", "1"), header("b", "1")), route("r2", header("a", "1"))
    assert alternatives((long, short)) == ((long.matches,), (short.matches,))


def test_expressions_that_nobody_can_join_are_refused_and_not_guessed():
    one = route("r1", header("a", "1.*", MatchKind.REGEX))
    two = route("r2", header("a", ".*2", MatchKind.REGEX), header("b", "1"))
    with pytest.raises(InputError) as raised:
        alternatives((one, two))
    assert "most conditions first" in raised.value.hint
    assert alternatives((two, one)) == ((two.matches,), (one.matches,))


def test_more_unordered_routes_than_can_be_written_out_are_refused():
    short = [route(f"r{place}", header(f"h{place}", "1")) for place in range(MOST_UNORDERED)]
    long = route("r9", header("x", "1"), header("y", "1"))
    with pytest.raises(InputError):
        alternatives((*short, long))
