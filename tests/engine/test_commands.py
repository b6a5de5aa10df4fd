"""What people ask for is done whole or refused whole, whatever the hub does meanwhile."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Conflict, Denied, InputError, NotFound, Unavailable
from crossfade.core.application import Placement
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.spec import Pause, SetWeight
from crossfade.core.rollout.state import Outcome, Phase
from crossfade.engine.records import Records, save_health
from crossfade.testing.builders import APP, CLUSTERS, application
from crossfade.testing.engine_world import EngineWorld

YELLOW = {"colour": "yellow"}


def with_route(spec, **changes):
    return replace(spec, route=replace(spec.route, **changes))


async def test_a_cluster_that_cannot_be_reached_is_not_added():
    world = EngineWorld()
    for fault, error in (("unreachable", Unavailable), ("denied", Denied)):
        setattr(world.clusters["aws"].faults, fault, True)
        with pytest.raises(error):
            await world.commands.add_cluster(Cluster("aws", "aws", "/kubeconfig"))
        setattr(world.clusters["aws"].faults, fault, False)
    assert await world.queries.fleet() == ()


async def test_a_cluster_may_be_changed(world):
    cluster = (await world.queries.fleet())[0].cluster
    assert await world.commands.add_cluster(replace(cluster, region="west")) == "v1.32.0"

    assert (await world.queries.fleet())[0].cluster.region == "west"
    assert len(await world.queries.fleet()) == 3


async def test_a_cluster_that_leaves_gets_no_users_and_is_left_alone(world):
    acts = len(world.clusters["gcp"].acts)
    await world.commands.remove_cluster("gcp")
    for _ in range(3):
        await world.turn()

    assert world.weights() == {"aws": 100, "onprem": 100}
    assert len(world.clusters["gcp"].acts) == acts
    assert world.clusters["gcp"].revisions
    assert [each.cluster.name for each in await world.queries.fleet()] == ["aws", "onprem"]


async def test_a_cluster_leaves_also_while_the_hub_writes_of_it(world, monkeypatch):
    commit, raced = world.store.commit, []

    async def race(changes, events=(), fence=0):
        if not raced:
            raced.append(True)
            health = await Records(world.store).find_health("gcp")
            await commit((save_health(health.version, health.value),))
        return await commit(changes, events, fence)

    monkeypatch.setattr(world.store, "commit", race)
    await world.commands.remove_cluster("gcp")

    assert len(await world.queries.fleet()) == 2


async def test_a_cluster_that_comes_again_gets_users_only_after_a_new_look(world):
    """The hub may have saved a last look at it just when it left."""
    report = await world.store.get("report", "colors@gcp")
    cluster = (await world.queries.fleet())[1].cluster
    await world.commands.remove_cluster("gcp")
    await Records(world.store).commit(
        replace_as_save(report),
    )
    world.clusters["gcp"].revisions.clear()
    world.clusters["gcp"].routes.clear()
    world.clusters["gcp"].follow_route()
    await world.commands.add_cluster(cluster)

    assert await world.store.get("report", "colors@gcp") is None


def replace_as_save(document):
    from crossfade.ports.documents import Save

    return Save(document.kind, document.name, 0, document.body)


async def test_the_only_cluster_of_an_application_cannot_leave(world):
    await world.commands.remove_cluster("gcp")
    await world.commands.remove_cluster("aws")
    with pytest.raises(InputError, match="only cluster of `colors`") as raised:
        await world.commands.remove_cluster("onprem")
    assert raised.value.hint
    assert len(await world.queries.fleet()) == 1


async def test_an_unknown_cluster_cannot_leave(world):
    with pytest.raises(NotFound) as raised:
        await world.commands.remove_cluster("azure")
    assert "aws, gcp, onprem" in raised.value.hint


async def test_a_file_is_created_then_unchanged_then_configured():
    world = EngineWorld()
    words = [await world.commands.apply(application()) for _ in range(2)]
    words.append(await world.commands.apply(application(SetWeight(1))))

    assert words == ["created", "unchanged", "configured"]


async def test_a_file_is_refused_for_what_began_while_it_was_looked_at(monkeypatch):
    """An application that runs cannot move: its pods would stay in the old namespace for ever."""
    world = EngineWorld()
    await world.prepare()
    listed, raced = world.store.list, []

    async def race(kind, names=None):
        if not raced:
            raced.append(True)
            await world.deployments.deploy(APP, YELLOW)
        return await listed(kind, names)

    moved = replace(application(), namespace="elsewhere")
    monkeypatch.setattr(world.store, "list", race)
    with pytest.raises(InputError, match="cannot move"):
        await world.commands.apply(moved)

    assert (await world.queries.record(APP)).spec.namespace != "elsewhere"


async def test_a_changed_route_is_written_again_in_every_cluster(world):
    before = (await world.queries.record(APP)).epoch
    await world.commands.apply(with_route(application(), host="new.localhost"))
    for _ in range(3):
        await world.turn()

    assert (await world.queries.record(APP)).epoch == before + 1
    for cluster in world.clusters.values():
        (route,) = cluster.served.values()
        assert (route.host, route.epoch) == ("new.localhost", before + 1)
    (route,) = world.edges.plans[-1].routes
    assert route.host == "new.localhost"
    assert world.weights() == dict.fromkeys(CLUSTERS, 100)


async def test_a_change_that_no_route_needs_moves_no_user(world):
    before = (await world.queries.record(APP)).wanted
    await world.commands.apply(application(SetWeight(1), Pause()))

    assert (await world.queries.record(APP)).wanted == before


async def test_an_application_that_serves_cannot_move_to_another_namespace(world):
    """Nothing of it would be found there, so that it would be installed without end."""
    with pytest.raises(InputError, match="namespace") as raised:
        await world.commands.apply(replace(application(), namespace="other"))
    assert raised.value.hint
    assert (await world.queries.record(APP)).spec.namespace == "default"


async def test_the_namespace_may_still_change_before_the_first_deployment():
    world = EngineWorld()
    await world.commands.apply(application())

    assert await world.commands.apply(replace(application(), namespace="other")) == "configured"


async def test_a_placement_that_fits_no_cluster_is_refused_while_users_are_served(world):
    with pytest.raises(InputError, match="no cluster") as raised:
        await world.commands.apply(replace(application(), placement=Placement({"tier": "prdo"})))
    assert raised.value.facts["wanted"] == "tier=prdo"
    await world.turn()
    assert world.weights() == dict.fromkeys(CLUSTERS, 100)


@pytest.mark.parametrize(
    "command", [Command.PROMOTE, Command.PAUSE, Command.RESUME, Command.ABORT, Command.SKIP]
)
async def test_what_is_over_cannot_be_steered(world, command):
    with pytest.raises(Conflict, match=f"cannot {command} rollout colors.1") as raised:
        await world.commands.change(APP, command)
    assert "rollout list" in raised.value.hint


async def test_before_the_first_rollout_there_is_nothing_to_steer():
    world = EngineWorld()
    await world.prepare()
    with pytest.raises(NotFound, match="no rollout yet") as raised:
        await world.commands.change(APP, Command.PAUSE)
    assert "crossfade deploy colors" in raised.value.hint


async def test_a_person_holds_and_lets_go(world, turn_until):
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda rollout: rollout.state.percent == 10)
    await world.commands.change(APP, Command.PAUSE)
    for _ in range(60):
        await world.turn()
    assert (await world.rollout()).state.percent == 10
    assert "resume" in (await world.rollout()).state.reason
    await world.commands.change(APP, Command.RESUME)

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_a_person_takes_it_back(world, turn_until):
    await world.deployments.deploy(APP, YELLOW)
    rollout = await turn_until(world, lambda rollout: rollout.state.percent == 10)
    await world.commands.change(APP, Command.ABORT)
    ended = await world.until_ended()

    assert (ended.state.outcome, ended.state.percent) == (Outcome.ROLLED_BACK, 0)
    assert "aborted by a person; rolled back 3/3" in ended.state.reason
    for cluster in world.clusters.values():
        assert rollout.canary.id not in cluster.shares(APP)


async def test_promote_ends_an_endless_pause(world, turn_until):
    await world.commands.apply(application(SetWeight(10), Pause(), SetWeight(50)))
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda rollout: "until promoted" in rollout.state.reason)
    await world.commands.change(APP, Command.PROMOTE)

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_full_promotion_waits_for_pods_all_the_same(world):
    for cluster in world.clusters.values():
        cluster.pods_start = False
    await world.deployments.deploy(APP, YELLOW)
    await world.turn()
    rollout = await world.commands.change(APP, Command.PROMOTE_FULL)
    for _ in range(5):
        await world.turn()
    assert (await world.rollout()).state.phase is Phase.INSTALLING
    for cluster in world.clusters.values():
        cluster.start_pods(rollout.canary.id)
        cluster.pods_start = True

    assert (await world.until_ended()).state.outcome is Outcome.SUCCEEDED


async def test_a_command_goes_through_while_the_hub_writes(world, monkeypatch, turn_until):
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda rollout: rollout.state.percent == 10)
    commit, races = world.store.commit, []

    async def race(changes, events=(), fence=0):
        if len(races) < 3:
            races.append(True)
            raise Conflict("the hub was faster", hint="read again")
        return await commit(changes, events, fence)

    monkeypatch.setattr(world.store, "commit", race)
    assert (await world.commands.change(APP, Command.PAUSE)).state.paused


async def test_what_people_ask_for_is_in_the_history(world, turn_until):
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda rollout: rollout.state.percent == 10)
    await world.commands.change(APP, Command.PAUSE)
    await world.commands.change(APP, Command.RESUME)
    events = await Records(world.store).events("rollout/colors.000002")

    reasons = [event.reason for event in events]
    assert reasons[0].startswith("rollout to r")
    assert reasons[-2:] == ["paused by a person", "resumed by a person"]


async def test_two_applications_cannot_have_one_host_since_edges_could_not_tell_them_apart(world):
    other = replace(application(), name="other")

    with pytest.raises(InputError, match="`colors` has the host"):
        await world.commands.apply(other)

    assert await world.commands.records.find_application("other") is None
