"""A cloud is lost in the middle of a rollout, with the real loops of a hub."""

from dataclasses import replace

from crossfade.core.analysis.spec import Analysis, Judge
from crossfade.core.failover.during_rollout import settle_seconds
from crossfade.core.rollout.spec import Pause, SetWeight, Strategy, Unreachable
from crossfade.core.rollout.state import Outcome
from crossfade.engine.history import History
from crossfade.engine.records import rollout_name
from crossfade.testing.builders import APP, application

JUDGE = Judge(window_seconds=1.0, min_requests=20, min_seconds=20.0)
YELLOW = {"colour": "yellow"}
STEPS = (SetWeight(10), Pause(20.0), SetWeight(50), Pause(20.0))


async def begin(world, judge=JUDGE):
    """Roll out with a verdict, and without a cluster that cannot be reached."""
    spec = application(analysis=Analysis(judge))
    strategy = Strategy(STEPS, unreachable=Unreachable.SKIP, drain_seconds=2.0)
    await world.commands.apply(replace(spec, strategy=strategy))
    return await world.deployments.deploy(APP, YELLOW)


def kill(world, name="gcp"):
    faults = world.clusters[name].faults
    faults.unreachable = faults.gateway_down = True


def bring_back(world, name="gcp"):
    faults = world.clusters[name].faults
    faults.unreachable = faults.gateway_down = False


def at_10(rollout):
    return rollout.state.percent == 10 and rollout.state.step == 1


def stands_still(rollout):
    return rollout.state.interruption is not None


async def evidence(world):
    name = rollout_name(APP, (await world.rollout()).number)
    return (await world.queries.records.find_evidence(name)).value


async def test_nothing_that_is_counted_while_users_move_is_judged_and_shares_stay(
    world, turn_until
):
    rollout = await begin(world)
    await turn_until(world, at_10)
    kill(world)
    begun = (await turn_until(world, stands_still)).state
    await world.turn()
    counted = (await evidence(world)).requests
    # The new revision is slow and fails now and then, as anything does whose users have moved.
    world.error_rates[rollout.canary.id] = 0.2
    for _ in range(round(settle_seconds(1.0) / 0.5) - 5):
        await world.turn()
        state = (await world.rollout()).state
        assert (state.percent, state.step) == (begun.percent, begun.step)
    seen = await evidence(world)
    assert (seen.requests, seen.errors) == (counted, 0)
    assert seen.discarded > 8

    world.error_rates.clear()
    ended = await world.until_ended(turns=600)
    assert ended.state.outcome is Outcome.SUCCEEDED
    story = await History(world.queries).story(APP, again=True)
    assert all(each.identical is not False for each in story.chapters)
    assert any("thrown away: users were moving" in each.reason for each in story.chapters)
    assert len([each for each in story.chapters if "resumes at step" in each.reason]) == 1


async def test_a_revision_that_breaks_while_its_cloud_is_lost_is_taken_back_before_it_resumes(
    world, turn_until
):
    rollout = await begin(world)
    await turn_until(world, at_10)
    kill(world)
    await turn_until(world, stands_still)
    world.error_rates[rollout.canary.id] = 0.9
    gone = await turn_until(world, lambda each: each.state.percent == 0, turns=40)

    assert "only the new revision fails" in gone.state.reason
    for _ in range(10):
        await world.turn()
    assert "rolled back 2/3, pending gcp" in (await world.rollout()).state.reason
    assert world.weights()["gcp"] == 0

    bring_back(world)
    ended = await world.until_ended()
    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert rollout.canary.id not in world.clusters["gcp"].shares(APP)


async def test_the_time_that_the_judge_has_does_not_run_while_a_cloud_is_away(world, turn_until):
    patient = replace(JUDGE, max_seconds=60.0)
    await begin(world, patient)
    await turn_until(world, at_10)
    kill(world)
    await turn_until(world, stands_still)
    await turn_until(world, lambda each: not stands_still(each), turns=200)

    known = await evidence(world)
    assert known.stopped >= settle_seconds(1.0) or known.still_since is not None


async def test_a_hub_that_is_replaced_meanwhile_stands_still_for_as_long_and_no_longer(
    world, turn_until
):
    await begin(world)
    await turn_until(world, at_10)
    kill(world)
    before = (await turn_until(world, stands_still)).state
    for _ in range(10):
        await world.turn()
    world.start_hub()
    for _ in range(4):
        await world.turn()
    state = (await world.rollout()).state
    assert state.interruption == before.interruption
    began = state.shift.began

    ended = await world.until_ended(turns=600)
    assert ended.state.outcome is Outcome.SUCCEEDED
    assert ended.state.shift.began == began
