"""What the edges are told: nobody is sent where nobody answers, and somebody always serves."""

from dataclasses import replace

import pytest

from crossfade.base.ids import ApplicationName
from crossfade.core.application import Placement
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.engine.loops.traffic import served
from crossfade.ports.edge import EdgeSight, EdgeTargetSight
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.engine_world import EngineWorld

ALL = dict.fromkeys(CLUSTERS, 100)
YELLOW = {"colour": "yellow"}


def kill(cluster):
    cluster.faults.unreachable = cluster.faults.gateway_down = True


async def turns(world, count):
    for _ in range(count):
        await world.turn()


async def test_a_lost_cluster_gets_no_users_and_is_told_why(world):
    kill(world.clusters["gcp"])
    await turns(world, 4)

    assert world.weights() == ALL | {"gcp": 0}
    events = await world.store.events("edge-plan/current")
    assert "gcp 0 % (out)" in events[-1].reason


async def test_when_every_cluster_looks_gone_the_last_plan_stays(world):
    """Far more often the observer is cut off than all clouds are gone."""
    for cluster in world.clusters.values():
        kill(cluster)
    await turns(world, 10)

    assert sum(world.weights().values()) > 0


async def test_a_hub_that_starts_while_everything_looks_gone_publishes_the_saved_plan(world):
    for cluster in world.clusters.values():
        kill(cluster)
    published = len(world.edges.plans)
    world.start_hub()
    await turns(world, 10)

    assert world.edges.plans[published:] in ([], [world.edges.plans[-1]])
    assert all(plan.routes[0].targets for plan in world.edges.plans[published - 1 :])
    assert sum(world.weights().values()) > 0


async def test_a_new_hub_first_tells_edges_what_the_old_one_told_them(world):
    from crossfade.testing.fake_edges import FakeEdges

    last = world.edges.plans[-1]
    world.edges = FakeEdges()
    world.start_hub()
    await world.turn()

    assert world.edges.plans == [last]


async def test_a_route_that_changed_while_no_hub_ran_empties_no_plan(world):
    spec, published = application(), len(world.edges.plans)
    await world.commands.apply(replace(spec, route=replace(spec.route, probe_path="/healthz")))
    world.clock.advance(3600.0)
    world.start_hub()
    await turns(world, 5)

    for plan in world.edges.plans[published - 1 :]:
        assert any(target.weight for target in plan.routes[0].targets)
    assert world.weights() == ALL


async def test_the_last_cluster_that_serves_keeps_its_users_while_others_are_made_ready(world):
    """Moved to another cluster by its file, an application serves where it did until then."""
    gcp = (await world.queries.fleet())[1].cluster
    await world.commands.remove_cluster("gcp")
    await turns(world, 2)
    await world.commands.add_cluster(replace(gcp, labels={"tier": "new"}))
    world.clusters["gcp"].pods_start = False
    world.clusters["gcp"].revisions.clear()
    world.clusters["gcp"].routes.clear()
    world.clusters["gcp"].follow_route()
    await world.commands.apply(replace(application(), placement=Placement({"tier": "new"})))
    await turns(world, 20)
    weights = world.weights()
    assert weights.get("gcp", 0) == 0
    assert (weights["aws"], weights["onprem"]) == (100, 100)

    for _, revision in tuple(world.clusters["gcp"].revisions):
        world.clusters["gcp"].start_pods(revision)
    await turns(world, 5)
    assert world.weights() == {"gcp": 100}


async def test_a_cluster_without_a_ready_pod_gets_no_users(world):
    for _, revision in world.clusters["gcp"].revisions:
        world.clusters["gcp"].stop_pods(revision)
    await turns(world, 3)
    assert world.weights() == ALL | {"gcp": 0}
    for _, revision in world.clusters["gcp"].revisions:
        world.clusters["gcp"].start_pods(revision)
    await turns(world, 3)
    assert world.weights() == ALL


@pytest.mark.parametrize("pod_capacity", [None, 100])
async def test_users_stay_where_they_are_served_whatever_a_control_plane_says_of_pods(
    world, pod_capacity
):
    """It has lost sight of its nodes; the edges find every user served there."""
    placement = replace(application().placement, pod_capacity=pod_capacity)
    await world.commands.apply(replace(application(), placement=placement))
    await turns(world, 4)
    world.clusters["gcp"].faults.blind = True
    for _ in range(60):
        await world.turn()
        assert world.weights()["gcp"] > 90

    world.clusters["gcp"].faults.gateway_down = True
    await turns(world, 8)
    assert world.weights()["gcp"] == 0


async def test_no_user_comes_to_a_cluster_that_says_that_no_pod_is_ready(world):
    gcp = world.clusters["gcp"]
    kill(gcp)
    await turns(world, 10)
    gcp.faults.unreachable = gcp.faults.gateway_down = False
    gcp.faults.blind = True
    for _ in range(40):
        await world.turn()
        assert world.weights()["gcp"] == 0


