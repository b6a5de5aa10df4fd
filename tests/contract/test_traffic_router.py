"""What every implementation of the TrafficRouter port does."""

from collections import Counter

import pytest

from crossfade.base.errors import Conflict, Denied, NotFound, Unavailable
from crossfade.core.release.revision import Revision
from crossfade.core.traffic.probe import PROBE_HEADER, PROBE_VALUE
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, MatchKind, Mirror, Sticky
from crossfade.ports.router import RouteBackend, WantedRoute


def revision(name):
    values = {"version": name, "replicaCount": 1}
    return Revision(name, "colors", "default", "", "", values)


BLUE, RED = revision("r1111111"), revision("r2222222")


def wanted(epoch, headers=(), mirror=None, sticky=None, **percents):
    backends = tuple(
        RouteBackend(revision, f"colors-{revision}", percent)
        for revision, percent in percents.items()
    )
    return WantedRoute(
        "colors", "default", "colors.test", "infra/public", 80, epoch, backends,
        headers, mirror, sticky,
    )  # fmt: skip


@pytest.fixture
def router(world):
    return world.access.router


@pytest.fixture
async def services(world):
    """Both revisions are in the cluster, so that routes can lead to them."""
    there = {each.revision for each in await world.access.releases.status("colors", "default")}
    for each in (BLUE, RED):
        if each.id not in there:
            await world.access.releases.install(each, world.chart)


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
async def test_shares_with_fractions_of_a_percent_are_kept(router, in_force):
    await router.write(wanted(1, r1111111=99.75, r2222222=0.25))
    assert dict((await in_force(1)).percents) == {"r1111111": 99.75, "r2222222": 0.25}


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


@pytest.fixture
def serve(world, router, services, in_force):
    """Write a route and wait until users meet it."""

    async def served(route):
        await router.write(route)
        await in_force(route.epoch)
        await world.serving()

    return served


def header(name, value, kind=MatchKind.EXACT):
    return HeaderMatch(name, value, kind)


def cookie(name, value, kind=MatchKind.EXACT):
    return HeaderMatch(name, value, kind, cookie=True)


@pytest.mark.parametrize(
    ("match", "taken", "left"),
    [
        (header("x-beta", "yes"), {"x-beta": "yes"}, {"x-beta": "no"}),
        (header("x-beta", "a.b", MatchKind.PREFIX), {"x-beta": "a.b+"}, {"x-beta": "axb"}),
        (header("x-beta", "v[0-9]+", MatchKind.REGEX), {"x-beta": "v1"}, {"x-beta": "v1x"}),
        (cookie("beta", "a+b"), {"cookie": "x=1; beta=a+b"}, {"cookie": "xbeta=a+b; beta=aab"}),
        (cookie("beta", "v", MatchKind.PREFIX), {"cookie": "beta=v1"}, {"cookie": "beta=x; v=v"}),
        (cookie("beta", "a|b", MatchKind.REGEX), {"cookie": "beta=b"}, {"cookie": "beta=ab"}),
    ],
)
async def test_a_header_or_cookie_decides_whatever_the_shares_are(world, serve, match, taken, left):
    beta = HeaderRoute("beta", (match,), RED.id)
    await serve(wanted(1, (beta,), r1111111=100, r2222222=0))
    assert {(await world.visit(**taken)).revision for _ in range(10)} == {RED.id}
    assert {(await world.visit(**left)).revision for _ in range(10)} == {BLUE.id}


async def test_the_first_header_route_that_matches_decides_not_the_longest(world, serve):
    short = HeaderRoute("short", (header("a", "1"),), RED.id)
    long = HeaderRoute("long", (header("a", "1"), header("b", "1")), BLUE.id)
    await serve(wanted(1, (short, long), r1111111=100, r2222222=0))
    assert {(await world.visit(a="1", b="1")).revision for _ in range(10)} == {RED.id}


async def test_probes_of_edges_reach_the_proven_revision_alone(world, serve):
    await serve(wanted(1, r1111111=60, r2222222=40))
    probe = {PROBE_HEADER: PROBE_VALUE}
    assert {(await world.visit(**probe)).revision for _ in range(30)} == {BLUE.id}


async def test_users_keep_the_revision_that_they_met_first_while_it_has_a_share(world, serve):
    sticky = Sticky("seen", 600)
    await serve(wanted(1, sticky=sticky, r1111111=50, r2222222=50))
    visits = [await world.visit() for _ in range(40)]
    assert {each.revision for each in visits} == {BLUE.id, RED.id}
    assert all(each.cookie == f"seen={each.revision}" for each in visits)
    for known in (BLUE, RED):
        again = [await world.visit(f"a=1; seen={known.id}") for _ in range(20)]
        assert {(each.revision, each.cookie) for each in again} == {(known.id, "")}


async def test_users_of_a_revision_that_has_lost_its_share_are_split_anew(world, serve):
    sticky = Sticky("seen", 600)
    await serve(wanted(1, sticky=sticky, r1111111=50, r2222222=50))
    await serve(wanted(2, sticky=sticky, r1111111=100, r2222222=0))
    assert {(await world.visit(f"seen={RED.id}")).revision for _ in range(10)} == {BLUE.id}


@pytest.fixture
async def counted(world):
    """Begin to count; that returns what says how many requests each revision has got since."""
    counts = world.counts(BLUE, RED)
    before = Counter()

    async def read():
        return Counter({each.revision: each.requests for each in await counts.read("colors")})

    async def since():
        return await read() - before

    async def begin():
        before.update(await read())
        return since

    return begin


async def test_copies_reach_the_mirror_and_users_only_the_others(world, serve, counted, until):
    await serve(wanted(1, mirror=Mirror(RED.id), r1111111=100, r2222222=0))
    since = await counted()
    assert {(await world.visit()).revision for _ in range(20)} == {BLUE.id}

    async def copied():
        return await since() == {BLUE.id: 20, RED.id: 20}

    await until(copied)


async def test_a_part_of_the_requests_is_copied(world, serve, counted):
    await serve(wanted(1, mirror=Mirror(RED.id, 25), r1111111=100, r2222222=0))
    since = await counted()
    for _ in range(200):
        await world.visit()
    assert 20 <= (await since())[RED.id] <= 85


@pytest.mark.usefixtures("services")
async def test_it_is_told_which_revisions_are_reached_also_with_0_percent(router, in_force):
    beta = HeaderRoute("beta", (header("x-beta", "yes"),), RED.id)
    await router.write(wanted(1, r1111111=100, r2222222=0))
    assert (await in_force(1)).reached == {BLUE.id}
    await router.write(wanted(2, (beta,), r1111111=100, r2222222=0))
    assert (await in_force(2)).reached == {BLUE.id, RED.id}
    await router.write(wanted(3, mirror=Mirror(RED.id), r1111111=100, r2222222=0))
    assert (await in_force(3)).reached == {BLUE.id, RED.id}


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
