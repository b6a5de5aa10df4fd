"""Whoever opens the page learns of builds that wait for an answer, and of those that failed."""

import pytest

from crossfade.core.access.roles import Grant, Identity, Role
from crossfade.core.pipeline.state import BUILD, Phase, Result, State, UnitState
from crossfade.engine.build_needs import FAILED_SECONDS, of_builds
from crossfade.engine.figures import Figures
from crossfade.engine.overview import Overviews
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.engine.records import Records
from crossfade.ports.documents import Event
from crossfade.testing.fake_store import FakeStore

NOW = 1_000_000.0
SUCCESS, FAILURE = Result.SUCCESS, Result.FAILURE


def over(result, ended=NOW - 60):
    whole = UnitState(Phase.DONE, result, 0.0, "unit is failure: exit code 1", ended)
    return State({BUILD: whole, "unit": whole})


def asking(*keys):
    units = {key: UnitState(Phase.BODY, Result.WAITING, 0.0) for key in keys}
    going = UnitState(Phase.BODY, Result.RUNNING, 0.0)
    return State({BUILD: going, "unit": going, **units}, (BUILD, "unit", *keys))


async def store_of(*builds):
    store = FakeStore()
    for number, (state, facts) in enumerate(builds, 1):
        build = Build(str(number), **({"pipeline": "shop"} | facts), text="", at=0.0)
        await Builds(store).create(build, state, Event(f"build/{number}", 0.0, "", {}))
    return store


async def told(*builds):
    return [each.what for each in await of_builds(await store_of(*builds), NOW)]


@pytest.mark.parametrize(
    ("builds", "expected"),
    [
        pytest.param([(asking("ask"), {})], ["build 1 of shop waits for your answer"], id="asks"),
        pytest.param([(over(FAILURE), {})], ["build 1 of shop failed"], id="failed"),
        pytest.param([(over(FAILURE), {}), (over(SUCCESS), {})], [], id="mended-by-the-next-one"),
        pytest.param(
            [(over(FAILURE), {}), (asking(), {})], ["build 1 of shop failed"], id="next-one-runs"
        ),
        pytest.param(
            [(over(FAILURE), {"branch": "main"}), (over(SUCCESS), {"branch": "fix"})],
            ["build 1 of shop on main failed"],
            id="another-branch-mends-nothing",
        ),
        pytest.param([(over(FAILURE), {"parent": "7"})], [], id="told-with-its-parent"),
        pytest.param([(over(FAILURE, NOW - FAILED_SECONDS - 1), {})], [], id="long-ago"),
        pytest.param([(over(Result.DENIED), {})], [], id="somebody-said-no"),
        pytest.param([(over(Result.TERMINATED), {})], [], id="somebody-ended-it"),
        pytest.param([(State(), {})], [], id="not-begun"),
    ],
)
async def test_what_waits_for_a_person_is_told_and_nothing_else(builds, expected):
    assert await told(*builds) == expected


async def test_answers_come_first_as_somebody_waits_for_them():
    seen = await told((asking("ask"), {}), (over(FAILURE), {"pipeline": "docs"}))

    assert [each.split()[-1] for each in seen] == ["answer", "failed"]


async def test_whoever_may_see_one_application_only_is_told_of_no_build():
    overviews = Overviews(Records(await store_of((over(FAILURE), {}))), Figures())
    scoped = Identity("eve", (Grant(Role.VIEWER, "colors"),))

    assert [each.build for each in (await overviews.of(_viewer(), NOW)).needs] == ["1"]
    assert (await overviews.of(scoped, NOW)).needs == ()


def _viewer():
    return Identity("ann", (Grant(Role.VIEWER),))
