"""A drill takes a cluster out as a loss would, and brings its users back whatever happens."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Conflict, InputError, NotFound, UnsafePlan
from crossfade.core.application import Placement
from crossfade.core.failover.drill import Objective, Outcome, Phase
from crossfade.core.failover.standing import Standing
from crossfade.engine.drilling import Drilling, Order
from crossfade.engine.records import Records
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.fake_cluster import HubKilled

ALL = dict.fromkeys(CLUSTERS, 100)


def drilling(world):
    return Drilling(Records(world.store), world.clock)


async def begin(world, cluster="gcp", seconds=20.0, **options):
    return await drilling(world).begin(Order(cluster, seconds, **options))


async def turns(world, count):
    for _ in range(count):
        await world.turn()


async def until(world, phase, most=120):
    for _ in range(most):
        drill = (await drilling(world).drills())[0]
        if drill.phase is phase:
            return drill
        await world.turn()
    raise AssertionError(f"never {phase}: {drill}")


async def health(world, name="gcp"):
    return (await Records(world.store).find_health(name)).value


@pytest.fixture
async def world(world):
    """Blue serves everywhere, and one edge is connected and reports."""
    world.edges.connect("edge-1")
    await turns(world, 4)
    return world


async def test_users_leave_as_in_a_loss_and_are_back_at_once_afterwards(world):
    await begin(world)
    await until(world, Phase.OUT)
    await turns(world, 16)
    assert world.weights() == ALL | {"gcp": 0}
    assert (await health(world)).stands.standing is Standing.OUT
    drill = await until(world, Phase.RETURNING)
    assert world.weights() == ALL, "users did not come back as soon as the way was open"
    drill = await until(world, Phase.ENDED)

    assert drill.outcome is Outcome.MEASURED
    assert 0 < drill.recovery_seconds(drill.courses[0]) < 6
    assert drill.returned_at is not None
    assert world.weights() == ALL
    known = await health(world)
    assert known.stands.standing is Standing.SERVING
    assert known.removal is None, "a drill must not use up what may be taken out in a real loss"


async def test_users_stay_after_a_drill_without_leaving_for_a_moment(world):
    await begin(world)
    await until(world, Phase.RETURNING)
    published = len(world.edges.plans)
    await turns(world, 40)

    for plan in world.edges.plans[published - 1 :]:
        assert all(target.weight for target in plan.routes[0].targets)


async def test_what_was_seen_while_it_was_out_is_not_held_against_it(world):
    await begin(world, seconds=60.0)
    await until(world, Phase.OUT)
    await turns(world, 4)
    await world.commands.restore_cluster("gcp")
    await until(world, Phase.RETURNING)
    told = len(await world.store.events("cluster/gcp"))
    await until(world, Phase.ENDED)

    after = (await world.store.events("cluster/gcp"))[told:]
    assert {each.facts.get("standing", "serving") for each in after} == {"serving"}


async def test_a_drill_is_no_flap_so_that_a_later_loss_waits_no_longer(world):
    await begin(world)
    await until(world, Phase.ENDED)
    gcp = world.clusters["gcp"]
    gcp.faults.unreachable = gcp.faults.gateway_down = True
    await turns(world, 12)

    assert (await health(world)).stands.wait_seconds == application().failover.recover_seconds


@pytest.mark.parametrize(
    ("recovery", "outcome"), [(20.0, Outcome.MET), (0.1, Outcome.MISSED), (None, Outcome.MEASURED)]
)
async def test_what_was_measured_is_compared_with_what_is_declared(world, recovery, outcome):
    spec = application()
    promised = replace(spec.failover, objective=Objective(recovery))
    await world.commands.apply(replace(spec, failover=promised))
    await begin(world)
    drill = await until(world, Phase.ENDED)

    assert drill.outcome is outcome


async def test_users_are_brought_back_within_two_seconds_when_too_many_requests_fail(world):
    await begin(world, seconds=60.0)
    await until(world, Phase.OUT)
    await turns(world, 10)
    world.failing_users = 0.5
    began = world.clock.now()
    drill = await until(world, Phase.RETURNING)

    assert world.clock.now() - began <= 2.0
    assert drill.outcome is Outcome.ABORTED
    assert "budget" in drill.reason
    assert world.weights() == ALL


async def test_a_hub_that_is_killed_in_the_middle_is_followed_by_one_that_restores(world):
    await begin(world, seconds=3600.0)
    await until(world, Phase.OUT)
    await turns(world, 10)
    world.start_hub()
    drill = await until(world, Phase.RETURNING, most=3)

    assert drill.outcome is Outcome.ABORTED
    assert "started anew" in drill.reason
    await until(world, Phase.ENDED)
    assert world.weights() == ALL


@pytest.mark.parametrize(("when", "first"), [("before", 3), ("after", 4)])
async def test_a_hub_that_is_killed_at_any_commit_of_a_drill_leaves_nobody_away(world, when, first):
    for number in range(first, 10, 2):
        await begin(world, seconds=6.0)
        setattr(world.hub.documents, f"kill_{when}", world.hub.documents.commits + number)
        for _ in range(80):
            try:
                await world.turn()
            except HubKilled:
                world.start_hub()
            if (await drilling(world).drills())[0].phase is Phase.ENDED:
                break
        await until(world, Phase.ENDED)
        await turns(world, 12)
        assert world.weights() == ALL


async def test_a_person_ends_a_drill(world):
    await begin(world, seconds=600.0)
    await until(world, Phase.OUT)
    await world.commands.restore_cluster("gcp")
    drill = await until(world, Phase.RETURNING, most=2)

    assert drill.outcome is Outcome.ABORTED
    assert world.weights() == ALL


async def test_a_real_loss_elsewhere_ends_the_drill(world):
    await begin(world, seconds=600.0)
    await until(world, Phase.OUT)
    await turns(world, 10)
    aws = world.clusters["aws"]
    aws.faults.unreachable = aws.faults.gateway_down = True
    drill = await until(world, Phase.RETURNING)

    assert "aws" in drill.reason
    await turns(world, 10)
    assert world.weights() == ALL | {"aws": 0}


async def test_an_edge_that_falls_silent_ends_the_drill(world):
    await begin(world, seconds=600.0)
    await until(world, Phase.OUT)
    world.edges.disconnect("edge-1")
    drill = await until(world, Phase.RETURNING, most=4)

    assert "no edge is connected" in drill.reason


async def test_a_cloud_that_really_dies_during_its_drill_is_left_out_afterwards(world):
    await begin(world, seconds=8.0)
    await until(world, Phase.OUT)
    gcp = world.clusters["gcp"]
    gcp.faults.unreachable = gcp.faults.gateway_down = True
    drill = await until(world, Phase.ENDED)

    assert drill.returned_at is None
    assert "not back" in drill.reason
    assert world.weights() == ALL | {"gcp": 0}


async def test_a_dry_run_counts_users_and_touches_nobody(world):
    published = len(world.edges.plans)
    await begin(world, dry_run=True)
    drill = await until(world, Phase.ENDED)

    assert drill.outcome is Outcome.POSSIBLE
    assert drill.courses[0].baseline_requests > 0
    assert len(world.edges.plans) == published


async def refused(world):
    await begin(world)
    drill = await until(world, Phase.ENDED)
    assert drill.outcome is Outcome.REFUSED
    assert drill.began_at is None
    return drill.reason


async def test_a_drill_is_refused_that_others_cannot_carry(world):
    spec = application()
    # Three pods a cluster: what two of them carry is less than what all users ask for.
    await world.commands.apply(replace(spec, placement=Placement(pod_capacity=40)))
    await turns(world, 4)

    assert "requests per second of capacity are missing" in await refused(world)


async def test_a_drill_is_refused_while_another_cluster_is_away(world):
    aws = world.clusters["aws"]
    aws.faults.unreachable = aws.faults.gateway_down = True
    await turns(world, 12)

    assert "aws cannot serve either" in await refused(world)


async def test_a_drill_is_refused_during_a_rollout(world):
    await world.deployments.deploy(APP, {"colour": "green"})

    assert "a rollout of colors is under way" in await refused(world)


async def test_a_drill_is_refused_while_requests_fail_anyway(world):
    world.failing_users = 0.2

    assert "fail already" in await refused(world)


async def test_a_drill_is_refused_while_nobody_asks(world):
    world.requests_per_second = 0

    assert "nothing would be learnt" in await refused(world)


async def test_a_drill_is_refused_without_an_edge_that_counts(world):
    world.edges.disconnect("edge-1")

    assert "no edge is connected" in await refused(world)


async def test_the_last_copy_is_not_taken_out_for_a_drill(world):
    for name in ("aws", "onprem"):
        await world.commands.drain_cluster(name)
    await turns(world, 4)

    with pytest.raises(UnsafePlan, match="last copy"):
        await begin(world)


async def test_what_makes_no_sense_is_refused_at_once(world):
    with pytest.raises(NotFound):
        await begin(world, "azure")
    await begin(world)
    with pytest.raises(Conflict, match="a drill of gcp goes on"):
        await begin(world, "aws")
    await until(world, Phase.ENDED)
    await world.commands.drain_cluster("gcp")
    await turns(world, 4)
    with pytest.raises(InputError, match="has no users"):
        await begin(world)


async def test_drills_are_kept_and_told_in_the_history(world):
    await begin(world)
    await until(world, Phase.ENDED)
    await begin(world, "aws")
    await until(world, Phase.ENDED)

    assert [each.cluster for each in await drilling(world).drills()] == ["aws", "gcp"]
    told = [each.reason for each in await world.store.events("cluster/gcp")]
    assert any("drill 1: taken out for 20s" in each for each in told)
    assert any("drill 1: users are back" in each for each in told)
