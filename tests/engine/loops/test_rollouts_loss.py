"""A cloud is lost in the middle of a rollout, with the real loops of a hub."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.spec import Analysis, Judge
from crossfade.core.failover.during_rollout import settle_seconds
from crossfade.core.release.report import Cause
from crossfade.core.rollout.spec import Pause, SetWeight, Strategy, Unreachable, Wave
from crossfade.core.rollout.state import Outcome, Phase
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


async def test_what_was_counted_after_a_loss_began_and_before_anybody_knew_is_taken_back(
    world, turn_until
):
    rollout = await begin(world)
    await turn_until(world, at_10)
    for _ in range(20):
        await world.turn()
    before = await evidence(world)
    kill(world)
    died = world.clock.now()
    world.error_rates[rollout.canary.id] = 0.2
    state = (await turn_until(world, stands_still)).state
    for _ in range(3):
        await world.turn()
    after = await evidence(world)

    assert died <= state.shift.began <= died + 1.5
    assert (after.errors, before.errors) == (0, 0)
    assert 0 < after.requests < before.requests, "what came right before a loss is in doubt, too"
    assert max(each.last_s for each in after.state.clusters.values()) <= died
    story = await History(world.queries).story(APP, again=True)
    assert all(each.identical is not False for each in story.chapters)


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


ONE_FIRST = {
    "steps": STEPS,
    "waves": (Wave(("gcp",)),),
    "drain_seconds": 2.0,
}


def begun_on(name):
    def begun(rollout):
        return name in rollout.state.clusters and rollout.state.clusters[name].percent == 10

    return begun


async def only_canary(world, turn_until, unreachable=Unreachable.SKIP):
    """Roll out until gcp has the only users of the new revision."""
    spec = application(analysis=Analysis(JUDGE))
    await world.commands.apply(
        replace(spec, strategy=Strategy(**ONE_FIRST, unreachable=unreachable))
    )
    await world.deployments.deploy(APP, YELLOW)
    rollout = await turn_until(world, begun_on("gcp"))
    for _ in range(4):
        await world.turn()
    return rollout


@pytest.mark.parametrize("edges", [("edge-1",), ("edge-1", "edge-2")])
async def test_a_cloud_that_dies_with_the_only_canary_is_not_taken_for_a_bad_version(
    world, turn_until, edges
):
    world.edge_names = edges
    rollout = await only_canary(world, turn_until)
    kill(world)
    died = world.clock.now()
    await turn_until(world, stands_still)
    state = (await turn_until(world, begun_on("aws"))).state
    assert world.clock.now() - died < 60

    assert (state.phase, state.clusters["aws"].step) == (Phase.PROGRESSING, 0)
    story = await History(world.queries).story(APP, again=True)
    assert all(each.identical is not False for each in story.chapters)
    assert any("gcp had the only canary" in each.reason for each in story.chapters)
    ended = await world.until_ended(turns=600)
    assert ended.state.outcome is Outcome.SUCCEEDED
    assert rollout.canary.id in world.clusters["aws"].shares(APP)


async def test_a_version_that_breaks_the_only_cluster_with_it_goes_back_once_nodes_are_seen_to_live(
    world, turn_until
):
    world.edge_names = ("edge-1", "edge-2")
    await only_canary(world, turn_until)
    world.clusters["gcp"].faults.gateway_down = True
    broke = world.clock.now()
    gone = await turn_until(world, lambda each: each.state.phase is Phase.ROLLING_BACK)

    assert world.clock.now() - broke <= 10
    assert "only the new revision fails: gcp, and no cluster without it" in gone.state.reason


async def test_a_cloud_whose_nodes_are_gone_is_not_taken_for_a_bad_version(world, turn_until):
    world.edge_names = ("edge-1", "edge-2")
    await only_canary(world, turn_until)
    gcp = world.clusters["gcp"]
    gcp.ready_nodes = 0
    for _ in range(25):
        await world.turn()
    gcp.faults.gateway_down = True
    rollout = await turn_until(world, begun_on("aws"))
    assert rollout.state.phase is Phase.PROGRESSING

    # Nodes are back before what runs on them, as after any loss of power.
    gcp.ready_nodes = 3
    for _ in range(40):
        await world.turn()
    assert (await world.rollout()).state.phase is Phase.PROGRESSING
    gcp.faults.gateway_down = False
    ended = await world.until_ended(turns=600)
    assert ended.state.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("edges", [("edge-1",), ("edge-1", "edge-2")])
async def test_nodes_that_die_at_once_under_an_api_server_that_lives_on_are_no_bad_version(
    world, turn_until, edges
):
    """It goes on calling them ready for 40 s and more."""
    world.edge_names = edges
    await only_canary(world, turn_until)
    gcp = world.clusters["gcp"]
    gcp.living_nodes, gcp.faults.gateway_down = 0, True
    rollout = await turn_until(world, begun_on("aws"), turns=200)
    assert (rollout.state.phase, rollout.state.clusters["aws"].step) == (Phase.PROGRESSING, 0)

    story = await History(world.queries).story(APP, again=True)
    assert any("gcp had the only canary" in each.reason for each in story.chapters)
    assert (await world.until_ended(turns=600)).state.outcome is Outcome.SUCCEEDED


async def test_a_cheap_node_that_is_taken_back_in_the_middle_of_a_step_is_no_bad_version(
    world, turn_until
):
    rollout = await only_canary(world, turn_until)
    world.clusters["gcp"].stop_pods(rollout.canary.id, "it was ended by its node", Cause.NODE)
    world.error_rates[rollout.canary.id] = 1.0
    state = (await turn_until(world, lambda each: each.state.percent == 0)).state
    assert state.phase is Phase.PROGRESSING
    assert "no fault of the version" in state.reason

    world.clusters["gcp"].start_pods(rollout.canary.id)
    world.error_rates.clear()
    ended = await world.until_ended(turns=900)
    assert ended.state.outcome is Outcome.SUCCEEDED
    story = await History(world.queries).story(APP, again=True)
    assert all(each.identical is not False for each in story.chapters)


async def test_a_cloud_with_the_only_canary_that_comes_back_bit_by_bit_is_no_bad_version(
    world, turn_until
):
    world.edge_names = ("edge-1", "edge-2")
    await only_canary(world, turn_until, Unreachable.HOLD)
    kill(world)
    await turn_until(world, lambda each: "had the only canary" in each.state.reason)
    world.clusters["gcp"].faults.unreachable = False
    for _ in range(40):
        await world.turn()
    state = (await world.rollout()).state

    assert (state.phase, state.percent) == (Phase.PROGRESSING, 10)
    world.clusters["gcp"].faults.gateway_down = False
    assert (await world.until_ended(turns=900)).state.outcome is Outcome.SUCCEEDED


async def test_users_wait_where_they_are_while_a_dark_cloud_has_said_nothing(world, turn_until):
    world.edge_names = ("edge-1", "edge-2")
    await only_canary(world, turn_until, Unreachable.HOLD)
    kill(world)
    state = (await turn_until(world, stands_still)).state
    assert "gcp went dark, and nobody knows yet if it is the version or the cloud" in state.reason
    world.clusters["gcp"].faults.unreachable = False
    gone = await turn_until(world, lambda each: each.state.phase is Phase.ROLLING_BACK)

    assert "only the new revision fails: gcp" in gone.state.reason
