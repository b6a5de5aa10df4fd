"""HTTPRoutes: what is written, and when it is believed that users are split as it says."""

from copy import deepcopy
from dataclasses import replace

import pytest

from crossfade.adapters.routers.gateway_api import GatewayApiRouter, status_of
from crossfade.adapters.routers.http_route import render
from crossfade.base.errors import Conflict, Denied, InputError, NotFound
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, Mirror
from crossfade.ports.router import RouteBackend, WantedRoute

ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes"
GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways"
BACKENDS = (RouteBackend("r1", "colors-r1", 90), RouteBackend("r2", "colors-r2", 10))
WANTED = WantedRoute("colors", "default", "colors.test", "infra/public", 80, 7, BACKENDS)


def conditions(generation=2, **statuses):
    return [
        {"type": kind, "status": status, "reason": "Why", "message": "for a reason",
         "observedGeneration": generation}
        for kind, status in statuses.items()
    ]  # fmt: skip


def parent(*conditions, name="public", namespace="infra"):
    return {"parentRef": {"name": name, "namespace": namespace}, "conditions": list(conditions)}


def route(*parents):
    body = deepcopy(render(WANTED))
    body["metadata"]["generation"] = 2
    body["status"] = {"parents": list(parents)}
    return body


GOOD = conditions(Accepted="True", ResolvedRefs="True", Programmed="True")


def test_a_route_that_the_data_plane_has_confirmed_is_in_force():
    status = status_of(route(parent(*GOOD)))
    assert status.in_force
    assert dict(status.percents) == {"r1": 90, "r2": 10}
    assert status.trouble == ""


def test_a_controller_that_sets_no_programmed_condition_is_believed():
    assert status_of(route(parent(*conditions(Accepted="True")))).in_force


@pytest.mark.parametrize(
    ("parents", "words"),
    [
        ([], "has not taken the route up"),
        ([parent(*GOOD, name="other")], "has not taken the route up"),
        ([parent(*GOOD, namespace="other")], "has not taken the route up"),
        ([parent()], "has not accepted the route yet"),
        ([parent(*conditions(Accepted="False"))], "Accepted is False: Why: for a reason"),
        ([parent(*conditions(Accepted="Unknown"))], "Accepted is Unknown"),
        ([parent(*conditions(1, Accepted="True"))], "has not seen the newest route"),
        ([parent(*conditions(Accepted="True", ResolvedRefs="False"))], "ResolvedRefs is False"),
        ([parent(*conditions(Accepted="True", Programmed="False"))], "Programmed is False"),
        ([parent(*GOOD), parent(*conditions(Accepted="False"))], "Accepted is False"),
    ],
)
def test_a_route_that_nobody_has_confirmed_gives_nobody_users(parents, words):
    status = status_of(route(*parents))
    assert not status.in_force
    assert words in status.trouble


def test_an_old_confirmation_of_one_part_does_not_count_for_the_new_route():
    old = conditions(1, Programmed="True")
    status = status_of(route(parent(*conditions(Accepted="True"), *old)))
    assert not status.in_force


def test_a_route_that_somebody_has_changed_by_hand_is_not_in_force_and_asked_for_again():
    body = route(parent(*GOOD))
    body["spec"]["rules"][-1]["backendRefs"][1]["weight"] = 90
    status = status_of(body)
    assert (status.in_force, status.epoch) == (False, 0)
    assert "somebody has changed" in status.trouble
    assert dict(status.percents) == {"r1": 50, "r2": 50}, "what users really meet"


def test_defaults_that_the_server_fills_in_are_no_change_by_hand():
    body = route(parent(*GOOD))
    body["spec"]["parentRefs"][0]["kind"] = "Gateway"
    body["spec"]["rules"][0]["backendRefs"][0]["group"] = ""
    assert status_of(body).in_force


def test_a_revision_with_0_percent_that_headers_or_copies_lead_to_is_reached_all_the_same():
    backends = (
        RouteBackend("r1", "a", 100),
        RouteBackend("r2", "b", 0),
        RouteBackend("r3", "c", 0),
    )
    beta = HeaderRoute("beta", (HeaderMatch("x-beta", "yes"),), "r2")
    wanted = replace(WANTED, backends=backends)
    assert status_of(render(wanted)).reached == {"r1"}
    assert status_of(render(replace(wanted, headers=(beta,)))).reached == {"r1", "r2"}
    assert status_of(render(replace(wanted, mirror=Mirror("r3")))).reached == {"r1", "r3"}


def test_a_route_that_is_being_deleted_is_not_in_force():
    body = route(parent(*GOOD))
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not status_of(body).in_force