@pytest.mark.parametrize(
    ("reports", "found"),
    [
        pytest.param({"edge-1": True}, True, id="the-only-edge"),
        pytest.param({"edge-1": True, "edge-2": True, "edge-3": False}, True, id="most"),
        pytest.param({"edge-1": True, "edge-2": False}, False, id="half"),
        pytest.param({"edge-1": True, "silent": True}, False, id="one-is-silent"),
        pytest.param({}, False, id="nobody"),
    ],
)
def test_who_is_served_is_said_by_most_of_all_edges(reports, found):
    sights = tuple(
        EdgeSight(
            name, 0.0 if name == "silent" else 99.0, (EdgeTargetSight(APP, "gcp", healthy=well),)
        )
        for name, well in reports.items()
    )

    assert ((APP, "gcp") in served(sights, 100.0)) is found


async def test_shares_of_clusters_are_those_of_the_file(world):
    await world.commands.apply(replace(application(), edge_weights={"aws": 10, "gcp": 0}))
    await turns(world, 2)

    assert world.weights() == {"aws": 10, "gcp": 0, "onprem": 100}


async def test_a_plan_that_stays_the_same_is_neither_saved_nor_numbered_again(world):
    await turns(world, 2)
    number, sequence = world.edges.plans[-1].number, await world.store.sequence()
    await turns(world, 10)

    assert world.edges.plans[-1].number == number
    assert await world.store.sequence() == sequence


async def test_during_a_whole_rollout_every_plan_has_somebody_who_serves(world):
    published = len(world.edges.plans)
    await world.deploy(YELLOW)

    for plan in world.edges.plans[published - 1 :]:
        assert any(target.weight for target in plan.routes[0].targets)


async def test_a_gateway_that_moves_is_followed(world):
    gateway = world.clusters["gcp"].gateways["infra/public"]
    world.clusters["gcp"].gateways["infra/public"] = replace(gateway, port=8080)
    await turns(world, 14)
    (route,) = world.edges.plans[-1].routes

    assert {t.cluster: t.port for t in route.targets} == {"aws": 80, "gcp": 8080, "onprem": 80}


async def test_another_gateway_is_used_from_the_moment_its_route_is_there(world):
    for cluster in world.clusters.values():
        old = cluster.gateways["infra/public"]
        cluster.gateways["infra/other"] = replace(old, port=8081)
    spec = application()
    await world.commands.apply(replace(spec, route=replace(spec.route, gateway="infra/other")))
    await turns(world, 2)
    (route,) = world.edges.plans[-1].routes

    assert {target.port for target in route.targets} == {8081}


async def test_an_application_that_nobody_has_deployed_has_no_route_at_the_edge(world):
    spec = application()
    other = replace(spec, name="other", route=replace(spec.route, host="other.localhost"))
    await world.commands.apply(other)
    await turns(world, 3)

    assert [route.application for route in world.edges.plans[-1].routes] == [APP]


async def test_users_stay_on_every_cluster_while_the_gateways_turn_to_the_next_step():
    world = EngineWorld()
    await world.prepare(application(SetWeight(10), Pause(60.0)))
    await world.deploy({"colour": "blue"})
    for name in CLUSTERS[1:]:
        world.clusters[name].routes_follow = False
    await world.deployments.deploy(APP, {"colour": "yellow"})

    for _ in range(9):
        await world.turn()
        assert set(world.weights().values()) == {100}, world.edges.plans[-1]

    assert (await world.rollout()).state.percent == 10


async def test_edges_are_told_of_sticky_users_and_of_posts_that_may_be_done_twice():
    world, spec = EngineWorld(), application()
    await world.prepare(
        replace(spec, route=replace(spec.route, sticky=True, retry_non_idempotent=True))
    )
    await world.deploy(YELLOW)
    (route,) = world.edges.plans[-1].routes

    assert (route.sticky, route.retry_non_idempotent) == (True, True)


async def test_less_important_users_do_not_take_the_room_of_those_who_fled_a_dead_cluster():
    """Edges leave two dead clouds at once; the hub takes out one, and the other a minute later."""
    shop, room = ApplicationName("shop"), dict.fromkeys(CLUSTERS, 200)
    made = EngineWorld(capacities=room, requests_per_second=50, beside={shop: 150})
    spec = application()
    first = replace(spec, placement=Placement(priority=1))
    await made.prepare(first)
    other = replace(spec.route, host="shop.localhost", service="shop")
    await made.commands.apply(replace(spec, name=shop, route=other))
    await made.deploy({"colour": "blue"})
    await made.deployments.deploy(shop, {"colour": "blue"})
    await turns(made, 60)
    kill(made.clusters["aws"])
    kill(made.clusters["gcp"])
    await turns(made, 20)

    users = {name: each.value for name, each in (await made.queries.records.users()).items()}
    served = {name: each.recent * (1 - each.shed / 10_000) for name, each in users.items()}
    assert len([name for name in ("aws", "gcp") if users[APP].share(name)]) == 1
    assert served[APP] == pytest.approx(users[APP].recent)
    assert sum(served.values()) == pytest.approx(200, rel=0.03)
