"""Ingresses for NGINX: what is written, in which order, and when users are believed to follow."""

from dataclasses import replace

import pytest

from crossfade.adapters.routers.nginx import NginxRouter
from crossfade.base.errors import Conflict, InputError, NotFound, Unavailable
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, MatchKind, Mirror, Sticky
from crossfade.ports.router import RouteBackend, WantedRoute

INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
NOTE = "nginx.ingress.kubernetes.io/"


def backends(**percents):
    return tuple(RouteBackend(name, f"colors-{name}", each) for name, each in percents.items())


def wanted(epoch=7, headers=(), **percents):
    return WantedRoute("colors", "default", "colors.test", "infra/nginx", 80, epoch,
                       backends(**percents), headers)  # fmt: skip


def beta(*matches, revision="r2"):
    return HeaderRoute("beta", matches or (HeaderMatch("x-beta", "yes"),), revision)


@pytest.fixture
def router(api):
    return NginxRouter(api, settle_seconds=0.3)


@pytest.fixture
def held(api):
    async def look(name):
        found = await api.find(f"{INGRESSES}/{name}")
        if found is None:
            return None
        path = found["spec"]["rules"][0]["http"]["paths"][0]
        notes = found["metadata"]["annotations"]
        return path["backend"]["service"]["name"], {
            name.removeprefix(NOTE): value for name, value in notes.items() if NOTE in name
        }

    return look


async def test_a_share_is_a_canary_beside_the_main_ingress(router, held):
    await router.write(wanted(r1=90, r2=10))
    assert await held("colors") == ("colors-r1", {})
    weight = {"canary": "true", "canary-weight": "10", "canary-weight-total": "100"}
    assert await held("colors-canary") == ("colors-r2", weight)


async def test_fractions_of_a_percent_are_counted_in_hundredths(router, held):
    await router.write(wanted(r1=99.75, r2=0.25))
    _, notes = await held("colors-canary")
    assert (notes["canary-weight"], notes["canary-weight-total"]) == ("25", "10000")
    assert dict((await router.read("colors", "default")).percents) == {"r1": 99.75, "r2": 0.25}


async def test_the_main_revision_stays_the_same_until_it_has_no_users(router, held):
    """Swapping the two in the middle would send everybody to the new one for a moment."""
    await router.write(wanted(r1=90, r2=10))
    await router.write(wanted(8, r1=40, r2=60))
    assert (await held("colors"))[0] == "colors-r1"
    assert (await held("colors-canary"))[1]["canary-weight"] == "60"
    await router.write(wanted(9, r2=100))
    assert (await held("colors"))[0] == "colors-r2"
    assert await held("colors-canary") is None


@pytest.mark.parametrize(
    ("match", "notes"),
    [
        (HeaderMatch("x-beta", "yes"),
         {"canary-by-header": "x-beta", "canary-by-header-value": "yes"}),
        (HeaderMatch("x-beta", "y", MatchKind.PREFIX),
         {"canary-by-header": "x-beta", "canary-by-header-pattern": "^y.*$"}),
        (HeaderMatch("beta", "always", cookie=True), {"canary-by-cookie": "beta"}),
    ],
)  # fmt: skip
async def test_a_header_or_cookie_leads_to_the_canary_without_a_share(router, held, match, notes):
    await router.write(wanted(7, (beta(match),), r1=100, r2=0))
    service, found = await held("colors-canary")
    assert service == "colors-r2"
    assert notes.items() <= found.items()
    assert found["canary-weight"] == "0"
    status = await router.read("colors", "default")
    assert dict(status.percents) == {"r1": 100, "r2": 0}
    assert status.reached == {"r1", "r2"}


@pytest.mark.parametrize(
    "route",
    [
        replace(wanted(r1=90, r2=10), sticky=Sticky("v", 60)),
        replace(wanted(r1=90, r2=10), mirror=Mirror("r2")),
        wanted(r1=50, r2=30, r3=20),
        wanted(7, (beta(revision="r1"),), r1=90, r2=10),
        wanted(7, (beta(), beta(HeaderMatch("other", "1"))), r1=90, r2=10),
        wanted(7, (beta(HeaderMatch("a", "1"), HeaderMatch("b", "1")),), r1=90, r2=10),
        wanted(7, (beta(HeaderMatch("v", "r2", cookie=True)),), r1=90, r2=10),
    ],
)
async def test_what_nginx_cannot_do_is_refused_and_nothing_is_written(router, held, route):
    with pytest.raises(InputError) as raised:
        await router.write(route)
    assert raised.value.hint
    assert await held("colors") is None


async def take_up(api):
    """Do what the controller does once it has seen the Ingress."""
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}
    await api.merge(f"{INGRESSES}/colors/status", status)


async def test_it_is_in_force_when_the_controller_has_had_time_to_follow(api, router, until):
    await router.write(wanted(r1=90, r2=10))
    status = await router.read("colors", "default")
    assert (status.epoch, status.in_force) == (7, False)
    assert "no controller" in status.trouble
    await take_up(api)
    assert "more to follow" in (await router.read("colors", "default")).trouble

    async def in_force():
        return (await router.read("colors", "default")).in_force

    await until(in_force)
    await router.write(wanted(8, r1=80, r2=20))
    assert not await in_force(), "the time begins anew with each change"
    await until(in_force)


async def test_half_a_change_is_not_in_force_and_is_finished(api, router, held):
    await router.write(wanted(r1=90, r2=10))
    await api.delete(f"{INGRESSES}/colors-canary")
    status = await router.read("colors", "default")
    assert (status.epoch, status.in_force) == (0, False)
    await router.write(wanted(r1=90, r2=10))
    assert await held("colors-canary") is not None
    assert (await router.read("colors", "default")).epoch == 7


async def test_writing_the_same_route_again_changes_nothing(api, router):
    await router.write(wanted(r1=90, r2=10))
    before = [each["metadata"]["resourceVersion"] for each in (await api.list(INGRESSES))[0]]
    await router.write(wanted(r1=90, r2=10))
    assert [e["metadata"]["resourceVersion"] for e in (await api.list(INGRESSES))[0]] == before


async def test_neither_newer_routes_nor_ingresses_of_others_are_written_over(api, router):
    await router.write(wanted(9, r1=100))
    with pytest.raises(Conflict, match="newer route"):
        await router.write(wanted(8, r1=100))
    await router.remove("colors", "default")
    await router.remove("colors", "default")
    assert (await router.read("colors", "default")).epoch == 0
    spec = {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}}
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "colors"}, "spec": spec}  # fmt: skip
    await api.create(INGRESSES, body)
    with pytest.raises(Conflict, match="not made by Crossfade"):
        await router.write(wanted(10, r1=100))


async def test_the_address_is_that_of_the_controllers_service(api, router, sandbox_cloud):
    with pytest.raises(NotFound):
        await router.endpoint("infra/nginx")
    ports = [{"name": "http", "port": 80}]
    spec = {"type": "LoadBalancer", "selector": {"app": "nginx"}, "ports": ports}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nginx"}, "spec": spec}
    await api.create("/api/v1/namespaces/infra/services", body)
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}
    await api.merge("/api/v1/namespaces/infra/services/nginx/status", status)
    assert (await router.endpoint("infra/nginx")).host == "10.0.0.1"
    sandbox_cloud.gate.set(0, api_partition=True)
    with pytest.raises(Unavailable):
        await router.read("colors", "default")
