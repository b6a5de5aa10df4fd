"""Gateways that are known by name: found, found again, and never forgotten by a bad moment."""

import pytest

from crossfade.adapters.envoy import addresses
from crossfade.adapters.envoy.addresses import AddressBook
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget


def plan(*hosts: str) -> EdgePlan:
    targets = tuple(EdgeTarget(ClusterName(host), "aws/eu", host, 80, 100) for host in hosts)
    return EdgePlan(1, (EdgeRoute(ApplicationName("colors"), "c", "/", 0.5, targets),))


class Names:
    def __init__(self) -> None:
        self.addresses = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
        self.broken = False
        self.asked = 0

    async def look_up(self, name: str) -> tuple[str, ...]:
        self.asked += 1
        if self.broken:
            raise OSError("no such name")
        return self.addresses


@pytest.fixture
def always_stale(monkeypatch):
    monkeypatch.setattr(addresses, "_FRESH_SECONDS", -1.0)


async def test_addresses_are_not_looked_up():
    names = Names()

    found = await AddressBook(names.look_up).of(plan("127.0.0.1", "::1"))

    assert found == {"127.0.0.1": ("127.0.0.1",), "::1": ("::1",)}
    assert names.asked == 0


async def test_a_name_stands_for_two_addresses_at_most_so_that_retries_leave_its_cloud():
    found = await AddressBook(Names().look_up).of(plan("lb.example.com"))

    assert found == {"lb.example.com": ("10.0.0.1", "10.0.0.2")}


async def test_a_name_is_not_looked_up_with_each_plan():
    names = Names()
    book = AddressBook(names.look_up)
    for _ in range(5):
        await book.of(plan("lb.example.com"))

    assert names.asked == 1


async def test_new_addresses_are_found(always_stale):
    names = Names()
    book = AddressBook(names.look_up)
    await book.of(plan("lb.example.com"))
    names.addresses = ("10.9.9.9",)

    assert await book.of(plan("lb.example.com")) == {"lb.example.com": ("10.9.9.9",)}


async def test_a_resolver_that_fails_takes_no_addresses_away(always_stale):
    names = Names()
    book = AddressBook(names.look_up)
    before = await book.of(plan("lb.example.com"))
    names.broken = True

    assert await book.of(plan("lb.example.com")) == before
    assert await book.of(plan("unknown.example.com")) == {"unknown.example.com": ()}


async def test_the_system_s_resolver_knows_this_machine():
    assert "127.0.0.1" in await addresses.look_up("localhost")


async def test_users_reach_a_cloud_that_is_known_by_name(world, until):
    plan_by_address = world.plan(aws=1)
    (route,) = plan_by_address.routes
    (target,) = route.targets
    by_name = EdgeTarget(target.cluster, target.cloud, "localhost", target.port, 1)
    changed = EdgeRoute(route.application, route.host, "/healthz", 0.5, (by_name,))
    await world.edges.publish(EdgePlan(plan_by_address.number, (changed,)))
    await until(world.in_force)

    assert (await world.get("/")).json()["name"] == "aws"
