"""The hub forgets what steps have kept, and never what a build under way needs."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.forgetting import Entry, Forgotten, InUse, Kind, Limits
from crossfade.core.pipeline.state import BUILD, Phase, Result, State, UnitState
from crossfade.engine.loops.kept_retention import KeptRetention
from crossfade.engine.pipelines.forgetting import in_use
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_store import FakeStore

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


@pytest.fixture
async def builds():
    found = Builds(FakeStore())
    for number, pipeline, at, result in (
        ("1", "a", 10.0, Result.SUCCESS),
        ("2", "a", 20.0, Result.RUNNING),
        ("3", "a", 30.0, Result.FAILURE),
        ("4", "b", 40.0, Result.PENDING),
    ):
        whole = UnitState(PHASES.get(result, Phase.DONE), result, at)
        state = State(units={} if result is Result.PENDING else {BUILD: whole})
        await found.create(Build(number, pipeline, "", at), state)
    return found


async def test_builds_that_have_not_ended_are_in_use_with_all_that_came_since(builds):
    assert await in_use(builds) == InUse(frozenset("24"), 20.0, frozenset("34"))


async def test_the_hub_forgets_by_its_limits(builds):
    files, clock = Files(), FakeClock(1000.0)
    loop = KeptRetention(builds, files, clock, Limits(5.0, 6))

    assert await loop.keys() == ["kept-files"]
    assert await loop.reconcile("kept-files") > 60

    assert files.asked == [(Limits(5.0, 6), await in_use(builds), clock.now(), False)]


async def test_a_damaged_list_does_not_stop_the_hub(builds, caplog):
    files = Files(InputError("a list cannot be read", hint="mend it"))

    assert await KeptRetention(builds, files, FakeClock(), Limits()).reconcile("") > 60
    assert "kept-files-unreadable" in caplog.text
