"""What every implementation of the Releases port does."""

import pytest

from crossfade.base.errors import Denied, InputError, Unavailable


@pytest.fixture
def blue(world):
    return world.revision("r1111111", colour="blue")


@pytest.fixture
def red(world):
    return world.revision("r2222222", colour="red")


@pytest.fixture
def releases(world):
    return world.access.releases


@pytest.fixture
def look(releases):
    async def at(revision):
        for status in await releases.status(revision.application, revision.namespace):
            if status.revision == revision.id:
                return status
        return None

    return at


@pytest.fixture
def settle(look, until):
    async def settled(revision, gone=False):
        async def is_so():
            status = await look(revision)
            return status is None if gone else status is not None and status.ready

        await until(is_so)
        return await look(revision)

    return settled


async def test_a_cluster_where_nothing_is_installed_shows_nothing(releases, world):
    assert await releases.status("colors", world.namespace) == ()


async def test_what_is_installed_becomes_ready_with_all_its_pods(world, releases, settle, blue):
    await releases.install(blue, world.chart)
    status = await settle(blue)
    assert status.installed
    assert status.ready_pods == status.wanted_pods > 0
    assert status.trouble == ""


async def test_it_is_installed_as_soon_as_the_call_returns(world, releases, look, blue):
    await releases.install(blue, world.chart)
    assert (await look(blue)).installed


async def test_installing_again_after_a_crash_changes_nothing(world, releases, look, settle, blue):
    await releases.install(blue, world.chart)
    before = await settle(blue)
    await releases.install(blue, world.chart)
    assert await look(blue) == before


async def test_a_half_done_release_is_shown_and_made_whole_by_installing_again(
    world, releases, look, settle, blue
):
    await releases.install(blue, world.chart)
    await world.leave_half_done(blue)
    status = await look(blue)
    assert not status.installed
    assert not status.ready
    assert status.trouble
    await releases.install(blue, world.chart)
    assert (await settle(blue)).installed


async def test_a_half_done_release_can_be_taken_away(world, releases, settle, blue):
    await releases.install(blue, world.chart)
    await world.leave_half_done(blue)
    await releases.uninstall(blue)
    await settle(blue, gone=True)


async def test_taking_one_revision_away_leaves_the_other_serving(
    world, releases, look, settle, blue, red
):
    await releases.install(blue, world.chart)
    await releases.install(red, world.chart)
    await settle(red)
    before = await settle(blue)
    await releases.uninstall(red)
    await settle(red, gone=True)
    assert await look(blue) == before


async def test_taking_away_what_is_not_there_does_nothing(world, releases, settle, blue):
    await releases.uninstall(blue)
    await releases.install(blue, world.chart)
    await releases.uninstall(blue)
    await settle(blue, gone=True)
    await releases.uninstall(blue)


async def test_a_canary_starts_with_its_share_of_the_pods(world, releases, settle):
    many = world.revision("r3333333", replicaCount=3)
    await releases.install(many, world.chart, 34)
    status = await settle(many)
    assert (status.scale, status.wanted_pods, status.ready_pods) == (34, 2, 2)


async def test_pods_follow_the_scale_up_and_down_and_back_to_the_charts_own_number(
    world, releases, look, settle
):
    many = world.revision("r3333333", replicaCount=3)
    await releases.install(many, world.chart, 1)
    assert (await settle(many)).wanted_pods == 1
    for percent, pods in ((67, 3), (34, 2), (100, 3), (134, 5), (1, 1)):
        await releases.scale(many, percent)
        status = await look(many)
        assert (status.scale, status.wanted_pods) == (percent, pods)
        assert status.chart_pods == 3
        assert (await settle(many)).ready_pods == pods


async def test_scaling_twice_changes_nothing(world, releases, look, settle, blue):
    await releases.install(blue, world.chart)
    await releases.scale(blue, 50)
    before = await settle(blue)
    await releases.scale(blue, 50)
    assert await look(blue) == before


async def test_what_is_scaled_to_nothing_says_so_and_comes_back(
    world, releases, look, settle, blue
):
    await releases.install(blue, world.chart)
    await settle(blue)
    await releases.scale(blue, 0)
    status = await look(blue)
    assert (status.scale, status.wanted_pods, status.ready) == (0, 0, False)
    assert "scaled to 0" in status.trouble
    await releases.scale(blue, 100)
    status = await settle(blue)
    assert status.ready_pods == status.wanted_pods > 0


async def test_installing_again_keeps_the_scale(world, releases, look, settle):
    many = world.revision("r3333333", replicaCount=3)
    await releases.install(many, world.chart, 34)
    await releases.scale(many, 67)
    await world.leave_half_done(many)
    await releases.install(many, world.chart, 34)
    status = await settle(many)
    assert (status.scale, status.wanted_pods) == (67, 3)


async def test_scaling_one_revision_leaves_the_other_alone(
    world, releases, look, settle, blue, red
):
    await releases.install(blue, world.chart)
    await releases.install(red, world.chart)
    before = await settle(blue)
    await releases.scale(red, 0)
    assert await look(blue) == before


async def test_scaling_what_is_not_there_does_nothing(world, releases, blue):
    await releases.scale(blue, 50)
    assert await releases.status("colors", world.namespace) == ()


async def test_a_dry_run_of_what_fits_finds_nothing_and_changes_nothing(world, releases, blue):
    found = await releases.dry_run(blue, world.chart)
    assert [each for each in found if not each.warning] == []
    assert await releases.status("colors", world.namespace) == ()


async def test_a_dry_run_of_bytes_that_are_no_chart_is_refused(releases, blue):
    with pytest.raises(InputError):
        await releases.dry_run(blue, b"no chart")


async def test_other_applications_are_not_shown(world, releases, blue):
    await releases.install(blue, world.chart)
    assert await releases.status("shapes", world.namespace) == ()
    assert await releases.status("colors", "elsewhere") == ()


async def test_bytes_that_are_no_chart_are_refused_and_nothing_is_left(releases, blue, world):
    with pytest.raises(InputError) as raised:
        await releases.install(blue, b"no chart")
    assert raised.value.hint
    assert await releases.status("colors", world.namespace) == ()


async def test_a_cluster_that_does_not_answer_is_unavailable(world, releases, blue):
    await world.partition()
    for call in (
        releases.status("colors", world.namespace),
        releases.install(blue, world.chart),
        releases.scale(blue, 50),
        releases.dry_run(blue, world.chart),
        releases.uninstall(blue),
    ):
        with pytest.raises(Unavailable):
            await call


async def test_credentials_that_are_refused_are_told_apart_from_silence(world, releases, blue):
    await world.refuse_credentials()
    for call in (
        releases.status("colors", world.namespace),
        releases.install(blue, world.chart),
        releases.scale(blue, 50),
        releases.dry_run(blue, world.chart),
        releases.uninstall(blue),
    ):
        with pytest.raises(Denied):
            await call
