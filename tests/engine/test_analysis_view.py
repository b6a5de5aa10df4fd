"""What people see of the judge is what it has counted."""

from crossfade.core.analysis.spec import Analysis, Judge
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.engine.analysis_view import analysis_points, analysis_report
from crossfade.testing.builders import APP, application

JUDGE = Judge(window_seconds=1.0, min_requests=20, min_seconds=20.0)


async def test_nothing_is_said_before_the_judge_has_begun(world):
    records = world.queries.records
    await world.deployments.deploy(APP, {"colour": "yellow"})

    assert await analysis_report(records, APP, 2) is None
    assert await analysis_points(records, APP, 2, 0, 10) == ()


async def test_both_revisions_are_shown_with_their_band_and_harm(world):
    steps = (SetWeight(10), Pause(600.0))
    await world.commands.apply(application(*steps, analysis=Analysis(JUDGE)))
    rollout = await world.deployments.deploy(APP, {"colour": "yellow"})
    world.error_rates[rollout.canary.id] = 0.2
    await world.until_ended()
    records = world.queries.records
    report = await analysis_report(records, APP, 2)
    errors = next(each for each in report.metrics if each.name == "errors")

    assert report.evidence >= report.threshold
    assert report.harmed > 0
    assert errors.counted.new_requests > errors.counted.new_events > 0
    assert (errors.counted.stable_requests > 0, errors.counted.stable_events) == (True, 0)
    assert errors.low > errors.tolerated, "the band shows that it is worse"
    told = [each.metrics["errors"].new_requests for each in report.clusters]
    assert sum(told) == errors.counted.new_requests


async def test_verdicts_of_the_past_can_be_asked_for_from_any_point_on(world):
    steps = (SetWeight(10), Pause(600.0))
    await world.commands.apply(application(*steps, analysis=Analysis(JUDGE)))
    await world.deployments.deploy(APP, {"colour": "yellow"})
    for _ in range(30):
        await world.turn()
    records = world.queries.records
    every = await analysis_points(records, APP, 2, 0, 1000)
    first = await analysis_points(records, APP, 2, 0, 2)
    rest = await analysis_points(records, APP, 2, first[-1].number, 1000)

    assert first + rest == every
    assert len(every) > 3
    assert every[-1].bands["errors"][0] >= 0
    assert [each.at for each in every] == sorted(each.at for each in every)
