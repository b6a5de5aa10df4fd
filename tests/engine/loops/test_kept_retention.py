"""The hub forgets what steps have kept, and never what a build under way needs."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.forgetting import Entry, Forgotten, InUse, Kind, Limits
from crossfade.core.pipeline.state import BUILD, Phase, Result, State, UnitState
from crossfade.engine.loops.kept_retention import KeptRetention
from crossfade.engine.pipelines.forgetting import Forgetting, in_use
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.ports.documents import Event
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_store import FakeStore

EVENT = Event("build/1", 0.0, "asked for", {})
PHASES = {Result.RUNNING: Phase.BODY}


class Files:
    """Notes what it is asked to forget."""

    def __init__(self, error=None):
        self.asked, self.error = [], error

    async def forget(self, limits, in_use, now, *, dry_run=False):
        self.asked.append((limits, in_use, now, dry_run))
        if self.error:
            raise self.error
        return (Forgotten(Entry(Kind.CACHE, "c", 0.0), "old", 5),)


class Folders:
    """Workspaces of 10 bytes each; some are held."""

    def __init__(self, *held):
        self.sizes, self.held, self.before = {}, held, None

    async def size(self, build):
        return self.sizes.get(build, 10)

    async def forget(self, build):
        if self.before:
            await self.before(build)
        if build in self.held:
            return False
        self.sizes[build] = 0
        return True


@pytest.fixture
async def builds():
    found = Builds(FakeStore())
    for number, pipeline, at, result in (
        ("1", "a", 10.0, Result.SUCCESS),
        ("2", "a", 20.0, Result.RUNNING),
        ("3", "a", 30.0, Result.FAILURE),
        ("5", "a", 50.0, Result.FAILURE),
        ("4", "b", 40.0, Result.PENDING),
    ):
        whole = UnitState(PHASES.get(result, Phase.DONE), result, at, ended=at)
        state = State(units={} if result is Result.PENDING else {BUILD: whole})
        await found.create(Build(number, pipeline, "", at), state, EVENT)
    return found


async def test_builds_that_have_not_ended_are_in_use_with_all_that_came_since(builds):
    assert await in_use(builds) == InUse(frozenset("24"), 20.0, frozenset("45"))


async def test_the_hub_forgets_by_its_limits(builds):
    files, clock = Files(), FakeClock(1000.0)
    loop = KeptRetention(Forgetting(builds, files, Folders(), clock), Limits(5.0, 6))

    assert await loop.keys() == ["kept-files"]
    assert await loop.reconcile("kept-files") > 60

    assert files.asked == [(Limits(5.0, 6), await in_use(builds), clock.now(), False)]


async def test_a_damaged_list_does_not_stop_the_hub(builds, caplog):
    files = Files(InputError("a list cannot be read", hint="mend it"))

    forgetting = Forgetting(builds, files, Folders(), FakeClock())

    assert await KeptRetention(forgetting, Limits()).reconcile("") > 60
    assert "kept-files-unreadable" in caplog.text


NOTHING = Limits(1e9, 0)


def gone(told):
    return [each.entry.build for each in told if each.entry.kind is Kind.WORKSPACE]


async def test_workspaces_of_ended_builds_go_but_that_of_the_newest(builds):
    folders = Folders()
    forgetting = Forgetting(builds, Files(), folders, FakeClock(1000.0))

    assert gone(await forgetting.forget(NOTHING, dry_run=True)) == ["1", "3"]
    assert (folders.sizes, (await builds.build("1")).value.forgotten_at) == ({}, 0.0)
    assert gone(await forgetting.forget(NOTHING)) == ["1", "3"]

    assert folders.sizes == {"1": 0, "3": 0}
    assert (await builds.build("1")).value.forgotten_at == 1000.0
    assert gone(await forgetting.forget(NOTHING)) == []


async def test_it_is_written_down_that_a_workspace_goes_before_it_does(builds):
    folders, seen = Folders(), []

    async def look(build):
        seen.append((await builds.build(build)).value.forgotten_at)

    folders.before = look
    await Forgetting(builds, Files(), folders, FakeClock(1000.0)).forget(NOTHING)

    assert seen == [1000.0, 1000.0]


async def test_a_workspace_whose_removal_was_cut_off_goes_with_the_next_look(builds):
    held = Folders("1")
    await Forgetting(builds, Files(), held, FakeClock(1000.0)).forget(NOTHING)
    assert held.sizes == {"3": 0}

    after = Folders()
    await Forgetting(builds, Files(), after, FakeClock(2000.0)).forget(Limits())

    assert after.sizes["1"] == 0


async def test_a_build_that_is_restarted_meanwhile_keeps_its_workspace(builds):
    folders = Folders()
    forgetting = Forgetting(builds, Files(), folders, FakeClock(1000.0))
    build = await builds.build("1")
    stored = await builds.state("1")

    async def restarted(_kind):
        if (await builds.build("1")).value.generation == 0:
            await builds.restart(build, stored, State(), EVENT)
        return 10

    folders.size = restarted
    told = await forgetting.forget(NOTHING)

    assert "1" not in gone(told)
    assert (await builds.build("1")).value.forgotten_at == 0.0


async def test_of_a_restart_and_a_removal_at_the_same_moment_one_is_refused(builds):
    class Raced(Builds):
        async def forget_workspace(self, build, at, event):
            if build.value.id == "1":
                await self.restart(build, await self.state("1"), State(), EVENT)
            await super().forget_workspace(build, at, event)

    folders = Folders()
    raced = Raced(builds._documents)
    told = await Forgetting(raced, Files(), folders, FakeClock(1000.0)).forget(NOTHING)

    assert gone(told) == ["3"]
    assert "1" not in folders.sizes, "the restart works in it"
