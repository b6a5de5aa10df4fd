"""Rollouts begin for good reasons only, and what is refused says what to do instead."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.core.application import Placement, Source
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.spec import Pause, SetWeight, Wave
from crossfade.core.rollout.state import Outcome, Phase
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.fake_cluster import FakeCluster

BLUE, YELLOW, RED = {"colour": "blue"}, {"colour": "yellow"}, {"colour": "red"}


def at(percent):
    return lambda rollout: rollout.state.percent == percent


async def test_what_serves_already_is_not_rolled_out_again(world):
    with pytest.raises(Conflict, match="serves already") as raised:
        await world.deployments.deploy(APP, BLUE)
    assert "--set" in raised.value.hint
    assert (await world.rollout()).number == 1


async def test_what_is_under_way_is_not_begun_again(world):
    begun = await world.deployments.deploy(APP, YELLOW)
    with pytest.raises(Conflict, match="being rolled out already") as raised:
        await world.deployments.deploy(APP, YELLOW)
    assert f"crossfade rollout watch {APP}" in raised.value.hint
    assert await world.rollout() == begun


async def test_what_is_about_to_serve_everybody_is_not_interrupted(world, turn_until):
    await world.deployments.deploy(APP, YELLOW)
    await world.commands.change(APP, Command.PROMOTE_FULL)
    world.clusters["aws"].routes_follow = False
    await turn_until(world, lambda rollout: rollout.state.phase is Phase.PROMOTING)
    with pytest.raises(Conflict, match="being given all users") as raised:
        await world.deployments.deploy(APP, RED)
    assert "abort" in raised.value.hint


async def test_a_first_deployment_that_hangs_hints_at_what_is_possible():
    """It cannot be aborted: there is nothing to go back to."""
    world = EngineWorld()
    await world.prepare()
    world.clusters["gcp"].routes_follow = False
    await world.deployments.deploy(APP, BLUE)
    while (await world.rollout()).state.phase is not Phase.PROMOTING:
        await world.turn()
    with pytest.raises(Conflict) as raised:
        await world.deployments.deploy(APP, RED)
    assert "abort" not in raised.value.hint
    assert "fleet remove" in raised.value.hint
    await world.commands.remove_cluster("gcp")

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_a_rollout_that_is_superseded_keeps_no_users(world, turn_until):
    first = await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, at(50))
    second = await world.deployments.deploy(APP, RED)

    superseded = (await world.queries.rollouts(APP))[1]
    assert superseded.number == first.number
    assert superseded.state.outcome is Outcome.SUPERSEDED
    assert f"{APP}.{second.number}" in superseded.state.reason
    for _ in range(20):
        await world.turn()
    for cluster in world.clusters.values():
        assert first.canary.id not in cluster.shares(APP)
        assert (APP, first.canary.id) not in cluster.revisions


async def test_users_are_not_sent_back_to_a_broken_stable_by_the_next_deployment(world, turn_until):
    blue = (await world.rollout()).canary
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, at(10))
    world.clusters["gcp"].stop_pods(blue.id, "the node is gone")
    await world.turn()
    await world.turn()

    with pytest.raises(Conflict, match="does not run in full on gcp") as raised:
        await world.deployments.deploy(APP, RED)

    assert "promote" in raised.value.hint
    assert (await world.rollout()).state.percent == 10


async def test_what_is_on_its_way_back_may_be_tried_again(world, turn_until):
    world.clusters["aws"].routes_follow = True
    first = await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, at(10))
    world.clusters["aws"].routes_follow = False
    await world.commands.change(APP, Command.ABORT)
    await turn_until(world, lambda rollout: rollout.state.phase is Phase.ROLLING_BACK)
    again = await world.deployments.deploy(APP, YELLOW)
    world.clusters["aws"].routes_follow = True
    world.clusters["aws"].follow_route()

    assert again.canary == replace(first.canary, created_at=again.canary.created_at)
    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_undo_swaps_everybody_at_once_to_the_revision_that_is_kept(world):
    blue = (await world.queries.record(APP)).active
    await world.deploy(YELLOW)
    acts = {name: len(cluster.acts) for name, cluster in world.clusters.items()}
    begun = await world.deployments.undo(APP, None)
    ended = await world.until_ended(turns=10)

    assert (begun.swap, begun.canary.id) == (True, blue.id)
    assert ended.state.outcome is Outcome.SUCCEEDED
    for name, cluster in world.clusters.items():
        assert cluster.shares(APP) == {blue.id: 100}
        assert not any("install" in act for act in cluster.acts[acts[name] :])


async def test_undo_of_an_undo_goes_forward_again(world):
    yellow = (await world.deploy(YELLOW)).canary
    await world.deployments.undo(APP, None)
    await world.until_ended()

    assert (await world.deployments.undo(APP, None)).canary.id == yellow.id


async def test_undo_works_after_the_old_revision_was_removed(world):
    blue = (await world.queries.record(APP)).active
    await world.commands.apply(
        replace(application(), strategy=replace(application().strategy, keep_old_seconds=0.0))
    )
    await world.deploy(YELLOW)
    for _ in range(20):
        await world.turn()
    assert all((APP, blue.id) not in each.revisions for each in world.clusters.values())
    await world.deployments.undo(APP, None)

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED
    assert all(each.shares(APP) == {blue.id: 100} for each in world.clusters.values())


async def test_undo_is_refused_while_a_rollout_is_under_way(world):
    await world.deployments.deploy(APP, YELLOW)
    with pytest.raises(Conflict, match=r"colors\.2 is under way") as raised:
        await world.deployments.undo(APP, None)
    assert "rollout abort" in raised.value.hint


async def test_undo_to_an_unknown_revision_lists_what_there_is(world):
    yellow = (await world.deploy(YELLOW)).canary
    with pytest.raises(NotFound, match="rnothing") as raised:
        await world.deployments.undo(APP, "rnothing")
    assert yellow.id in raised.value.hint


async def test_undo_to_what_serves_is_refused(world):
    yellow = (await world.deploy(YELLOW)).canary
    with pytest.raises(Conflict, match="serves already"):
        await world.deployments.undo(APP, yellow.id)


async def test_undo_of_the_first_deployment_has_nowhere_to_go(world):
    with pytest.raises(NotFound, match="no older revision") as raised:
        await world.deployments.undo(APP, None)
    assert "crossfade deploy" in raised.value.hint


async def test_a_placement_that_fits_no_cluster_is_refused_with_the_labels():
    world = EngineWorld()
    await world.prepare(replace(application(), placement=Placement({"tier": "prod"})))
    with pytest.raises(InputError, match="no cluster") as raised:
        await world.deployments.deploy(APP, BLUE)
    assert raised.value.facts == {"wanted": "tier=prod"}
    assert not await world.queries.rollouts(APP)


async def test_an_unknown_application_is_refused(world):
    with pytest.raises(NotFound, match="nothing"):
        await world.deployments.deploy("nothing", BLUE)


@pytest.mark.parametrize("values", [{"fail": "bad template"}])
async def test_a_chart_that_does_not_render_changes_nothing(world, values):
    before = await world.store.sequence()
    with pytest.raises(InputError, match="bad template"):
        await world.deployments.deploy(APP, values)
    assert await world.store.sequence() == before


async def test_a_chart_that_is_gone_changes_nothing(world):
    await world.commands.apply(replace(application(), source=Source("/elsewhere")))
    before = await world.store.sequence()
    with pytest.raises(InputError):
        await world.deployments.deploy(APP, YELLOW)
    assert await world.store.sequence() == before


async def test_a_preview_changes_nothing_and_says_what_would_be(world):
    record, before = await world.queries.record(APP), await world.store.sequence()
    preview = await world.deployments.preview(APP, YELLOW)

    assert await world.store.sequence() == before
    assert preview.replaces == record.active.id
    assert preview.clusters == ("aws", "gcp", "onprem")
    assert preview.revision.service == f"colors-{preview.revision.id}"
    assert (await world.deployments.deploy(APP, YELLOW)).canary.id == preview.revision.id


async def test_a_revision_that_was_refused_gets_another_try_once_the_cluster_was_mended(world):
    rollout = await world.deployments.deploy(APP, YELLOW)
    world.clusters["gcp"].refused[rollout.canary.id] = "no such namespace"
    refused = await world.until_ended()
    assert refused.state.outcome is Outcome.ROLLED_BACK
    assert "no such namespace" in refused.state.reason
    world.clusters["gcp"].refused.clear()

    assert (await world.deploy(YELLOW)).state.outcome is Outcome.SUCCEEDED


async def test_a_kept_revision_that_is_deployed_again_gets_all_users_at_once(world):
    await world.deploy(YELLOW)
    again = await world.deploy(BLUE, turns=20)

    assert again.swap
    assert again.state.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(("window", "swap"), [(0, False), (1, True)])
async def test_a_revision_within_the_window_skips_the_steps_though_it_is_gone(world, window, swap):
    spec = application()
    strategy = replace(spec.strategy, keep_old_seconds=0.0, revision_window=window)
    await world.commands.apply(replace(spec, strategy=strategy))
    await world.deploy(YELLOW)

    assert (await world.deployments.deploy(APP, BLUE)).swap is swap


async def test_deploying_what_serves_takes_the_rollout_under_way_back(world, turn_until):
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, at(10))
    await world.deployments.deploy(APP, BLUE)
    ended = await world.until_ended()

    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "was deployed again" in ended.state.reason


async def test_what_was_taken_back_can_be_tried_again_as_a_new_rollout(world):
    rollout = await world.deployments.deploy(APP, YELLOW)
    world.error_rates[rollout.canary.id] = 0.9
    assert (await world.until_ended()).state.outcome is Outcome.ROLLED_BACK
    world.error_rates.clear()
    again = await world.deployments.retry(APP)
    ended = await world.until_ended()

    assert (again.number, again.canary.id) == (rollout.number + 1, rollout.canary.id)
    assert ended.state.outcome is Outcome.SUCCEEDED


async def test_a_restart_replaces_all_pods_by_the_same_content_in_a_new_rollout(world):
    before = (await world.queries.record(APP)).active
    await world.deployments.restart(APP)
    ended = await world.until_ended()
    after = (await world.queries.record(APP)).active

    assert ended.state.outcome is Outcome.SUCCEEDED
    assert after.id != before.id
    assert (after.chart_digest, after.values) == (before.chart_digest, before.values)


@pytest.mark.parametrize(
    ("kept", "limit", "left"), [(None, 3, 3), (None, 1, 1), (0.0, 3, 0), (600.0, 2, 2)]
)
async def test_old_revisions_are_kept_as_long_and_as_many_as_the_file_says(
    world, kept, limit, left
):
    spec = application()
    strategy = replace(spec.strategy, keep_old_seconds=kept, keep_limit=limit)
    await world.commands.apply(replace(spec, strategy=strategy))
    for colour in ("yellow", "red", "green"):
        await world.deploy({"colour": colour})
    for _ in range(40):
        await world.turn()

    assert len((await world.queries.record(APP)).kept) == left
    assert len(world.clusters["aws"].revisions) == 1 + left


async def test_a_first_revision_that_is_superseded_with_users_keeps_them(turn_until):
    world = EngineWorld()
    waves = (Wave((CLUSTERS[0],)),)
    spec = application()
    await world.prepare(replace(spec, strategy=replace(spec.strategy, waves=waves)))
    first = await world.deployments.deploy(APP, {"colour": "blue"})
    await turn_until(world, lambda each: "wave 1 is done" in each.state.reason)
    await world.deployments.deploy(APP, YELLOW)
    for _ in range(3):
        await world.turn()

    assert world.clusters[CLUSTERS[0]].shares(APP)[first.canary.id] > 0
    assert (await world.until_ended(turns=2000)).state.outcome is Outcome.SUCCEEDED


async def test_what_a_cluster_of_the_first_wave_refuses_is_not_begun(world):
    before = (await world.queries.record(APP)).rollout
    preview = await world.deployments.preview(APP, YELLOW)
    world.clusters["gcp"].refused[preview.revision.id] = "no such namespace"

    with pytest.raises(InputError, match=r"gcp refuses .*: no such namespace") as raised:
        await world.deployments.deploy(APP, YELLOW)
    assert "--dry-run" in raised.value.hint
    assert (await world.queries.record(APP)).rollout == before


async def test_a_cluster_that_cannot_be_asked_does_not_keep_a_rollout_from_beginning(world):
    world.clusters["gcp"].faults.unreachable = True
    rollout = await world.deployments.deploy(APP, YELLOW)
    forecast = await world.deployments.forecast(await world.deployments.preview(APP, YELLOW))

    assert rollout.active
    assert [each.cluster for each in forecast.checked if each.silence] == ["gcp"]


async def test_a_cluster_that_joins_later_gets_what_serves(world):
    world.clusters["azure"] = FakeCluster("azure")
    world.start_hub()
    await world.commands.add_cluster(
        replace((await world.queries.fleet())[0].cluster, name="azure", context="azure")
    )
    assert world.weights().get("azure", 0) == 0
    for _ in range(5):
        await world.turn()

    assert world.weights()["azure"] == 100
    assert world.clusters["azure"].shares(APP) == world.clusters["aws"].shares(APP)


async def test_a_rollout_keeps_the_steps_that_it_began_with(world, turn_until):
    await world.deployments.deploy(APP, YELLOW)
    await world.commands.apply(application(SetWeight(90), Pause()))
    seen = set()
    for _ in range(100):
        await world.turn()
        rollout = await world.rollout()
        seen.add(rollout.state.percent)
        if not rollout.active:
            break

    assert seen == {0, 10, 50, 100}
