"""Which routes hang on which listeners."""

import pytest

from crossfade.sandbox.gateway.attachment import attachments
from crossfade.sandbox.gateway.world import World


def gateway(*listeners: dict) -> dict:
    return {
        "metadata": {"namespace": "infra", "name": "public"},
        "spec": {"gatewayClassName": "sandbox", "listeners": list(listeners)},
    }


def listener(name: str = "http", namespaces: dict | None = None, **more) -> dict:
    allowed = {"namespaces": namespaces or {"from": "All"}}
    return {"name": name, "port": 80, "protocol": "HTTP", "allowedRoutes": allowed, **more}


def route(*hosts: str, **parent: object) -> dict:
    return {
        "metadata": {"namespace": "shop", "name": "r"},
        "spec": {
            "parentRefs": [{"namespace": "infra", "name": "public", **parent}],
            "hostnames": list(hosts),
        },
    }


def attach(listeners: list[dict], wanted: dict, **labels: str):
    world = World(
        80, gateways={("infra", "public"): gateway(*listeners)}, namespaces={"shop": labels}
    )
    return attachments(world, wanted)


@pytest.mark.parametrize(
    ("listener_host", "route_hosts", "served"),
    [
        (None, ("a.test",), ("a.test",)),
        (None, (), ("*",)),
        ("a.test", (), ("a.test",)),
        ("*.test", ("a.test", "b.other"), ("a.test",)),
        ("a.test", ("*.test",), ("a.test",)),
        ("*.test", ("*.test",), ("*.test",)),
        ("*.a.test", ("*.test",), ("*.a.test",)),
    ],
)
def test_only_host_names_of_both_listener_and_route_are_served(listener_host, route_hosts, served):
    more = {"hostname": listener_host} if listener_host else {}
    (found,) = attach([listener(**more)], route(*route_hosts))
    assert found.accepted.true
    assert found.hosts == served


def test_a_route_without_a_common_host_name_is_not_accepted():
    (found,) = attach([listener(hostname="a.test")], route("b.test"))
    assert (found.accepted.true, found.accepted.reason) == (False, "NoMatchingListenerHostname")


@pytest.mark.parametrize(
    ("namespaces", "labels", "accepted"),
    [
        ({"from": "All"}, {}, True),
        ({"from": "Same"}, {}, False),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}, {"team": "a"}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}, {"team": "b"}, False),
        ({"from": "None"}, {}, False),
    ],
)
def test_a_listener_decides_which_namespaces_may_use_it(namespaces, labels, accepted):
    (found,) = attach([listener(namespaces=namespaces)], route("a.test"), **labels)
    assert found.accepted.true is accepted
    if not accepted:
        assert found.accepted.reason == "NotAllowedByListeners"


def test_a_listener_that_is_not_there_is_told():
    (found,) = attach([listener()], route("a.test", sectionName="https"))
    assert found.accepted.reason == "NoMatchingParent"


def test_a_listener_on_a_port_that_the_sandbox_does_not_serve_is_told():
    (found,) = attach([listener(port=8080)], route("a.test"))
    assert (found.accepted.true, found.accepted.reason) == (False, "NoMatchingParent")


def test_gateways_of_others_are_none_of_our_business():
    assert attach([listener()], route("a.test", name="other")) == ()
