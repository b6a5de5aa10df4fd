"""Istio's VirtualServices at the sandbox's gateway, as scripts write them and Envoy obeys them."""

from collections import Counter

import pytest

from crossfade.sandbox.gateway.filters import Unsupported
from crossfade.sandbox.gateway.virtual_services import render_virtual_service, service_key
from crossfade.sandbox.gateway.world import World
from crossfade.sandbox.kube.kinds import DESTINATION_RULE, ENDPOINT_SLICE, POD, VIRTUAL_SERVICE


def to(host: str, weight: int | None = None, **more) -> dict:
    found = {"destination": {"host": host}, **more}
    return found if weight is None else {**found, "weight": weight}


async def write(cloud, *http: dict, hosts=("colors.test",), name="colors") -> None:
    body = {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"hosts": list(hosts), "gateways": ["public"], "http": list(http)},
    }
    await cloud.client.create(VIRTUAL_SERVICE, body)


async def status(cloud, name="colors") -> tuple[str, str]:
    """Return status and message of the newest generation, () before there is one."""
    thing = await cloud.client.get(VIRTUAL_SERVICE, "shop", name)
    found = thing.get("status") or {}
    if found.get("observedGeneration") != thing["metadata"]["generation"]:
        return ("", "")
    (one,) = found["conditions"]
    return one["status"], one["message"]


@pytest.fixture
def in_force(cloud, until):
    async def served(name="colors"):
        async def is_so() -> bool:
            return (await status(cloud, name))[0] == "True"

        await until(is_so)

    return served


@pytest.fixture
async def services(cloud):
    for name in ("blue", "red"):
        await cloud.service(name, await cloud.upstream(name))


async def answer(cloud, path="/", host="colors.test", **headers) -> str:
    code, body, _ = await cloud.get(path, host, **headers)
    return body.split()[0] if code == 200 else str(code)


@pytest.mark.usefixtures("services")
async def test_a_script_that_shifts_weights_in_increments_shifts_users(cloud, in_force):
    await write(cloud, {"route": [to("blue", 100), to("red", 0)]})
    await in_force()
    for red in (25, 50, 100):
        http = [{"route": [to("blue", 100 - red), to("red", red)]}]
        await cloud.client.patch(VIRTUAL_SERVICE, "shop", "colors", {"spec": {"http": http}})
        await in_force()
        answers = Counter([await answer(cloud) for _ in range(200)])
        assert red * 2 - 45 <= answers["red"] <= red * 2 + 45, answers
        assert sum(answers.values()) == answers["red"] + answers["blue"]


@pytest.mark.usefixtures("services")
async def test_the_first_rule_that_matches_decides(cloud, in_force):
    await write(
        cloud,
        {"match": [{"headers": {"x-beta": {"exact": "1"}}}, {"uri": {"prefix": "/red"}}],
         "route": [to("red")]},
        {"match": [{"headers": {"x-beta": {"exact": "1"}, "x-other": {}}}], "route": [to("blue")]},
        {"match": [{"headers": {"cookie": {"regex": "(.*;)? *v=red(;.*)?"}}}], "route": [to("red")]},
        {"match": [{"method": {"exact": "PUT"}}], "route": [to("red")]},
        {"match": [{"withoutHeaders": {"x-user": {}}, "uri": {"exact": "/who"}}],
         "route": [to("red")]},
        {"route": [to("blue")]},
    )  # fmt: skip
    await in_force()
    assert await answer(cloud) == "blue"
    assert await answer(cloud, x_beta="1", x_other="1") == "red"
    assert await answer(cloud, "/reddish") == "red"
    assert await answer(cloud, cookie="a=1; v=red") == "red"
    assert await answer(cloud, "/who") == "red"
    assert await answer(cloud, "/who", x_user="me") == "blue"


