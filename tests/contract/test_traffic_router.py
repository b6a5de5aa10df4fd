"""What every implementation of the TrafficRouter port does."""

import pytest

from crossfade.base.errors import Conflict, Denied, NotFound, Unavailable
from crossfade.core.release.revision import Revision
from crossfade.ports.router import RouteBackend, WantedRoute

BLUE = Revision("r1111111", "colors", "default", "", "", {"colour": "blue", "replicaCount": 1})
RED = Revision("r2222222", "colors", "default", "", "", {"colour": "red", "replicaCount": 1})


def wanted(epoch, **percents):
    backends = tuple(
        RouteBackend(revision, f"colors-{revision}", percent)
        for revision, percent in percents.items()
    )
    return WantedRoute("colors", "default", "colors.test", "infra/public", 80, epoch, backends)


@pytest.fixture
def router(world):
    return world.access.router


@pytest.fixture
async def services(world):
    """Both revisions are in the cluster, so that routes can lead to them."""
    await world.access.releases.install(BLUE, world.chart)
    await world.access.releases.install(RED, world.chart)


@pytest.fixture
def in_force(router, until):
    async def status(epoch):
        async def is_so():
            found = await router.read("colors", "default")
            return found.in_force and found.epoch == epoch

        await until(is_so)
        return await router.read("colors", "default")

    return status


async def test_a_cluster_without_a_route_says_so(router):
    status = await router.read("colors", "default")
    assert (status.epoch, status.in_force, dict(status.percents)) == (0, False, {})


@pytest.mark.usefixtures("services")
async def test_a_route_comes_into_force_with_the_shares_that_were_asked_for(router, in_force):
    await router.write(wanted(1, r1111111=90, r2222222=10))
    status = await in_force(1)
    assert dict(status.percents) == {"r1111111": 90, "r2222222": 10}
    assert status.trouble == ""


@pytest.mark.usefixtures("services")
async def test_writing_the_same_route_again_does_no_harm(router, in_force):
    await router.write(wanted(1, r1111111=100))
    before = await in_force(1)
    await router.write(wanted(1, r1111111=100))
    assert await router.read("colors", "default") == before


@pytest.mark.usefixtures("services")
async def test_a_higher_epoch_replaces_the_route(router, in_force):
    await router.write(wanted(1, r1111111=100))
    await router.write(wanted(2, r2222222=100))
    assert dict((await in_force(2)).percents) == {"r2222222": 100}


@pytest.mark.usefixtures("services")
async def test_an_old_hub_cannot_write_over_a_newer_route(router, in_force):
    await router.write(wanted(5, r1111111=100))
    with pytest.raises(Conflict):
        await router.write(wanted(4, r2222222=100))
    assert dict((await in_force(5)).percents) == {"r1111111": 100}


@pytest.mark.usefixtures("services")
async def test_a_route_can_be_removed_twice(router):
    await router.write(wanted(1, r1111111=100))
    await router.remove("colors", "default")
    await router.remove("colors", "default")
    assert (await router.read("colors", "default")).epoch == 0


async def test_the_gateways_address_is_found(router):
    endpoint = await router.endpoint("infra/public")
    assert endpoint.host
    assert endpoint.port > 0
    assert endpoint.metrics_url.startswith("http://")


async def test_a_gateway_that_is_not_there_is_not_found(router):
    with pytest.raises(NotFound) as raised:
        await router.endpoint("infra/private")
    assert raised.value.hint


async def test_a_cluster_that_does_not_answer_is_unavailable(world, router):
    await world.partition()
    for call in (
        router.read("colors", "default"),
        router.write(wanted(1, r1111111=100)),
        router.remove("colors", "default"),
        router.endpoint("infra/public"),
    ):
        with pytest.raises(Unavailable):
            await call


async def test_credentials_that_are_refused_are_told_apart_from_silence(world, router):
    await world.refuse_credentials()
    with pytest.raises(Denied):
        await router.write(wanted(1, r1111111=100))
