"""What would not survive the losses that it promises to survive is refused, and says what lacks."""

from dataclasses import replace

import pytest

from crossfade.base.errors import UnsafePlan
from crossfade.core.application import Placement
from crossfade.engine.admission import Admissions
from crossfade.engine.records import Records
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld


def promising(survive=1, **placement):
    spec = application()
    placement = {"pod_capacity": 100, "demand": 600} | placement
    return replace(
        spec, placement=Placement(**placement), strategy=replace(spec.strategy, survive=survive)
    )


async def served(spec):
    """An application that runs, three pods in each of three clouds."""
    world = EngineWorld()
    await world.prepare(spec)
    await world.deploy({"colour": "blue", "replicaCount": 3})
    return world


async def look(world):
    record = (await Records(world.store).application(APP)).value
    return await Admissions(Records(world.store)).look(record)


async def test_two_clouds_that_carry_everybody_are_enough_to_lose_one():
    found = await look(await served(promising()))

    assert found.admission.survives
    assert found.summary == "survives the loss of its largest cloud with 600 requests a second"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"demand": 601},
            "colors without aws/unknown lacks 1 of 601: 1 pod more in gcp and onprem",
        ),
        ({"demand": 950}, "lacks 350 of 950: 4 pods more in gcp and onprem"),
        (
            {"survive": 2},
            "without aws/unknown, gcp/unknown lacks 300 of 600: 3 pods more in onprem",
        ),
        ({"survive": 3}, "lacks 600 of 600: it runs in no other cloud"),
        ({"pod_capacity": 60}, "lacks 240 of 600: 4 pods more in gcp and onprem"),
    ],
)
async def test_a_file_that_promises_more_than_what_runs_carries_is_refused(change, words):
    world = await served(promising())
    with pytest.raises(UnsafePlan) as refused:
        await world.commands.apply(promising(**change))

    assert words.replace("/unknown", "/sandbox") in refused.value.what.replace(
        "/unknown", "/sandbox"
    )
    assert "--force" in refused.value.hint
    assert (await Records(world.store).application(APP)).value.spec == promising()
    assert await world.commands.apply(promising(**change), force=True) == "configured"


async def test_a_revision_with_too_few_pods_is_refused_and_changes_nothing():
    world = await served(promising())
    with pytest.raises(UnsafePlan, match="lacks 200 of 600: 2 pods more in gcp and onprem"):
        await world.deployments.deploy(APP, {"colour": "yellow", "replicaCount": 2})

    assert (await world.rollout()).number == 1
    rollout = await world.deployments.deploy(
        APP, {"colour": "yellow", "replicaCount": 2}, force=True
    )
    assert rollout.number == 2


async def test_what_cannot_be_known_is_told_and_refuses_nothing():
    world = await served(promising(demand=None))
    assert not (await look(world)).unknown  # edges count from the first minute on

    fresh = EngineWorld()
    await fresh.prepare(promising(demand=None))
    assert "no edge has counted users yet" in (await look(fresh)).unknown

    found = await look(world)
    assert (found.unknown, found.demand) == ("", pytest.approx(300, abs=40))
    assert found.admission.survives
    await world.commands.apply(promising(pod_capacity=None))
    assert "podCapacity" in (await look(world)).unknown


async def test_who_promises_nothing_is_asked_nothing():
    world = await served(promising(survive=0, demand=10_000))

    assert (await look(world)).summary == ""
    assert await world.commands.apply(promising(survive=0, demand=20_000)) == "configured"


async def test_standbys_count_as_they_are_at_rest():
    """What is started only after the loss is what everybody starts at that moment."""
    from crossfade.core.traffic.destinations import Mode

    world = await served(promising())
    warm = {"mode": Mode.WARM_STANDBY, "orders": {"gcp": 1, "onprem": 1}, "standby_percent": 30}
    with pytest.raises(UnsafePlan, match="lacks 400 of 600: 4 pods more in gcp and onprem"):
        await world.commands.apply(promising(**warm))


async def test_a_cluster_that_carries_less_than_is_reserved_in_it_proves_nothing():
    world = await served(promising())
    gcp = (await world.queries.fleet())[1].cluster
    await world.commands.add_cluster(replace(gcp, capacity=250))
    with pytest.raises(UnsafePlan, match="gcp has 300 reserved and carries 250"):
        await world.deployments.deploy(APP, {"colour": "yellow", "replicaCount": 3})