@pytest.mark.usefixtures("services")
async def test_copies_headers_rewrites_and_direct_answers(cloud, in_force, until):
    await write(
        cloud,
        {"match": [{"uri": {"prefix": "/ready"}}],
         "directResponse": {"status": 200, "body": {"string": "yes it is"}},
         "headers": {"response": {"set": {"x-epoch": "7"}}}},
        {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new", "redirectCode": 308}},
        {"route": [to("blue", headers={"response": {"add": {"x-by": "blue"}}})],
         "rewrite": {"uri": "/inner"}, "mirror": {"host": "red"},
         "mirrorPercentage": {"value": 100.0}, "timeout": "5s", "retries": {"attempts": 1}},
    )  # fmt: skip
    await in_force()
    _, body, headers = await cloud.get("/ready")
    assert (body, headers["x-epoch"]) == ("yes it is", "7")
    code, _, headers = await cloud.get("/old")
    assert (code, headers["location"]) == (308, "http://colors.test/new")
    _, body, headers = await cloud.get("/")
    assert "GET /inner HTTP" in body
    assert headers["x-by"] == "blue"

    async def copied() -> bool:
        return len(cloud.heads["red"]) == 1

    await until(copied)


async def test_subsets_are_the_pods_that_carry_their_labels(cloud, in_force):
    ports = [await cloud.upstream("v1"), await cloud.upstream("v2")]
    await cloud.service("web")
    for name, port in zip(("v1", "v2"), ports, strict=True):
        pod = {"metadata": {"name": name, "namespace": "shop", "labels": {"version": name}},
               "spec": {"containers": [{"name": "c", "image": "host"}]}}  # fmt: skip
        await cloud.client.create(POD, pod)
        target = {"kind": "Pod", "name": name, "namespace": "shop"}
        await cloud.client.create(ENDPOINT_SLICE, {
            "metadata": {"name": f"web-{name}", "namespace": "shop",
                         "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4", "ports": [{"name": "http", "port": port}],
            "endpoints": [{"addresses": ["127.0.0.1"], "targetRef": target}],
        })  # fmt: skip
    subsets = [
        {"name": "old", "labels": {"version": "v1"}},
        {"name": "new", "labels": {"version": "v2"}},
    ]
    rule = {"metadata": {"name": "web", "namespace": "shop"},
            "spec": {"host": "web.shop.svc.cluster.local", "subsets": subsets}}  # fmt: skip
    await cloud.client.create(DESTINATION_RULE, rule)
    beta = {"match": [{"headers": {"x-beta": {}}}],
            "route": [{"destination": {"host": "web", "subset": "new"}}]}  # fmt: skip
    rest = {"route": [{"destination": {"host": "web", "subset": "old", "port": {"number": 80}}}]}
    await write(cloud, beta, rest)
    await in_force()
    assert {await answer(cloud) for _ in range(10)} == {"v1"}
    assert {await answer(cloud, x_beta="1") for _ in range(10)} == {"v2"}


@pytest.mark.usefixtures("services")
async def test_a_short_host_is_also_served_under_its_long_names(cloud, in_force):
    await write(cloud, {"route": [to("red.shop.svc.cluster.local")]}, hosts=["blue"])
    await in_force()
    for host in ("blue", "blue.shop", "blue.shop.svc.cluster.local"):
        assert await answer(cloud, host=host) == "red"


@pytest.mark.usefixtures("services")
async def test_an_http_route_of_the_same_host_comes_first(cloud, in_force):
    await write(cloud, {"route": [to("red")]})
    await in_force()
    assert await answer(cloud) == "red"
    await cloud.route({"rules": [{"backendRefs": [{"name": "blue", "port": 80}]}]})
    await cloud.programmed()
    assert await answer(cloud) == "blue"


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    ("http", "words"),
    [
        ({"route": [to("ghost")]}, "not found: ghost"),
        ({"route": [{"destination": {"host": "blue", "subset": "v9"}}]}, "subset v9 of blue"),
        ({"route": [to("blue")], "fault": {"abort": {}}}, "no http[0].fault"),
        ({"route": [to("blue", 0), to("red", 0)]}, "without any weight"),
        ({"match": [{"uri": {"regex": "(?<no"}}], "route": [to("blue")]}, "(?<no"),
        ({"route": [to("blue")], "headers": "x"}, "malformed"),
    ],
)
async def test_what_cannot_be_served_is_said_and_others_go_on(cloud, in_force, until, http, words):
    await write(cloud, {"route": [to("blue")]}, hosts=["good.test"], name="good")
    await write(cloud, http)

    async def said() -> bool:
        found, message = await status(cloud)
        return found == "False" and words in message

    await until(said)
    await in_force("good")
    assert await answer(cloud, host="good.test") == "blue"


@pytest.mark.parametrize(
    "spec",
    [
        {"tcp": [{}]},
        {"http": [{"match": [{"uri": {}, "port": 80}]}]},
        {"http": [{"match": [{"uri": {"suffix": "x"}}], "route": [to("a", 1)]}]},
        {"http": [{"match": [{"headers": {"a": {"exact": 1}}}], "route": [to("a", 1)]}]},
        {"http": [{"redirect": {"redirectCode": 200}}]},
        {"http": [{"redirect": {"derivePort": "x"}}]},
        {"http": [{"route": [to("a", 1)], "timeout": "soon"}]},
    ],
)
def test_parts_that_the_sandbox_does_not_have_are_refused_and_not_ignored(spec):
    service = {"metadata": {"namespace": "shop", "name": "a"}, "spec": {"hosts": ["a"], **spec}}
    with pytest.raises(Unsupported):
        render_virtual_service(World(80), service)


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("web", ("shop", "web")),
        ("web.infra", ("infra", "web")),
        ("web.infra.svc", ("infra", "web")),
        ("web.infra.svc.cluster.local", ("infra", "web")),
    ],
)
def test_hosts_are_services_as_istio_reads_them(host, key):
    assert service_key(host, "shop") == key
