"""Versions that say whether an edge lacks anything."""

import dataclasses

import pytest

from crossfade.adapters.envoy.resources import CLUSTER, ENDPOINTS, ROUTES, Tuning
from crossfade.adapters.envoy.snapshot import Encoder, listener
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget

ADDRESSES = {"127.0.0.1": ("127.0.0.1",)}
COLORS = EdgeRoute(
    ApplicationName("colors"),
    "c.localhost",
    "/healthz",
    0.5,
    (
        EdgeTarget(ClusterName("aws"), "aws/eu", "127.0.0.1", 17101, 100),
        EdgeTarget(ClusterName("gcp"), "gcp/eu", "127.0.0.1", 17111, 100),
    ),
)


async def versions(*routes: EdgeRoute, number: int = 1, addresses=ADDRESSES) -> dict[str, str]:
    """Return the versions as a hub makes them that has just started."""
    encoded = await Encoder(Tuning()).encode(EdgePlan(number, routes), addresses)
    return {type_url: content.version for type_url, content in encoded.contents.items()}


def weighing(*weights: int) -> EdgeRoute:
    pairs = zip(COLORS.targets, weights, strict=True)
    targets = tuple(dataclasses.replace(target, weight=weight) for target, weight in pairs)
    return dataclasses.replace(COLORS, targets=targets)


def changed(one: dict[str, str], other: dict[str, str]) -> set[str]:
    return {type_url for type_url in one if one[type_url] != other[type_url]}


async def test_a_hub_that_restarts_makes_the_same_versions():
    assert await versions(COLORS) == await versions(COLORS, number=7)


@pytest.mark.parametrize(
    ("other", "types"),
    [
        pytest.param(weighing(1, 99), {ENDPOINTS}, id="shares"),
        pytest.param(weighing(100, 0), {ENDPOINTS}, id="no-users"),
        pytest.param(
            dataclasses.replace(COLORS, probe_path="/ready"), {CLUSTER, ENDPOINTS}, id="probe"
        ),
        pytest.param(
            dataclasses.replace(COLORS, host="d.localhost"), {CLUSTER, ENDPOINTS, ROUTES}, id="host"
        ),
    ],
)
async def test_a_change_concerns_only_what_it_must(other, types):
    """New endpoints come with every change of clusters, since Envoy waits for them."""
    assert changed(await versions(COLORS), await versions(other)) == types


async def test_new_addresses_of_a_name_are_new_endpoints():
    moved = await versions(COLORS, addresses={"127.0.0.1": ("127.0.0.2",)})

    assert changed(await versions(COLORS), moved) == {ENDPOINTS}


async def test_an_application_that_did_not_change_is_not_encoded_again():
    encoder = Encoder(Tuning())
    shapes = dataclasses.replace(COLORS, application=ApplicationName("shapes"), host="s.localhost")
    before = await encoder.encode(EdgePlan(1, (COLORS, shapes)), ADDRESSES)
    after = await encoder.encode(EdgePlan(2, (weighing(1, 2), shapes)), ADDRESSES)

    endpoints = (before.contents[ENDPOINTS].resources, after.contents[ENDPOINTS].resources)
    assert endpoints[0]["shapes"] is endpoints[1]["shapes"]
    assert endpoints[0]["colors"] is not endpoints[1]["colors"]


def test_each_edge_has_the_listener_that_it_asks_for():
    assert listener("127.0.0.1", 1).version != listener("127.0.0.1", 2).version
