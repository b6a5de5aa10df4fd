"""What people may ask of builds, and what each of them then finds in the store."""

import asyncio
from dataclasses import replace

import pytest

from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.core.pipeline.state import Answer, Phase, Status
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.engine.pipelines.commands import BuildCommands, check, filling, variables_of
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_build import FakeBuild, graph_from, step
from crossfade.testing.fake_store import FakeStore

ASK = {"type": "pending-approval"}
WANTED = Build("0", "shop/web", "the file", 0.0)
FAILED = Status.FAILED


class World:
    """Builds in a store, played to where a test wants them."""

    def __init__(self):
        self.store = FakeStore()
        self.builds, self.clock = Builds(self.store), FakeClock(1000.0)
        self.commands = BuildCommands(self.builds, self.clock)

    async def played(self, steps, *, mode="sequential", hooks=None, **ends):
        """Return the build and its graph, after as much of it has happened as can at once."""
        document = {"steps": steps, "mode": mode} | ({"hooks": hooks} if hooks else {})
        fake = FakeBuild(document, ends)
        for _ in range(10):
            fake.look()
        build = await self.commands.create(WANTED, fake.graph, {})
        await self.save(build, fake.state)
        return build, fake.graph

    async def save(self, build, state):
        stored = await self.builds.state(build.id)
        await self.builds.save_state(build, stored, state, None)

    async def wishes(self, build):
        return (await self.builds.wishes(build)).value

    async def history(self, build):
        events = await self.store.events(f"build/{build.id}")
        return [each.reason for each in events]


@pytest.fixture
def world():
    return World()


def done(state):
    """Return the steps that are not done again."""
    return {key for key, unit in state.units.items() if unit.phase is Phase.DONE}


GRAPH = graph_from({"steps": {"a": step()}})


async def test_builds_are_numbered_one_after_the_other_and_begin_at_once(world):
    first = await world.commands.create(WANTED, GRAPH, {})
    second = await world.commands.create(WANTED, GRAPH, {"A": Variable("A", "1", Source.RUN)})

    assert (first.id, second.id, second.at) == ("1", "2", 1000.0)
    state = (await world.builds.state("2")).value
    assert (state.variables["A"].value, state.variables["CF_BUILD_ID"].value) == ("1", "2")
    assert await world.history(second) == ["asked for: shop/web"]


async def test_who_asks_at_the_same_moment_gets_a_number_of_their_own(world):
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(world.commands.create(WANTED, GRAPH, {})) for _ in range(10)]

    assert sorted(int(each.result().id) for each in asked) == list(range(1, 11))


async def test_what_is_asked_for_once_is_made_once_however_often_it_is_asked_for(world):
    once = replace(WANTED, once="delivery-7")

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(world.commands.create(once, GRAPH, {})) for _ in range(5)]

    assert {each.result().id for each in asked} == {"1"}
    other = await world.commands.create(replace(WANTED, once="delivery-8"), GRAPH, {})
    assert other.id == "2"


async def test_others_that_take_every_number_are_an_error_and_no_endless_loop(world):
    class Taken(Builds):
        async def create(self, build, state, event):
            raise Conflict("taken", hint="try again")

    with pytest.raises(Conflict, match="take every number"):
        await BuildCommands(Taken(world.store), world.clock).create(WANTED, GRAPH, {})


def test_what_is_given_goes_before_what_the_file_says():
    graph = replace(GRAPH, pipeline=replace(GRAPH.pipeline, variables={"A": "file", "B": "file"}))
    given = {"A": Variable("A", "given", Source.RUN)}

    found = variables_of(graph, given, WANTED)

    assert (found["A"].value, found["B"].value) == ("given", "file")
    assert found["CF_PIPELINE_NAME"].value == "shop/web"


def test_a_secret_of_the_file_is_one_in_the_build():
    pipeline = replace(GRAPH.pipeline, variables={"A": "x", "B": "y"}, secrets=("A",))

    found = variables_of(replace(GRAPH, pipeline=pipeline), {}, WANTED)

    assert (found["A"].secret, found["B"].secret) == (True, False)


def test_what_has_no_value_stays_as_it_is_written():
    fill = filling({"A": Variable("A", "1", Source.RUN)})

    assert fill("${{A}} ${{B}}") == "1 ${{B}}"


