"""Users leave a cluster when most of all who look at it say so, and come back step by step."""

from dataclasses import replace

import pytest

from crossfade.core.application import Failover
from crossfade.core.failover.decide import Action
from crossfade.core.failover.evidence import Condition
from crossfade.core.failover.failback import Failback
from crossfade.core.failover.standing import Standing
from crossfade.core.fleet.signals import Vote
from crossfade.engine.loops.failover import patience_of, sample_of
from crossfade.engine.records import Records
from crossfade.ports.edge import EdgeTargetSight
from crossfade.testing.builders import APP, CLUSTERS, application

ALL = dict.fromkeys(CLUSTERS, 100)


def kill(cluster):
    cluster.faults.unreachable = cluster.faults.gateway_down = True


def bring_back(cluster):
    cluster.faults.unreachable = cluster.faults.gateway_down = False


async def turns(world, count):
    for _ in range(count):
        await world.turn()


async def health(world, name="gcp"):
    return (await Records(world.store).find_health(name)).value


@pytest.mark.parametrize(
    ("unreachable", "gateway_down", "condition"),
    [
        (True, False, Condition.API_DOWN),
        (False, True, Condition.DATA_PLANE_DOWN),
        (True, True, Condition.BOTH_DOWN),
        (False, False, Condition.HEALTHY),
    ],
)
async def test_what_is_down_is_told_apart(world, unreachable, gateway_down, condition):
    faults = world.clusters["gcp"].faults
    faults.unreachable, faults.gateway_down = unreachable, gateway_down
    await turns(world, 80)

    assert (await health(world)).condition is condition
    assert (world.weights()["gcp"] == 0) is gateway_down


async def test_users_have_left_a_dead_cloud_within_four_seconds(world):
    kill(world.clusters["gcp"])
    await turns(world, 8)

    assert world.weights() == ALL | {"gcp": 0}
    known = await health(world)
    assert known.action in {Action.MOVE, Action.STAY}
    assert known.stands.standing is Standing.OUT
    assert {each.vote.value for each in known.witnesses} == {"down"}


async def test_the_history_says_who_says_what(world):
    kill(world.clusters["gcp"])
    await turns(world, 8)
    events = await world.store.events("cluster/gcp")
    moved = next(each for each in events if each.facts.get("action") == "move")

    assert "confirmed by most observers" in moved.reason
    assert [each["name"] for each in moved.facts["witnesses"]] == ["edge:edge-1", "hub"]


async def test_a_cluster_that_calls_its_own_nodes_dead_is_told_and_keeps_its_users(world):
    """A control plane that lost sight of its nodes, while users are served there."""
    world.clusters["gcp"].ready_nodes = 0
    await turns(world, 240)
    said = {each.name: each for each in (await health(world)).witnesses}

    assert said["nodes"].vote is Vote.DOWN
    assert said["nodes"].detail == "0 of 3 nodes are ready"
    assert said["pods"].vote is Vote.UP
    assert world.weights() == ALL
    assert (await health(world)).stands.standing is Standing.SERVING


async def test_a_lonely_observer_is_believed_sooner_when_no_node_is_ready(world):
    """Without an edge that reports, the hub alone sees the gateway dead; the nodes agree."""
    gcp = world.clusters["gcp"]
    gcp.faults.gateway_down = True
    gcp.ready_nodes = 0
    for _ in range(60):
        world.clock.advance(0.5)
        await world.hub.turn()
        for sight in await world.edges.sights():
            world.edges.forget(sight.edge)

    assert (await health(world)).condition is Condition.DATA_PLANE_DOWN
    moved = [e for e in await world.store.events("cluster/gcp") if e.facts.get("action") == "move"]
    assert {"name": "nodes", "vote": "down", "detail": "0 of 3 nodes are ready"} in moved[0].facts[
        "witnesses"
    ]


async def test_one_observer_that_is_cut_off_moves_nobody(world):
    """The edge serves users well there: it is this hub that cannot see the gateway."""
    gcp = world.clusters["gcp"]
    gcp.faults.unreachable = True
    await turns(world, 10)
    # The hub's own probe fails, too, while edges report that users are served.
    gcp.faults.gateway_down = True
    for _ in range(40):
        world.clock.advance(0.5)
        sights = [EdgeTargetSight(APP, name, healthy=True, requests=100) for name in CLUSTERS]
        world.edges.report("edge-1", *sights)
        await world.hub.turn()

    assert (await health(world)).condition is Condition.UNKNOWN
    assert world.weights()["gcp"] == 100


