"""A rollout while clusters are lost, cut off, come back, join and leave."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.spec import Analysis, Judge
from crossfade.core.rollout.spec import Pause, Ramp, SetWeight, Strategy, Unreachable
from crossfade.core.rollout.state import Outcome, Phase
from crossfade.engine.loops.rollouts import ACTIVE_SECONDS, Rollouts
from crossfade.engine.records import Records
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld

YELLOW = {"colour": "yellow"}
STEPS = (SetWeight(10), Pause(2.0), SetWeight(50), Pause(2.0))
MOMENTS = {
    "installing": lambda rollout: rollout.state.phase is Phase.INSTALLING,
    "at-10": lambda rollout: rollout.state.percent == 10,
    "pausing-at-10": lambda rollout: "pausing at 10 %" in rollout.state.reason,
    "at-50": lambda rollout: rollout.state.percent == 50,
    "pausing-at-50": lambda rollout: "pausing at 50 %" in rollout.state.reason,
    "promoting": lambda rollout: rollout.state.phase is Phase.PROMOTING,
}


async def begin(world, rule):
    strategy = Strategy(STEPS, unreachable=rule, drain_seconds=2.0)
    await world.commands.apply(replace(application(), strategy=strategy))
    return await world.deployments.deploy(APP, YELLOW)


def kill(cluster):
    cluster.faults.unreachable = cluster.faults.gateway_down = True


def bring_back(cluster):
    cluster.faults.unreachable = cluster.faults.gateway_down = False


def exposure(world, revision):
    """Return the percentage of all users that meet the revision."""
    weights = {
        name: weight
        for name, weight in world.weights().items()
        if weight and not world.clusters[name].faults.gateway_down
    }
    met = sum(w * world.clusters[name].shares(APP).get(revision, 0) for name, w in weights.items())
    return met / sum(weights.values())


@pytest.mark.parametrize("moment", MOMENTS)
async def test_hold_waits_for_the_lost_cluster_and_goes_on_when_it_is_back(
    world, turn_until, moment
):
    rollout = await begin(world, Unreachable.HOLD)
    await turn_until(world, MOMENTS[moment])
    gcp = world.clusters["gcp"]
    kill(gcp)
    for _ in range(5):
        await world.turn()
    lost_at = (await world.rollout()).state
    for _ in range(60):
        await world.turn()
        assert exposure(world, rollout.canary.id) <= max(lost_at.percent, 0)
    held = (await world.rollout()).state
    assert held.percent == lost_at.percent
    assert (await world.rollout()).active
    assert "gcp" in held.reason
    assert world.weights()["gcp"] == 0

    bring_back(gcp)
    ended = await world.until_ended()
    assert ended.state.outcome is Outcome.SUCCEEDED
    assert gcp.shares(APP) == {rollout.canary.id: 100}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_skip_goes_on_without_it_and_it_serves_again_only_once_it_has_caught_up(
    world, turn_until, moment
):
    rollout = await begin(world, Unreachable.SKIP)
    await turn_until(world, MOMENTS[moment])
    gcp = world.clusters["gcp"]
    kill(gcp)
    ended = await world.until_ended()
    assert ended.state.outcome is Outcome.SUCCEEDED
    assert world.weights()["gcp"] == 0

    bring_back(gcp)
    for _ in range(150):
        await world.turn()
        if world.weights()["gcp"]:
            assert gcp.shares(APP) == {rollout.canary.id: 100}
    assert world.weights()["gcp"] == 100


@pytest.mark.parametrize("moment", [each for each in MOMENTS if each != "promoting"])
async def test_fail_takes_users_back_and_counts_the_lost_cluster_as_pending(
    world, turn_until, moment
):
    rollout = await begin(world, Unreachable.FAIL)
    await turn_until(world, MOMENTS[moment])
    gcp = world.clusters["gcp"]
    kill(gcp)
    await turn_until(world, lambda rollout: rollout.state.pending == ("gcp",))
    for _ in range(10):
        await world.turn()
    going = await world.rollout()
    assert (going.state.phase, going.state.percent) == (Phase.ROLLING_BACK, 0)
    assert "rolled back 2/3, pending gcp" in going.state.reason
    assert exposure(world, rollout.canary.id) == 0

    bring_back(gcp)
    ended = await world.until_ended()
    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "rolled back 3/3" in ended.state.reason
    assert rollout.canary.id not in gcp.shares(APP)


async def test_users_of_a_cluster_whose_api_alone_is_cut_off_stay_there(world, turn_until):
    await begin(world, Unreachable.HOLD)
    await turn_until(world, MOMENTS["pausing-at-10"])
    world.clusters["gcp"].faults.unreachable = True
    for _ in range(60):
        await world.turn()
        assert world.weights()["gcp"] == 100
    state = (await world.rollout()).state
    assert (state.percent, "gcp cannot be reached" in state.reason) == (10, True)
    world.clusters["gcp"].faults.unreachable = False

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_expired_credentials_hold_the_rollout_and_cost_no_user(world, turn_until):
    await begin(world, Unreachable.HOLD)
    await turn_until(world, MOMENTS["pausing-at-10"])
    world.clusters["gcp"].faults.denied = True
    for _ in range(60):
        await world.turn()
        assert world.weights()["gcp"] == 100
    state = (await world.rollout()).state
    assert state.percent == 10
    assert state.reason == "holding: gcp cannot be reached: the credentials are refused"


async def test_a_gateway_that_confirms_nothing_holds_the_next_step(world, turn_until):
    await begin(world, Unreachable.HOLD)
    await turn_until(world, MOMENTS["pausing-at-10"])
    world.clusters["aws"].routes_follow = False
    await turn_until(world, MOMENTS["at-50"])
    for _ in range(60):
        await world.turn()
    state = (await world.rollout()).state
    assert (state.percent, "aws" in state.reason) == (50, True)
    world.clusters["aws"].routes_follow = True
    world.clusters["aws"].follow_route()

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_a_bad_revision_is_taken_back_by_itself(world, turn_until):
    rollout = await begin(world, Unreachable.HOLD)
    world.error_rates[rollout.canary.id] = 0.5
    ended = await world.until_ended()

    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "requests failed" in ended.state.reason
    assert all(rollout.canary.id not in each.shares(APP) for each in world.clusters.values())


async def test_errors_of_the_old_revision_are_not_held_against_the_new_one(world):
    old = (await world.queries.record(APP)).active
    await begin(world, Unreachable.HOLD)
    world.error_rates[old.id] = 0.9

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_pods_that_never_become_ready_are_given_up_after_the_time_agreed(world):
    for cluster in world.clusters.values():
        cluster.pods_start = False
    await begin(world, Unreachable.HOLD)
    for _ in range(20):
        await world.turn(30.0)
        if not (await world.rollout()).active:
            break
    ended = await world.rollout()

    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "deadline exceeded" in ended.state.reason
    assert "pods are starting" in ended.state.reason


async def test_pods_that_crash_for_good_are_given_up_at_once(world, turn_until):
    rollout = await begin(world, Unreachable.HOLD)
    for cluster in world.clusters.values():
        cluster.pods_start = False
    await turn_until(world, lambda _: len(world.clusters["aws"].revisions) == 2)
    pods = world.clusters["aws"].revisions[APP, rollout.canary.id]
    pods.trouble, pods.hopeless = "container app crashed with exit code 1", True
    started = world.clock.now()
    ended = await world.until_ended()

    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "aws: container app crashed with exit code 1" in ended.state.reason
    assert world.clock.now() - started < 60


async def test_a_first_revision_that_is_refused_ends_and_may_be_sent_again():
    world = EngineWorld()
    await world.prepare()
    rollout = await world.deployments.deploy(APP, YELLOW)
    aws = world.clusters["aws"]
    aws.refused[rollout.canary.id] = "no such kind"
    ended = await world.until_ended()

    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert ended.state.reason == "aws: no such kind; rolled back 3/3"
    for _ in range(10):
        await world.turn()
    assert all(not cluster.revisions for cluster in world.clusters.values())

    aws.refused.clear()
    assert (await world.deploy(YELLOW)).state.outcome is Outcome.SUCCEEDED


async def test_every_step_of_a_rollout_is_in_the_history_with_its_figures(world):
    rollout = await begin(world, Unreachable.HOLD)
    await world.until_ended()
    events = await Records(world.store).events(f"rollout/{APP}.{rollout.number:06d}")

    steps = [(e.facts["from_percent"], e.facts["percent"]) for e in events if "percent" in e.facts]
    assert [step for step in steps if step[0] != step[1]] == [(0, 10), (10, 50), (50, 100)]
    assert events[-1].facts["outcome"] == "succeeded"
    assert any(event.facts.get("requests", 0) > 0 for event in events)


async def test_kept_revisions_go_when_their_time_is_over(world):
    old = (await world.queries.record(APP)).active
    strategy = replace(application().strategy, keep_old_seconds=60.0, drain_seconds=1.0)
    await world.commands.apply(replace(application(), strategy=strategy))
    await world.deploy(YELLOW)
    for _ in range(10):
        await world.turn()
    assert all((APP, old.id) in each.revisions for each in world.clusters.values())
    await world.turn(60.0)
    for _ in range(10):
        await world.turn()

    assert all((APP, old.id) not in each.revisions for each in world.clusters.values())


async def test_what_is_no_longer_kept_is_forgotten_too(world):
    """Each release would leave its chart's values in the record for ever."""
    strategy = replace(application().strategy, keep_old_seconds=1.0)
    await world.commands.apply(replace(application(), strategy=strategy))
    for number in range(4):
        await world.deploy({"colour": str(number)})
        await world.turn(2.0)
        await world.turn(2.0)

    assert len((await world.queries.record(APP)).kept) <= 1