def test_all_that_stands_against_a_pipeline_is_said_up_to_a_few():
    odd = {f"s{number}": {"image": f"my/tool{number}", "commands": ["x"]} for number in range(10)}

    with pytest.raises(InputError) as caught:
        check(graph_from({"steps": odd}), {}, lambda _: True, ())

    assert "my/tool0" in str(caught.value)
    assert "my/tool7" in str(caught.value)
    assert str(caught.value).endswith("and 2 more")
    assert "nothing was run" in caught.value.hint


def test_an_image_that_a_variable_names_is_checked_by_its_value():
    graph = graph_from({"steps": {"s": {"image": "${{IMAGE}}", "commands": ["x"]}}})
    given = {"IMAGE": Variable("IMAGE", "my/tool", Source.RUN)}

    check(graph, {}, lambda _: True, ())
    check(graph, given, lambda _: True, ("my/*",))
    with pytest.raises(InputError, match="the image my/tool is neither") as caught:
        check(graph, given, lambda _: True, ())
    assert "--host-image my/tool" in caught.value.hint


@pytest.mark.parametrize("approved", [True, False])
async def test_the_only_approval_that_waits_is_answered_without_its_name(world, approved):
    build, _ = await world.played({"release": ASK})

    assert await world.commands.answer(build.id, "", Answer(approved, "ann")) == "release"

    assert (await world.wishes(build)).answers == {"release": Answer(approved, "ann")}
    word = "approved" if approved else "denied"
    assert (await world.history(build))[-1] == f"release: {word} by ann"


async def test_of_several_approvals_one_must_be_named(world):
    build, _ = await world.played({"eu": ASK, "us": ASK}, mode="parallel")

    with pytest.raises(Conflict) as caught:
        await world.commands.answer(build.id, "", Answer(True))
    assert caught.value.hint == "say which: eu, us"
    assert (await world.wishes(build)).answers == {}

    await world.commands.answer(build.id, "us", Answer(True))
    await world.commands.answer(build.id, "eu", Answer(False))
    assert {k: v.approved for k, v in (await world.wishes(build)).answers.items()} == {
        "us": True,
        "eu": False,
    }


@pytest.mark.parametrize("name", ["release", "later", "nobody"])
async def test_nobody_approves_a_step_that_does_not_wait(world, name):
    build, _ = await world.played({"release": step(), "later": ASK}, release=FAILED)

    with pytest.raises(NotFound, match=f"no approval `{name}` waits"):
        await world.commands.answer(build.id, name, Answer(True))

    with pytest.raises(Conflict, match="0 approvals wait"):
        await world.commands.answer(build.id, "", Answer(True))
    assert (await world.wishes(build)).answers == {}


async def test_an_answer_to_an_earlier_go_counts_no_more_after_a_restart(world):
    build, graph = await world.played({"a": step(), "release": ASK}, a=FAILED)
    stored = await world.builds.wishes(build)
    old = replace(stored.value, answers={"release": Answer(True)}, terminate="enough")
    event = world.commands._event(build.id, "as it was")
    await world.builds.save_wishes(build, stored, old, event)

    again = await world.commands.restart(build.id, graph, "")

    assert again.generation == build.generation + 1
    fresh = await world.wishes(again)
    assert (fresh.answers, fresh.terminate) == ({}, "")


async def test_a_build_that_is_to_end_says_who_wants_it_and_keeps_answers(world):
    build, _ = await world.played({"release": ASK})
    await world.commands.answer(build.id, "", Answer(True))

    await world.commands.terminate(build.id, "ended by ann")

    wishes = await world.wishes(build)
    assert (wishes.terminate, list(wishes.answers)) == ("ended by ann", ["release"])
    assert (await world.history(build))[-1] == "ended by ann"


async def test_a_build_that_has_ended_cannot_be_ended_again(world):
    build, _ = await world.played({"a": step()})

    with pytest.raises(Conflict, match="build 1 has ended: success"):
        await world.commands.terminate(build.id, "too late")
    assert (await world.wishes(build)).terminate == ""