async def test_a_hub_that_was_busy_for_seconds_has_heard_all_that_an_edge_has_said(world):
    """Three bad probes in a row are three, also for who comes to read them only now."""

    def says(healthy: bool) -> None:
        world.clock.advance(1)
        seen = [EdgeTargetSight(APP, name, healthy or name != "gcp") for name in CLUSTERS]
        world.edges.report("edge-9", *seen)

    says(healthy=True)
    await world.hub.turn()
    for _ in range(3):
        says(healthy=False)
    await world.hub.turn()

    votes = {each.name: each.vote for each in (await health(world)).witnesses}
    assert votes["edge:edge-9"] is Vote.DOWN


async def test_a_second_cloud_that_dies_waits_for_the_budget(world):
    for name in ("aws", "gcp"):
        kill(world.clusters[name])
    await turns(world, 20)
    out = [n for n in CLUSTERS if (await health(world, n)).stands.standing is Standing.OUT]
    assert len(out) == 1
    await turns(world, 120)

    assert {n: world.weights()[n] for n in ("aws", "gcp")} == {"aws": 0, "gcp": 0}


async def test_grey_failure_takes_users_off_though_every_probe_is_answered(world):
    world.troubled["gcp"] = 0.2
    left = False
    for _ in range(60):
        await world.turn()
        left = left or world.weights() == ALL | {"gcp": 0}
    told = [each.facts.get("after") for each in await world.store.events("cluster/gcp")]

    assert left
    assert "grey" in told


async def test_users_come_back_over_five_steps_and_never_all_at_once(world):
    gcp = world.clusters["gcp"]
    kill(gcp)
    await turns(world, 10)
    bring_back(gcp)
    seen = []
    for _ in range(150):
        await world.turn()
        weights = [t.weight for t in world.edges.plans[-1].routes[0].targets if t.cluster == "gcp"]
        if weights[0] not in seen:
            seen.append(weights[0])

    assert seen == [0, 33, 166, 833, 1666, 3333]


async def test_users_do_not_come_back_to_a_cluster_that_serves_them_worse(world):
    gcp = world.clusters["gcp"]
    kill(gcp)
    await turns(world, 10)
    bring_back(gcp)
    for _ in range(200):
        await world.turn()
        if 0 < world.weights()["gcp"] < 100:
            world.troubled["gcp"] = 0.5
    assert world.weights()["gcp"] == 0


@pytest.mark.parametrize("policy", [Failback.MANUAL, Failback.NEVER])
async def test_users_stay_away_until_a_person_brings_them_back(world, policy):
    spec = application()
    failover = Failover(failback=policy, recover_seconds=2.0, step_seconds=1.0)
    await world.commands.apply(replace(spec, failover=failover))
    gcp = world.clusters["gcp"]
    kill(gcp)
    await turns(world, 10)
    bring_back(gcp)
    await turns(world, 100)
    assert world.weights()["gcp"] == 0

    await world.commands.restore_cluster("gcp")
    await turns(world, 4)
    assert world.weights()["gcp"] > 0
    await turns(world, 60)
    assert world.weights() == ALL


async def test_an_application_that_wants_no_automation_is_left_where_it_is(world):
    await world.commands.apply(replace(application(), failover=Failover(auto=False)))
    kill(world.clusters["gcp"])
    await turns(world, 40)

    assert world.weights() == ALL


async def test_a_cloud_that_flaps_twenty_times_moves_its_users_once(world):
    gcp = world.clusters["gcp"]
    await world.commands.apply(replace(application(), failover=Failover()))
    moved = []
    for _ in range(20):
        for act, seconds in ((kill, 15), (bring_back, 15)):
            act(gcp)
            for _ in range(seconds * 2):
                before = world.weights()["gcp"]
                await world.turn()
                if bool(before) is not bool(world.weights()["gcp"]):
                    moved.append(world.clock.now())

    assert len(moved) == 1


async def test_a_new_hub_knows_what_the_old_one_had_decided(world):
    kill(world.clusters["gcp"])
    await turns(world, 10)
    world.start_hub()
    await turns(world, 4)

    assert world.weights() == ALL | {"gcp": 0}
    assert (await health(world)).stands.standing is Standing.OUT


async def test_looks_that_show_nothing_new_are_not_saved(world):
    await turns(world, 4)
    before = await world.store.sequence()
    await turns(world, 20)

    assert await world.store.sequence() == before


def test_one_application_that_is_well_says_that_the_cluster_is():
    well = EdgeTargetSight(APP, "gcp", healthy=True, requests=10, failed=1)
    ill = EdgeTargetSight("other", "gcp", healthy=False, requests=5, failed=5, connect_failures=5)

    sample = sample_of([well, ill])
    assert (sample.probe, sample.requests, sample.failed, sample.connect_failures) == (
        True,
        15,
        6,
        0,
    )
    assert sample_of([ill]).connect_failures == 5


def test_clusters_come_back_as_slowly_as_the_slowest_application_asks():
    slow = replace(application(), failover=Failover(recover_seconds=300.0))

    assert patience_of([application(), slow]).recover_seconds == 300.0
    assert patience_of([]).recover_seconds == 60.0
