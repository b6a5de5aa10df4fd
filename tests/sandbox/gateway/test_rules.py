"""Rules of HTTPRoutes, as a real Envoy obeys them."""

import pytest

from crossfade.sandbox.gateway.filters import Unsupported
from crossfade.sandbox.gateway.rules import render_rules
from crossfade.sandbox.gateway.world import World


def to(name: str, *matches: dict, filters: list | None = None, **more) -> dict:
    rule = {"backendRefs": [{"name": name, "port": 80}], **more}
    if matches:
        rule["matches"] = list(matches)
    if filters:
        rule["filters"] = filters
    return rule


def path(kind: str, value: str) -> dict:
    return {"path": {"type": kind, "value": value}}


async def serve(cloud, *rules: dict) -> None:
    for name in ("one", "two", "three"):
        await cloud.service(name, await cloud.upstream(name))
    await cloud.route({"rules": list(rules)})
    await cloud.programmed()


async def answer(cloud, url: str, **headers: str) -> str:
    status, body, _ = await cloud.get(url, **headers)
    return body.split()[0] if status == 200 else str(status)


async def test_the_most_specific_path_wins_whatever_the_order(cloud):
    await serve(
        cloud,
        to("one", path("PathPrefix", "/")),
        to("two", path("PathPrefix", "/shop")),
        to("three", path("Exact", "/shop/now")),
    )
    assert await answer(cloud, "/") == "one"
    assert await answer(cloud, "/shopping") == "one", "prefixes match whole path elements"
    assert await answer(cloud, "/shop") == "two"
    assert await answer(cloud, "/shop/later") == "two"
    assert await answer(cloud, "/shop/now") == "three"


async def test_headers_queries_methods_and_expressions_choose_the_backend(cloud):
    header = {"headers": [{"name": "x-canary", "value": "yes"}]}
    query = {"queryParams": [{"name": "v", "value": "2"}]}
    await serve(
        cloud,
        to("one"),
        to("two", header, query),
        to("three", path("RegularExpression", "/item/[0-9]+")),
        to("two", {"method": "PUT"}),
    )
    assert await answer(cloud, "/") == "one"
    assert await answer(cloud, "/", x_canary="yes") == "two"
    assert await answer(cloud, "/", x_canary="no") == "one"
    assert await answer(cloud, "/?v=2") == "two"
    assert await answer(cloud, "/item/42") == "three"
    assert await answer(cloud, "/item/x") == "one"


async def test_a_request_that_no_rule_matches_is_404(cloud):
    await serve(cloud, to("one", path("Exact", "/only")))
    assert await answer(cloud, "/other") == "404"


async def test_request_headers_are_set_added_and_removed(cloud):
    change = {
        "set": [{"name": "x-set", "value": "new"}],
        "add": [{"name": "x-add", "value": "more"}],
        "remove": ["x-secret"],
    }
    modifier = {"type": "RequestHeaderModifier", "requestHeaderModifier": change}
    await serve(cloud, to("one", filters=[modifier]))
    head = (await cloud.get("/", x_set="old", x_secret="s"))[1].lower()
    assert "x-set: new" in head
    assert "x-add: more" in head
    assert "x-secret" not in head


async def test_response_headers_are_changed_only_when_the_route_says_so(cloud):
    change = {"set": [{"name": "x-by", "value": "route"}]}
    modifier = {"type": "ResponseHeaderModifier", "responseHeaderModifier": change}
    await serve(cloud, to("one", path("PathPrefix", "/changed"), filters=[modifier]), to("two"))
    assert (await cloud.get("/changed"))[2]["x-by"] == "route"
    assert "x-by" not in (await cloud.get("/"))[2]


async def test_a_redirect_points_where_the_route_says(cloud):
    redirect = {
        "type": "RequestRedirect",
        "requestRedirect": {
            "scheme": "https",
            "hostname": "new.test",
            "statusCode": 301,
            "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"},
        },
    }
    await serve(cloud, {"matches": [path("PathPrefix", "/old")], "filters": [redirect]})
    status, _, headers = await cloud.get("/old/x?q=1")
    assert status == 301
    assert headers["location"] == "https://new.test/new/x?q=1"


@pytest.mark.parametrize(
    ("old", "new", "asked", "seen"),
    [
        ("/a", "/b", "/a/x", "/b/x"),
        ("/a", "/", "/a/x", "/x"),
        ("/a", "/", "/a", "/"),
        ("/", "/b", "/x", "/b/x"),
        ("/a/", "/b/", "/a/x?q=1", "/b/x?q=1"),
    ],
)
async def test_a_prefix_is_rewritten_with_exactly_one_slash(cloud, old, new, asked, seen):
    change = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": new}}
    rewrite = {"type": "URLRewrite", "urlRewrite": change}
    await serve(cloud, to("one", path("PathPrefix", old), filters=[rewrite]))
    assert f"GET {seen} HTTP" in (await cloud.get(asked))[1]


async def test_a_full_path_and_the_host_are_rewritten(cloud):
    change = {
        "hostname": "inside.test",
        "path": {"type": "ReplaceFullPath", "replaceFullPath": r"/one\2"},
    }
    await serve(cloud, to("one", filters=[{"type": "URLRewrite", "urlRewrite": change}]))
    head = (await cloud.get("/x/y?q=1"))[1].lower()
    assert r"get /one\2?q=1 http" in head
    assert "host: inside.test" in head


async def test_a_request_that_takes_too_long_is_504_when_the_route_sets_a_limit(cloud):
    await cloud.service("slow", await cloud.upstream("slow", delay=5))
    await cloud.route({"rules": [to("slow", timeouts={"request": "100ms"})]})
    await cloud.programmed()
    assert await answer(cloud, "/") == "504"


