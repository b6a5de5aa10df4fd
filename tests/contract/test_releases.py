"""What every implementation of the Releases port does."""

import pytest

from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.core.release.revision import Revision

BLUE = Revision("r1111111", "colors", "default", "", "", {"colour": "blue", "replicaCount": 1})
RED = Revision("r2222222", "colors", "default", "", "", {"colour": "red", "replicaCount": 1})


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


async def test_a_cluster_where_nothing_is_installed_shows_nothing(releases):
    assert await releases.status("colors", "default") == ()


async def test_what_is_installed_becomes_ready_with_all_its_pods(world, releases, settle):
    await releases.install(BLUE, world.chart)
    status = await settle(BLUE)
    assert status.installed
    assert status.ready_pods == status.wanted_pods > 0
    assert status.trouble == ""


async def test_it_is_installed_as_soon_as_the_call_returns(world, releases, look):
    await releases.install(BLUE, world.chart)
    assert (await look(BLUE)).installed


async def test_installing_again_after_a_crash_changes_nothing(world, releases, look, settle):
    await releases.install(BLUE, world.chart)
    before = await settle(BLUE)
    await releases.install(BLUE, world.chart)
    assert await look(BLUE) == before


async def test_a_half_done_release_is_shown_and_made_whole_by_installing_again(
    world, releases, look, settle
):
    await releases.install(BLUE, world.chart)
    await world.leave_half_done(BLUE)
    status = await look(BLUE)
    assert not status.installed
    assert not status.ready
    assert status.trouble
    await releases.install(BLUE, world.chart)
    assert (await settle(BLUE)).installed


async def test_a_half_done_release_can_be_taken_away(world, releases, settle):
    await releases.install(BLUE, world.chart)
    await world.leave_half_done(BLUE)
    await releases.uninstall(BLUE)
    await settle(BLUE, gone=True)


async def test_taking_one_revision_away_leaves_the_other_serving(world, releases, look, settle):
    await releases.install(BLUE, world.chart)
    await releases.install(RED, world.chart)
    await settle(RED)
    before = await settle(BLUE)
    await releases.uninstall(RED)
    await settle(RED, gone=True)
    assert await look(BLUE) == before


async def test_taking_away_what_is_not_there_does_nothing(world, releases, settle):
    await releases.uninstall(BLUE)
    await releases.install(BLUE, world.chart)
    await releases.uninstall(BLUE)
    await settle(BLUE, gone=True)
    await releases.uninstall(BLUE)


async def test_other_applications_are_not_shown(world, releases):
    await releases.install(BLUE, world.chart)
    assert await releases.status("shapes", "default") == ()
    assert await releases.status("colors", "elsewhere") == ()


async def test_bytes_that_are_no_chart_are_refused_and_nothing_is_left(releases):
    with pytest.raises(InputError) as raised:
        await releases.install(BLUE, b"no chart")
    assert raised.value.hint
    assert await releases.status("colors", "default") == ()


async def test_a_cluster_that_does_not_answer_is_unavailable(world, releases):
    await world.partition()
    for call in (
        releases.status("colors", "default"),
        releases.install(BLUE, world.chart),
        releases.uninstall(BLUE),
    ):
        with pytest.raises(Unavailable):
            await call


async def test_credentials_that_are_refused_are_told_apart_from_silence(world, releases):
    await world.refuse_credentials()
    for call in (
        releases.status("colors", "default"),
        releases.install(BLUE, world.chart),
        releases.uninstall(BLUE),
    ):
        with pytest.raises(Denied):
            await call
