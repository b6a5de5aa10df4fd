"""A version that cannot live with what a cluster could still serve is refused, and says where."""

from dataclasses import replace

import pytest

from crossfade.base.errors import UnsafePlan
from crossfade.core.release.data import DataForms
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.spec import Unreachable
from crossfade.engine.records import Records
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld

OLD, BOTH = DataForms("a"), DataForms("a", ("b",))
EXPANDED, CONTRACTED = DataForms("b", ("a",)), DataForms("b")


async def declare(world, data):
    """The file declares the data of the next version, which drops what it replaces at once."""
    spec = application()
    strategy = replace(spec.strategy, keep_old_seconds=0, unreachable=Unreachable.SKIP)
    await world.commands.apply(replace(spec, data=data, strategy=strategy))


async def bring_out(world, colour, data):
    await declare(world, data)
    return await world.deploy({"colour": colour})


@pytest.fixture
async def world():
    """An application that serves its first version, of the old form."""
    world = EngineWorld()
    await world.prepare()
    await bring_out(world, "blue", OLD)
    return world


def lose(world, cluster, *, lost=True):
    faults = world.clusters[cluster].faults
    faults.unreachable = faults.gateway_down = lost


async def test_expand_and_contract_go_through_step_by_step(world):
    for colour, data in (("red", BOTH), ("green", EXPANDED), ("yellow", CONTRACTED)):
        rollout = await bring_out(world, colour, data)

        assert rollout.state.outcome == "succeeded"
        assert rollout.canary.data == data


async def test_a_step_that_is_left_out_is_refused_and_changes_nothing(world):
    await declare(world, EXPANDED)
    with pytest.raises(
        UnsafePlan, match="does not read `b`, and may still serve on aws"
    ) as refused:
        await world.deployments.deploy(APP, {"colour": "red"})

    assert "reads both forms" in refused.value.hint
    assert (await world.rollout()).number == 1
    preview = await world.deployments.preview(APP, {"colour": "red"})
    assert [each.serves for each in preview.misfits] == [("aws", "gcp", "onprem")]


async def test_the_next_step_waits_for_a_lost_cluster_that_still_has_the_version_before(world):
    lose(world, "gcp")
    for _ in range(20):
        await world.turn()
    await declare(world, BOTH)
    assert (await world.deploy({"colour": "red"})).state.outcome == "succeeded"
    await declare(world, EXPANDED)
    with pytest.raises(UnsafePlan, match="on gcp, which cannot be reached") as refused:
        await world.deployments.deploy(APP, {"colour": "green"})
    assert "until they are back" in refused.value.hint

    lose(world, "gcp", lost=False)
    for _ in range(60):
        await world.turn()
    assert (await world.deploy({"colour": "green"})).state.outcome == "succeeded"


async def test_who_forces_it_is_told_so_in_the_rollout_and_in_the_failover_story(world):
    await declare(world, EXPANDED)
    rollout = await world.deployments.deploy(APP, {"colour": "red"}, force=True)
    (remark,) = (await world.queries.rollout(APP)).remarks
    events = await Records(world.store).events(f"users/{APP}")

    assert rollout.active
    assert "do not get along" in remark
    assert "begins, forced: " in events[-1].reason
    assert "does not read `b`" in events[-1].reason


async def test_undo_over_a_step_of_the_data_is_refused_unless_forced(world):
    first = (await world.rollout()).canary
    await bring_out(world, "red", BOTH)
    await bring_out(world, "green", EXPANDED)
    with pytest.raises(UnsafePlan, match="writes `b`, which the other does not read"):
        await world.deployments.undo(APP, first.id)

    assert (await world.deployments.undo(APP, first.id, force=True)).canary.data == OLD


async def test_a_version_keeps_what_it_declared_whatever_the_file_says_later(world):
    first = (await world.rollout()).canary
    await bring_out(world, "red", BOTH)
    again = await world.deployments.preview(APP, {"colour": "blue"})
    restarted = await world.deployments.restart(APP)

    assert (again.revision.id, again.revision.data) == (first.id, OLD)
    assert restarted.canary.data == BOTH


async def test_a_version_that_was_taken_back_is_known_while_a_lost_cluster_may_serve_it(world):
    """It was never promoted, so that only its rollout remembers what it writes."""
    await bring_out(world, "red", BOTH)
    await declare(world, EXPANDED)
    taken = await world.deployments.deploy(APP, {"colour": "green"})
    for _ in range(200):
        await world.turn(0.2)
        if world.clusters["aws"].shares(APP).get(taken.canary.id):
            break
    for _ in range(2):
        await world.turn(0.2)
    lose(world, "aws")
    await world.commands.change(APP, Command.ABORT)
    for _ in range(40):
        await world.turn()
    await declare(world, OLD)
    with pytest.raises(UnsafePlan, match=f"{taken.canary.id} writes `b`.*aws.*cannot be reached"):
        await world.deployments.deploy(APP, {"colour": "purple"})


async def test_no_more_versions_have_users_than_the_file_allows_lost_clusters_included(world):
    spec = application()
    strategy = replace(
        spec.strategy, max_versions=2, keep_old_seconds=0, unreachable=Unreachable.SKIP
    )
    await world.commands.apply(replace(spec, strategy=strategy))
    lose(world, "gcp")
    for _ in range(20):
        await world.turn()
    assert (await world.deploy({"colour": "red"})).state.outcome == "succeeded"
    with pytest.raises(UnsafePlan, match=r"one version too many.*on gcp") as refused:
        await world.deployments.deploy(APP, {"colour": "green"})
    assert "until they are back" in refused.value.hint

    lose(world, "gcp", lost=False)
    for _ in range(60):
        await world.turn()
    assert (await world.deploy({"colour": "green"})).state.outcome == "succeeded"