async def test_a_restart_begins_at_what_failed_and_keeps_what_did_not(world):
    build, graph = await world.played({"a": step(), "b": step(), "c": step()}, b=FAILED)

    await world.commands.restart(build.id, graph, "")

    state = (await world.builds.state(build.id)).value
    assert not state.ended
    assert done(state) == {"a"}
    assert (await world.history(build))[-1] == "restarted"


async def test_a_restart_at_a_step_does_it_and_what_came_after_it_again(world):
    build, graph = await world.played({"a": step(), "b": step(), "c": step()})

    await world.commands.restart(build.id, graph, "b")

    state = (await world.builds.state(build.id)).value
    assert done(state) == {"a"}
    assert (await world.history(build))[-1] == "restarted at b"


async def test_a_restart_inside_of_a_group_does_the_whole_group_again(world):
    group = {"type": "parallel", "steps": {"x": step(), "y": step()}}
    build, graph = await world.played({"a": step(), "both": group})

    await world.commands.restart(build.id, graph, "x")

    state = (await world.builds.state(build.id)).value
    assert done(state) == {"a"}


@pytest.mark.parametrize(
    ("ends", "from_step", "error", "words"),
    [
        ({}, "", InputError, "nothing failed in build 1"),
        ({}, "nobody", NotFound, "there is no step `nobody`"),
        ({}, "", InputError, "--from-step"),
        ({}, "@on_fail/on_fail", InputError, "the build never came to @on_fail/on_fail"),
    ],
)
async def test_a_restart_that_would_do_nothing_says_so_and_changes_nothing(
    world, ends, from_step, error, words
):
    hooks = {"on_fail": ["true"]}
    build, graph = await world.played({"a": step(), "b": step()}, hooks=hooks, **ends)
    before = await world.builds.state(build.id)

    with pytest.raises(error) as caught:
        await world.commands.restart(build.id, graph, from_step)

    assert words in f"{caught.value} {caught.value.hint}"
    assert await world.builds.state(build.id) == before


async def test_a_build_whose_workspace_was_forgotten_does_not_begin_in_an_empty_one(world):
    build, graph = await world.played({"a": step(), "b": step()}, b=FAILED)
    event = world.commands._event(build.id, "it goes")
    await world.builds.forget_workspace(await world.builds.build(build.id), 5.0, event)

    with pytest.raises(Conflict) as caught:
        await world.commands.restart(build.id, graph, "")

    assert "the workspace of build 1 was forgotten" in str(caught.value)
    assert "run the pipeline anew" in caught.value.hint


async def test_a_build_under_way_is_not_begun_again_beside_itself(world):
    build, graph = await world.played({"release": ASK})

    with pytest.raises(Conflict) as caught:
        await world.commands.restart(build.id, graph, "")

    assert "has not ended: pending-approval" in str(caught.value)
    assert "terminate 1" in caught.value.hint


@pytest.mark.parametrize("ask", ["answer", "terminate", "restart"])
async def test_a_build_that_is_not_there_is_named_with_the_newest(world, ask):
    await world.played({"a": step()})
    more = {"answer": ("", Answer(True)), "terminate": ("x",), "restart": (GRAPH, "")}[ask]

    with pytest.raises(NotFound) as caught:
        await getattr(world.commands, ask)("7", *more)

    assert "there is no build `7`" in str(caught.value)
    assert "newest: 1" in caught.value.hint


async def test_of_two_who_answer_at_once_one_is_told_and_none_is_lost(world):
    build, _ = await world.played({"release": ASK})
    stale = await world.builds.wishes(build)
    await world.commands.answer(build.id, "", Answer(False, "ann"))

    event = world.commands._event(build.id, "by bob")
    wanted = replace(stale.value, answers={"release": Answer(True, "bob")})
    with pytest.raises(Conflict):
        await world.builds.save_wishes(build, stale, wanted, event)

    assert (await world.wishes(build)).answers["release"].by == "ann"


async def test_a_pipeline_may_forbid_to_begin_again_at_what_failed(world):
    build, graph = await world.played({"a": step()}, a=FAILED)
    spec = {"permitRestartFromFailedSteps": False}
    graph = replace(graph, pipeline=replace(graph.pipeline, spec=spec))

    with pytest.raises(Conflict, match="not begun again at what failed"):
        await world.commands.restart(build.id, graph, "")