async def test_a_rollout_that_rests_writes_nothing(world):
    for _ in range(5):
        await world.turn()
    before = await world.store.sequence()
    for _ in range(50):
        await world.turn()

    assert await world.store.sequence() == before


QUIET = {
    "pauses": application(
        SetWeight(10), Pause(7.3), SetWeight(50), Pause(12.0), analysis=Analysis(None)
    ),
    "judged": application(
        SetWeight(10),
        Pause(20.0),
        analysis=Analysis(Judge(window_seconds=2.0, min_requests=20, min_seconds=30.0)),
    ),
    "ramp": application(
        Ramp(50.0), analysis=Analysis(Judge(window_seconds=4.0, min_requests=20, min_seconds=30.0))
    ),
}


@pytest.mark.parametrize("strategy", QUIET)
@pytest.mark.parametrize("lost", [False, True], ids=["all-there", "one-lost"])
async def test_a_rollout_that_is_left_alone_for_a_while_would_not_have_moved_meanwhile(
    world, monkeypatch, strategy, lost
):
    """It is looked at each turn here; a real hub comes back after the pause, or with news."""
    look, quiet, rests = Rollouts.reconcile, dict[str, float](), []

    async def watched(self, name):
        before, now = await world.store.sequence(), world.clock.now()
        state = (await world.rollout()).state
        pause = await look(self, name)
        if quiet.get("seen") == before and now < quiet["until"]:
            after = (await world.rollout()).state
            assert (after.phase, after.percent, after.step, after.wave) == (
                (state.phase, state.percent, state.step, state.wave)
            ), "it moved while it was left alone"
        quiet.update(seen=await world.store.sequence(), until=now + pause)
        rests.append(pause)
        return pause

    monkeypatch.setattr(Rollouts, "reconcile", watched)
    await world.commands.apply(QUIET[strategy])
    await world.deployments.deploy(APP, YELLOW)
    for turn in range(600):
        if lost and turn in (30, 90):
            (kill if turn == 30 else bring_back)(world.clusters["gcp"])
        await world.turn()
        if not (await world.rollout()).active:
            break

    assert (await world.rollout()).state.outcome is Outcome.SUCCEEDED
    assert max(rests) > ACTIVE_SECONDS, "nothing was left alone"


async def test_a_pause_ends_when_it_is_over_and_not_at_the_next_look_after_it(world, turn_until):
    await world.commands.apply(application(SetWeight(10), Pause(7.3), analysis=Analysis(None)))
    await world.deployments.deploy(APP, YELLOW)
    rollout = await turn_until(world, lambda each: "pausing at 10 %" in each.state.reason)
    await world.turn()
    began = max(each.level_since for each in rollout.state.clusters.values())
    left = began + 7.3 - world.clock.now()
    await world.turn(1.5)
    pause = await world.hub._rollouts.reconcile(APP)

    assert pause == pytest.approx(left - 1.5, abs=0.06)