@pytest.mark.parametrize("annotations", [{}, {"crossfade.dev/backends": "{"}, None])
def test_a_route_without_our_annotations_is_read_without_a_crash(annotations):
    body = route(parent(*GOOD))
    body["metadata"]["annotations"] = annotations
    status = status_of(body)
    assert (status.epoch, dict(status.percents)) == (0, {})


def test_shares_of_weights_that_do_not_sum_to_a_hundred_are_percentages():
    body = route(parent(*GOOD))
    for backend, weight in zip(body["spec"]["rules"][-1]["backendRefs"], (3, 1), strict=True):
        backend["weight"] = weight
    assert dict(status_of(body).percents) == {"r1": 75, "r2": 25}


async def test_a_route_of_somebody_else_is_not_taken_over_until_it_is_handed_over(api):
    body = render(WANTED)
    del body["metadata"]["annotations"]
    await api.create(ROUTES, body)
    with pytest.raises(Conflict) as raised:
        await GatewayApiRouter(api).write(WANTED)
    assert "crossfade.dev/epoch=0" in raised.value.hint
    body["metadata"]["annotations"] = {"crossfade.dev/epoch": "0"}
    await api.apply(f"{ROUTES}/colors", body)
    await GatewayApiRouter(api).write(WANTED)
    assert (await GatewayApiRouter(api).read("colors", "default")).epoch == 7


class Between:
    """A cluster where somebody writes between our look and our act."""

    def __init__(self, api, times, change):
        self.api, self.cluster, self.times, self.change = api, api.cluster, times, change
        self.create = api.create

    async def find(self, path):
        return await self.api.find(path)

    async def apply(self, path, body):
        if self.times:
            self.times -= 1
            await self.change(path)
        return await self.api.apply(path, body)


async def test_a_status_written_in_between_does_not_keep_the_route_from_changing(api):
    await GatewayApiRouter(api).write(WANTED)

    async def touch(path):
        metadata = {"name": "colors", "labels": {"touched": "yes"}}
        body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
        await api.apply(path, {**render(WANTED), **body, "metadata": {
            **render(WANTED)["metadata"], **metadata}})  # fmt: skip

    newer = WantedRoute("colors", "default", "colors.test", "infra/public", 80, 8, BACKENDS[:1])
    await GatewayApiRouter(Between(api, 1, touch)).write(newer)
    assert (await GatewayApiRouter(api).read("colors", "default")).epoch == 8


async def test_a_newer_route_written_in_between_is_never_written_over(api):
    await GatewayApiRouter(api).write(WANTED)

    async def overtake(path):
        newest = WantedRoute("colors", "default", "x.test", "infra/public", 80, 9, BACKENDS)
        await api.apply(path, render(newest))

    newer = WantedRoute("colors", "default", "colors.test", "infra/public", 80, 8, BACKENDS)
    with pytest.raises(Conflict) as raised:
        await GatewayApiRouter(Between(api, 1, overtake)).write(newer)
    assert "newer route" in raised.value.what
    assert (await GatewayApiRouter(api).read("colors", "default")).epoch == 9


async def test_a_gateway_without_an_address_yet_is_told_apart(api):
    spec = {
        "gatewayClassName": "other",
        "listeners": [{"name": "h", "protocol": "HTTP", "port": 80}],
    }
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": "young"}, "spec": spec}  # fmt: skip
    await api.create(GATEWAYS, body)
    with pytest.raises(NotFound) as raised:
        await GatewayApiRouter(api).endpoint("default/young")
    assert "no address yet" in raised.value.what


class Old:
    """A cluster whose HTTPRoutes do not know some field."""

    def __init__(self, api, refusal):
        self.api, self.cluster, self.refusal = api, api.cluster, refusal
        self.find = api.find

    async def create(self, path, body):
        raise self.refusal


async def test_a_cluster_that_cannot_copy_a_part_of_the_requests_says_what_would_help(api):
    half = replace(WANTED, mirror=Mirror("r2", 50))
    refusal = InputError("unknown field spec.rules[1].filters[0].requestMirror.percent", hint="-")
    with pytest.raises(InputError, match="cannot copy a part") as raised:
        await GatewayApiRouter(Old(api, refusal)).write(half)
    assert "1.3" in raised.value.hint


async def test_other_refusals_are_passed_on_as_they_are(api):
    half = replace(WANTED, mirror=Mirror("r2", 50))
    for refusal in (InputError("no such thing", hint="-"), Denied("log in", hint="-")):
        with pytest.raises(type(refusal)) as raised:
            await GatewayApiRouter(Old(api, refusal)).write(half)
        assert raised.value is refusal
