"""What is seen on the stage is written down as it was seen."""

import pytest

from crossfade.base.errors import Unavailable
from crossfade.core.rollout.state import Outcome
from crossfade.sandbox.demo.record import Claim, Moment
from crossfade.sandbox.load_figures import Source


@pytest.fixture
async def stage(theatre):
    """A stage with clusters and the application."""
    await theatre.world.prepare(theatre.stage.application)
    theatre.stage.begin("the first act")
    return theatre.stage


async def test_acts_are_numbered_and_whoever_watches_learns_everything(theatre):
    theatre.stage.begin("one")
    theatre.stage.begin("two")
    theatre.stage.claim("it holds", True, "3 of 3")

    assert [act.number for act in theatre.stage.record.acts] == [1, 2]
    assert [type(news) for news in theatre.told] == [Moment, Moment, Claim]
    assert theatre.stage.record.acts[1].claims == [Claim("it holds", True, "3 of 3")]


async def test_waiting_ends_with_the_first_true_answer(stage):
    answers = iter([None, 0, "yes", "too late"])

    async def look():
        return next(answers)

    assert await stage.until(look, 5.0, "an answer") == "yes"


async def test_waiting_too_long_says_for_what(stage):
    async def never():
        return None

    began = stage.now()
    with pytest.raises(Unavailable, match="waited 5 s for the moon"):
        await stage.until(never, 5.0, "the moon")
    assert 5.0 <= stage.now() - began < 6.0


async def test_each_step_of_a_rollout_is_noted_once(stage, theatre):
    await stage.hands.deployments.deploy(stage.name, {"colour": "blue"})
    ended = await stage.until_ended()
    await stage.rollout()
    notes = [news.what for news in theatre.told if "rollout 1: " in news.what]

    assert ended.state.outcome is Outcome.SUCCEEDED
    assert len(notes) == len(set(notes)) > 1
    assert notes[-1].endswith("serves all users")


async def test_a_level_is_reached_once_every_cloud_has_confirmed_it(stage, theatre):
    await stage.hands.deployments.deploy(stage.name, {"colour": "blue"})
    await stage.until_ended()
    await stage.hands.deployments.deploy(stage.name, {"colour": "yellow"})
    await stage.until_level(10)

    for cluster in theatre.world.clusters.values():
        assert sorted(cluster.shares("colors").values()) == [10, 90]


def test_a_versions_own_errors_are_told_from_lost_requests(theatre):
    figures = theatre.load.figures
    figures.answer(1.0, 0.1, 500, Source("red", "aws"))
    figures.answer(1.0, 0.1, 503, Source("blue", "aws"))
    figures.no_answer(1.0, 0.1, "nobody answers")

    assert theatre.stage.failures() == 3
    assert theatre.stage.failures(but_of="red") == 2


def test_shares_count_from_the_start_of_the_demo(theatre):
    theatre.stage.record.load_began = 100.0
    theatre.load.figures.answer(1.0, 0.1, 200, Source("blue", "aws"))
    theatre.load.figures.answer(5.0, 0.1, 200, Source("yellow", "aws"))

    assert theatre.stage.shares(100.0, 103.0).versions == {"blue": 1.0}
    assert theatre.stage.shares(103.0, 110.0).versions == {"yellow": 1.0}