async def test_what_the_gateway_cannot_do_is_said_and_not_ignored(cloud, until):
    rewrite = {"type": "URLRewrite", "urlRewrite": {"hostname": "inside.test"}}
    await cloud.service("one", await cloud.upstream("one"))
    rule = to("one")
    rule["backendRefs"][0]["filters"] = [rewrite]
    await cloud.route({"rules": [rule]})

    async def refused() -> bool:
        return (await cloud.conditions()).get("Accepted") == ("False", "UnsupportedValue")

    await until(refused)
    assert (await cloud.get())[0] == 404


def mirror(name: str, **part: int | dict) -> dict:
    wanted = {"backendRef": {"name": name, "port": 80}, **part}
    return {"type": "RequestMirror", "requestMirror": wanted}


async def test_copies_reach_the_other_service_and_their_answers_nobody(cloud, until):
    await serve(cloud, to("one", filters=[mirror("two")]))
    for _ in range(10):
        assert await answer(cloud, "/x", x_user="me") == "one"

    async def copied() -> bool:
        return len(cloud.heads["two"]) == 10

    await until(copied)
    copy = cloud.heads["two"][0].lower()
    assert copy.startswith("get /x ")
    assert "host: colors.test\r" in copy, "a copy looks like the request itself"
    assert "x-user: me" in copy


@pytest.mark.parametrize(
    "part", [{"percent": 20}, {"fraction": {"numerator": 1, "denominator": 5}}]
)
async def test_a_part_of_the_requests_is_copied(cloud, part):
    await serve(cloud, to("one", filters=[mirror("two", **part)]))
    for _ in range(300):
        await answer(cloud, "/")
    assert 30 <= len(cloud.heads["two"]) <= 95


async def test_copies_to_a_service_that_is_not_there_are_said_and_hurt_nobody(cloud):
    await serve(cloud, to("one", filters=[mirror("ghost")]))
    assert await answer(cloud, "/") == "one"
    assert (await cloud.conditions())["ResolvedRefs"] == ("False", "BackendNotFound")


async def test_a_backend_of_several_can_change_the_answers_of_its_own_share(cloud):
    await cloud.service("one", await cloud.upstream("one"))
    await cloud.service("two", await cloud.upstream("two"))
    cookie = {"add": [{"name": "set-cookie", "value": "v=two; Path=/"}]}
    change = {"type": "ResponseHeaderModifier", "responseHeaderModifier": cookie}
    refs = [{"name": "one", "port": 80}, {"name": "two", "port": 80, "filters": [change]}]
    await cloud.route({"rules": [{"backendRefs": refs}]})
    await cloud.programmed()
    seen = set()
    for _ in range(40):
        _, body, headers = await cloud.get()
        seen.add((body.split()[0], headers.get("set-cookie", "")))
    assert seen == {("one", ""), ("two", "v=two; Path=/")}


async def test_the_rule_with_most_headers_wins_and_the_first_of_equals(cloud):
    a, b = {"name": "a", "value": "1"}, {"name": "b", "value": "1"}
    again = {"name": "A", "value": "another"}
    await serve(
        cloud, to("one", {"headers": [a, again]}), to("two", {"headers": [b]}),
        to("three", {"headers": [a, b]}),
    )  # fmt: skip
    assert await answer(cloud, "/", a="1") == "one", "of equal names the first one counts"
    assert await answer(cloud, "/", b="1") == "two"
    assert await answer(cloud, "/", a="1", b="1") == "three"


def route(rule: dict) -> dict:
    return {"metadata": {"namespace": "shop", "name": "r"}, "spec": {"rules": [rule]}}


@pytest.mark.parametrize(
    "rule",
    [
        {"filters": [{"type": "ExtensionRef"}]},
        {"matches": [path("Suffix", "/x")]},
        {"backendRefs": [{"name": "a", "port": 80}], "timeouts": {"request": "soon"}},
        {"filters": [{"type": "RequestRedirect", "requestRedirect": {"statusCode": 200}}]},
        {"filters": [mirror("a", percent=1, fraction={"numerator": 1})]},
        {"filters": [mirror("a", fraction={"numerator": 3, "denominator": 2})]},
        {"backendRefs": [{"name": "a", "port": 80, "filters": [mirror("b")]}]},
    ],
)
def test_unsupported_parts_of_a_rule_are_refused(rule):
    with pytest.raises(Unsupported):
        render_rules(World(80), route(rule))


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ({"name": "no", "port": 80}, "BackendNotFound"),
        ({"name": "web", "port": 81}, "BackendNotFound"),
        ({"name": "web"}, "BackendNotFound"),
        ({"name": "web", "port": 80, "kind": "Bucket"}, "InvalidKind"),
        ({"name": "web", "port": 80, "namespace": "other"}, "RefNotPermitted"),
        ({"name": "out", "port": 80}, "UnsupportedProtocol"),
    ],
)
def test_a_reference_that_cannot_be_used_is_named_by_its_reason(ref, reason):
    services = {
        ("shop", "web"): {"spec": {"ports": [{"port": 80}]}},
        ("other", "web"): {"spec": {"ports": [{"port": 80}]}},
        ("shop", "out"): {"spec": {"type": "ExternalName", "ports": [{"port": 80}]}},
    }
    rules = render_rules(World(80, services=services), route({"backendRefs": [ref]}))
    assert (rules.resolved.true, rules.resolved.reason) == (False, reason)
    assert rules.clusters == frozenset()
