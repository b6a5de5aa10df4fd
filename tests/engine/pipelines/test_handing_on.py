"""Which build has the workspace of the one before it, and that none has it twice."""

import pytest

from crossfade.adapters.runners.workspace_folders import WorkspaceFolders
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Conflict
from crossfade.core.pipeline.forgetting import Limits
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.state import BUILD, Phase, Result, State, UnitState
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.forgetting import Forgetting
from crossfade.engine.pipelines.handing_on import hand_on
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.ports.documents import Event
from crossfade.testing.fake_build import graph_from
from crossfade.testing.fake_store import FakeStore


def ended_with(result: Result) -> dict[str, UnitState]:
    return {BUILD: UnitState(Phase.DONE, result, 0.0, ended=1.0)}


class World:
    def __init__(self, folder) -> None:
        self.folder, self.builds = folder, Builds(FakeStore())
        self.workspaces = WorkspaceFolders(folder)

    async def build(
        self, number: str, *, ended: Result | None = None, pull: str = "", **more
    ) -> Build:
        build = Build(
            number, **{"pipeline": "shop/web", "text": "", "at": 0.0, "hub": True, **more}
        )
        given = {"CF_PULL_REQUEST_NUMBER": Variable("", pull, Source.TRIGGER)} if pull else {}
        state = State(ended_with(ended) if ended else {}, variables=given)
        await self.builds.create(build, state, Event(f"build/{number}", 0.0, "made", {}))
        if ended:
            self.file(number).parent.mkdir(parents=True)
            self.file(number).write_text(f"left by {number}")
        return build

    def file(self, number: str):
        return self.folder / number / "volume/node_modules"

    async def begin(self, build: Build, graph: Graph | None = None) -> str:
        graph = graph or graph_from({"steps": {}})
        return await hand_on(self.builds, self.workspaces, build, graph, 2.0)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "pipelines")


async def test_the_next_build_of_a_pipeline_has_what_the_last_one_has_left(world):
    await world.build("1", ended=Result.SUCCESS)
    await world.build("2", ended=Result.SUCCESS)
    later = await world.build("3")

    assert await world.begin(later) == "2"
    assert world.file("3").read_text() == "left by 2"
    assert not world.file("2").exists()
    assert world.file("1").exists()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"pipeline": "shop/other"}),
        ({}, {"branch": "other"}),
        ({}, {"trigger": "nightly"}),
        ({"branch": "main", "pull": "7"}, {"branch": "main"}),
        ({"branch": "main"}, {"branch": "main", "pull": "7"}),
        ({"hub": False}, {}),
        ({}, {"reset_volume": True}),
        ({"forgotten_at": 1.0}, {}),
    ],
)
async def test_a_build_of_another_kind_begins_in_an_empty_workspace(world, first, second):
    await world.build("1", ended=Result.SUCCESS, **first)
    assert await world.begin(await world.build("2", **second)) == ""
    assert world.file("1").exists()
    assert not world.file("2").exists()


@pytest.mark.parametrize("result", [Result.FAILURE, Result.TERMINATED])
async def test_a_build_that_failed_keeps_its_workspace_to_be_restarted_in(world, result):
    await world.build("1", ended=Result.SUCCESS)
    await world.build("2", ended=result)
    assert await world.begin(await world.build("3")) == ""
    assert world.file("2").exists()


async def test_a_pipeline_may_ask_for_empty_workspaces(world):
    await world.build("1", ended=Result.SUCCESS)
    spec = {"kind": "pipeline", "metadata": {"name": "a/b"}}
    graph = graph_from({**spec, "spec": {"options": {"resetVolume": True}, "steps": {}}})
    assert await world.begin(await world.build("2"), graph) == ""


async def test_of_two_builds_side_by_side_one_has_it_and_the_other_an_empty_one(world):
    await world.build("1", ended=Result.SUCCESS)
    two, three = await world.build("2"), await world.build("3")
    assert [await world.begin(two), await world.begin(three)] == ["1", ""]
    assert not world.file("3").exists()


async def test_a_hub_that_is_killed_in_between_hands_on_once_and_nothing_is_forgotten(world):
    await world.build("1", ended=Result.SUCCESS)
    two, three = await world.build("2"), await world.build("3")
    stored = await world.builds.build("1")
    await world.builds.hand_on(stored, "2", 2.0, Event("build/1", 2.0, "handed on", {}))
    files = _NoFiles()
    await Forgetting(world.builds, files, world.workspaces, SteadyClock()).forget(Limits())

    assert await world.begin(three) == ""
    assert await world.begin(two) == "1"
    assert await world.begin(two) == "1"
    assert world.file("2").read_text() == "left by 1"


async def test_a_build_without_its_workspace_is_not_begun_again(world):
    await world.build("1", ended=Result.SUCCESS)
    await world.begin(await world.build("2"))
    graph = graph_from({"steps": {}})
    with pytest.raises(Conflict, match="build 2 has the workspace of build 1 now"):
        await BuildCommands(world.builds, SteadyClock()).restart("1", graph, "")


class _NoFiles:
    async def forget(self, *_, **__):
        return ()
