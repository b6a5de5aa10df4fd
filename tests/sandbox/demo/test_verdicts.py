"""The acts of verdicts claim what is so, and notice a judge that is wrong."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Conflict, Unavailable
from crossfade.core.analysis.spec import Analysis, ErrorThreshold
from crossfade.sandbox.demo import verdicts
from crossfade.sandbox.demo.play import prepared
from crossfade.testing.builders import application


@pytest.fixture
async def begin(theatre):
    """Let blue serve every user, judged as is said."""

    async def make(programme=verdicts.PROGRAMME):
        theatre.stage.application = prepared(application(), programme)
        await verdicts.blue_for_all(theatre.stage)
        theatre.stage.record.load_began = theatre.stage.now()
        theatre.users_came = True
        await verdicts.users_come(theatre.stage)
        return theatre.stage

    return make


def broken(stage):
    return [claim.text for claim in stage.record.acts[-1].claims if not claim.held]


async def test_all_verdicts_are_right_when_everything_works(begin):
    stage = await begin()
    for act in verdicts.PROGRAMME.acts[1:]:
        await act(stage)
        assert broken(stage) == []
    acts = stage.record.acts

    assert [act.number for act in acts] == [1, 2, 3, 4, 5]
    assert stage.record.ok
    for act in acts[1:]:
        assert 0 <= act.measured["errors"] < act.measured["requests"]
        assert 0 < act.measured["seconds_to_verdict"] < 40
    assert [act.measured["strongest_evidence"] >= 100 for act in acts[1:]] == [
        True, True, False, True,
    ]  # fmt: skip


async def test_a_judge_that_lets_errors_pass_is_noticed(begin):
    blind = Analysis(judge=None, threshold=ErrorThreshold(max_percent=50.0))
    stage = await begin(replace(verdicts.PROGRAMME, analysis=blind))
    with pytest.raises(Unavailable, match="the last answer of red"):
        await verdicts.more_errors(stage)

    assert "it is rolled back everywhere by itself" in broken(stage)


async def test_a_limit_that_blames_a_version_for_its_cloud_is_noticed(begin):
    """As a fixed limit on errors does, whatever stable has at the same time."""
    strict = Analysis(judge=None, threshold=ErrorThreshold(max_percent=3.0))
    stage = await begin(replace(verdicts.PROGRAMME, analysis=strict))
    with pytest.raises(Unavailable, match="50 % on every cluster"):
        await verdicts.innocent_in_trouble(stage)


async def test_a_way_back_everywhere_from_one_bad_cloud_is_noticed(begin):
    strict = Analysis(judge=None, threshold=ErrorThreshold(max_percent=3.0))
    stage = await begin(replace(verdicts.PROGRAMME, analysis=strict))
    with pytest.raises(Conflict):
        await verdicts.bad_on_one_cloud(stage)

    assert "the rollout holds for a person" in broken(stage)
