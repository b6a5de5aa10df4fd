"""VirtualServices: ours, and our rules in somebody else's."""

from dataclasses import replace

import pytest

from crossfade.adapters.routers.istio import IstioRouter
from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute
from crossfade.ports.router import RouteBackend, WantedRoute

BACKENDS = (RouteBackend("r1", "colors-r1", 90), RouteBackend("r2", "colors-r2", 10))
WANTED = WantedRoute("colors", "default", "colors.test", "infra/public", 80, 7, BACKENDS)
SERVICES = "/apis/networking.istio.io/v1/namespaces/default/virtualservices"
GATEWAYS = "/apis/networking.istio.io/v1/namespaces/infra/gateways"
ADMIN = {"name": "admin", "match": [{"uri": {"prefix": "/admin"}}],
         "route": [{"destination": {"host": "admin"}}]}  # fmt: skip
REST = {"route": [{"destination": {"host": "old"}}]}


def theirs(**labels):
    spec = {"hosts": ["theirs.test"], "gateways": ["infra/public"], "http": [ADMIN, REST],
            "exportTo": ["."]}  # fmt: skip
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "web", "labels": labels, "annotations": {"note": "keep"}},
            "spec": spec}  # fmt: skip


LABELS = {"crossfade.dev/application": "colors"}


async def test_rules_are_added_to_a_virtual_service_that_was_handed_over_and_nothing_else(api):
    await api.create(SERVICES, theirs(**LABELS))
    await IstioRouter(api).write(WANTED)
    held = await api.get(f"{SERVICES}/web")
    spec = held["spec"]
    assert (spec["hosts"], spec["exportTo"]) == (["theirs.test"], ["."])
    assert held["metadata"]["annotations"]["note"] == "keep"
    names = [each.get("name") for each in spec["http"]]
    assert names == ["admin", "crossfade-epoch", "crossfade-probe", "crossfade-shares", None]
    assert await api.find(f"{SERVICES}/colors") is None


async def test_changes_that_others_make_to_their_own_rules_stay_and_are_no_trouble(api):
    await api.create(SERVICES, theirs(**LABELS))
    router = IstioRouter(api)
    await router.write(WANTED)
    held = await api.get(f"{SERVICES}/web")
    more = {**ADMIN, "name": "more"}
    await api.merge(f"{SERVICES}/web", {"spec": {"http": [more, *held["spec"]["http"]]}})
    assert (await router.read("colors", "default")).epoch == 7
    await router.write(replace(WANTED, epoch=8))
    held = await api.get(f"{SERVICES}/web")
    assert [each.get("name") for each in held["spec"]["http"]][:2] == ["more", "admin"]


async def test_removing_leaves_a_virtual_service_of_others_as_it_was(api):
    await api.create(SERVICES, theirs(**LABELS))
    router = IstioRouter(api)
    await router.write(WANTED)
    await router.remove("colors", "default")
    await router.remove("colors", "default")
    held = await api.get(f"{SERVICES}/web")
    assert held["spec"] == theirs()["spec"]
    assert held["metadata"]["annotations"] == {"note": "keep"}
    assert (await router.read("colors", "default")).epoch == 0


async def test_a_virtual_service_of_somebody_else_is_not_taken_over(api):
    body = theirs()
    body["metadata"]["name"] = "colors"
    await api.create(SERVICES, body)
    with pytest.raises(Conflict) as raised:
        await IstioRouter(api).write(WANTED)
    assert "kubectl label virtualservice colors" in raised.value.hint
    await IstioRouter(api).remove("colors", "default")
    assert await api.find(f"{SERVICES}/colors") is not None


async def test_shares_that_somebody_has_changed_by_hand_are_found_out_and_written_again(api):
    router = IstioRouter(api)
    await router.write(WANTED)
    held = await api.get(f"{SERVICES}/colors")
    held["spec"]["http"][-1]["route"][1]["weight"] = 90
    await api.merge(f"{SERVICES}/colors", {"spec": {"http": held["spec"]["http"]}})
    status = await router.read("colors", "default")
    assert (status.epoch, status.in_force) == (0, False)
    await router.write(WANTED)
    assert dict((await router.read("colors", "default")).percents) == {"r1": 90, "r2": 10}


async def test_what_istio_says_against_the_route_is_passed_on(api, until):
    router = IstioRouter(api)
    await router.write(WANTED)

    async def said():
        status = await router.read("colors", "default")
        return not status.in_force and "not found: colors-r1" in status.trouble

    await until(said)


async def test_a_gateway_that_nobody_can_ask_is_no_confirmation(api):
    router = IstioRouter(api)
    await router.write(replace(WANTED, gateway="infra/private"))
    await api.merge(f"{SERVICES}/colors", {"metadata": {"annotations": {"a": "b"}}})
    status = await router.read("colors", "default")
    assert not status.in_force
    assert status.trouble


async def gateway(api, **metadata):
    server = {"port": {"number": 80, "protocol": "HTTP", "name": "http"}, "hosts": ["*"]}
    body = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": "edge", **metadata},
            "spec": {"selector": {"istio": "edge"}, "servers": [server]}}  # fmt: skip
    await api.create(GATEWAYS, body)


async def test_the_address_is_that_of_the_load_balancer_of_its_pods(api, sandbox_cloud):
    await gateway(api)
    with pytest.raises(NotFound, match="no address yet"):
        await IstioRouter(api).endpoint("infra/edge")
    ports = [{"name": "http", "port": 80}, {"name": "status", "port": 15021}]
    spec = {"type": "LoadBalancer", "selector": {"istio": "edge", "app": "x"}, "ports": ports}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge"}, "spec": spec}
    await api.create("/api/v1/namespaces/infra/services", body)
    status = {"loadBalancer": {"ingress": [{"hostname": "lb.test"}]}}
    await api.merge("/api/v1/namespaces/infra/services/edge/status", {"status": status})
    found = await IstioRouter(api).endpoint("infra/edge")
    assert (found.host, found.port, found.metrics_url) == ("lb.test", 80, None)


async def test_an_address_that_people_wrote_on_the_gateway_comes_first(api):
    notes = {"crossfade.dev/address": "[::1]:8080", "crossfade.dev/metrics-url": "http://x/"}
    await gateway(api, annotations=notes)
    found = await IstioRouter(api).endpoint("infra/edge")
    assert (found.host, found.port, found.metrics_url) == ("::1", 8080, "http://x/")


@pytest.mark.parametrize(
    "matches",
    [
        (),
        (HeaderMatch("a", "1"), HeaderMatch("A", "2")),
        (HeaderMatch("cookie", "1"), HeaderMatch("a", "2", cookie=True)),
    ],
)
async def test_a_header_route_that_cannot_be_said_is_refused(api, matches):
    with pytest.raises(InputError):
        await IstioRouter(api).write(replace(WANTED, headers=(HeaderRoute("x", matches, "r2"),)))
