"""HTTPRoutes that are written: rules in the order in which gateways must try them."""

from dataclasses import replace

import pytest

from crossfade.adapters.routers.http_route import MOST_RULES, render
from crossfade.base.errors import InputError
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, MatchKind, Mirror, Sticky
from crossfade.ports.router import RouteBackend, WantedRoute

BACKENDS = (RouteBackend("r1", "colors-r1", 90), RouteBackend("r2", "colors-r2", 10))
WANTED = WantedRoute("colors", "default", "colors.test", "infra/public", 80, 7, BACKENDS)
BETA = HeaderRoute("beta", (HeaderMatch("x-beta", "yes"),), "r2")


def rules(**changes):
    return render(replace(WANTED, **changes))["spec"]["rules"]


def leads_to(rule):
    return [(each["name"], each["weight"]) for each in rule["backendRefs"]]


def headers(rule, place=0):
    return rule["matches"][place]["headers"]


def test_people_who_read_the_route_see_revisions_and_percentages():
    body = render(WANTED)
    assert body["metadata"]["name"] == "colors"
    assert body["metadata"]["annotations"]["crossfade.dev/epoch"] == "7"
    assert body["spec"]["hostnames"] == ["colors.test"]
    assert body["spec"]["parentRefs"] == [{"namespace": "infra", "name": "public"}]
    assert body["spec"]["rules"][-1]["backendRefs"] == [
        {"name": "colors-r1", "port": 80, "weight": 90},
        {"name": "colors-r2", "port": 80, "weight": 10},
    ]


def test_probes_of_edges_reach_the_proven_revision_alone_and_first():
    first = rules(headers=(BETA,), sticky=Sticky("v", 60), mirror=Mirror("r2"))[0]
    assert headers(first)[0]["name"] == "x-crossfade-probe"
    assert leads_to(first) == [("colors-r1", 100)]
    assert "filters" not in first


def test_header_routes_stand_before_the_shares_in_their_order():
    later = HeaderRoute("old", (HeaderMatch("x-old", "v", MatchKind.PREFIX),), "r1")
    _, beta, old, shares = rules(headers=(BETA, later))
    assert headers(beta) == [{"type": "Exact", "name": "x-beta", "value": "yes"}]
    assert leads_to(beta) == [("colors-r2", 100)]
    assert headers(old) == [{"type": "RegularExpression", "name": "x-old", "value": "^v.*$"}]
    assert leads_to(shares) == [("colors-r1", 90), ("colors-r2", 10)]


def test_an_earlier_route_with_fewer_headers_also_takes_what_meets_both():
    longer = HeaderRoute("long", (HeaderMatch("a", "1"), HeaderMatch("b", "1")), "r1")
    _, beta, _, _ = rules(headers=(BETA, longer))
    assert [each["name"] for each in headers(beta, 1)] == ["x-beta", "a", "b"]


def test_cookies_are_looked_for_in_the_one_header_that_has_them():
    route = HeaderRoute("c", (HeaderMatch("a", "1", cookie=True), HeaderMatch("x", "1"),
                              HeaderMatch("b", "2", cookie=True)), "r2")  # fmt: skip
    found = headers(rules(headers=(route,))[1])
    assert [(each["name"], each["type"]) for each in found] == [
        ("x", "Exact"), ("Cookie", "RegularExpression"),
    ]  # fmt: skip


def test_known_users_go_back_to_their_revision_and_new_ones_are_told_which_it_is():
    _, one, two, shares = rules(sticky=Sticky("v", 3600))
    assert (leads_to(one), leads_to(two)) == ([("colors-r1", 100)], [("colors-r2", 100)])
    assert "v=r1" in headers(one)[0]["value"]
    told = [each["filters"][0]["responseHeaderModifier"]["add"] for each in shares["backendRefs"]]
    assert told == [
        [{"name": "Set-Cookie", "value": f"v={each}; Max-Age=3600; Path=/; HttpOnly"}]
        for each in ("r1", "r2")
    ]


def test_users_of_a_revision_without_a_share_are_split_anew():
    backends = (
        RouteBackend("r1", "a", 60),
        RouteBackend("r2", "b", 40),
        RouteBackend("r3", "c", 0),
    )
    found = rules(backends=backends, sticky=Sticky("v", 60))
    assert "v=r3" not in str(found)
    assert leads_to(found[-1]) == [("a", 60), ("b", 40), ("c", 0)]


def test_nobody_is_marked_while_all_users_are_on_one_revision():
    backends = (RouteBackend("r1", "a", 100), RouteBackend("r2", "b", 0))
    assert "Set-Cookie" not in str(rules(backends=backends, sticky=Sticky("v", 60)))


def test_copies_are_made_of_what_the_shares_split_known_users_included():
    found = rules(mirror=Mirror("r2", 25), headers=(BETA,), sticky=Sticky("v", 60))
    mirror = {"backendRef": {"name": "colors-r2", "port": 80}, "percent": 25}
    copied = [each.get("filters") for each in found]
    wanted = [{"type": "RequestMirror", "requestMirror": mirror}]
    assert copied == [None, None, wanted, wanted, wanted]


def test_a_mirror_of_everything_needs_no_field_that_older_clusters_do_not_have():
    (one,) = rules(mirror=Mirror("r2"))[-1]["filters"]
    assert one["requestMirror"] == {"backendRef": {"name": "colors-r2", "port": 80}}
    assert "filters" not in rules(mirror=Mirror("r2", 0))[-1]


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (HeaderRoute("none", (), "r2"),)},
        {"headers": (HeaderRoute("gone", (HeaderMatch("a", "1"),), "r9"),)},
        {"mirror": Mirror("r9")},
        {"headers": (HeaderRoute("two", (HeaderMatch("cookie", "a"),
                                         HeaderMatch("a", "1", cookie=True)), "r2"),)},
        {"headers": (HeaderRoute("bad", (HeaderMatch("a", "(", MatchKind.REGEX),), "r2"), BETA)},
        {"headers": tuple(replace(BETA, name=f"b{n}") for n in range(MOST_RULES))},
    ],
)  # fmt: skip
def test_what_no_route_can_say_is_refused_before_anything_is_written(changes):
    with pytest.raises(InputError) as raised:
        rules(**changes)
    assert raised.value.hint
