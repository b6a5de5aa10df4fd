"""Where a cluster is not as wanted, people see what differs."""

import pytest

from crossfade.base.errors import NotFound
from crossfade.engine.drift import in_clusters
from crossfade.engine.records import Records
from crossfade.ports.documents import Remove
from crossfade.testing.engine_world import EngineWorld


@pytest.fixture
async def world():
    world = EngineWorld()
    await world.prepare()
    await world.deploy({})
    return world


async def test_a_cluster_that_runs_what_is_wanted_is_in_step(world):
    found = await in_clusters(Records(world.store), "colors")

    assert [each.cluster for each in found] == ["aws", "gcp", "onprem"]
    assert all(each.in_step and not each.drift for each in found)
    assert all(each.wanted == each.confirmed for each in found)
    assert found[0].revisions[0].pods == "3/3"


async def test_a_revision_that_is_wanted_and_not_there_yet_is_drift(world):
    await world.deployments.deploy("colors", {"colour": "yellow"})
    world.clusters["aws"].faults.unreachable = True
    found = ()
    for _ in range(20):
        await world.turn()
        found = found or [
            each for each in await in_clusters(Records(world.store), "colors") if each.drift
        ]

    assert found
    assert not found[0].in_step


async def test_a_cluster_without_any_report_was_not_looked_at(world):
    stored = await Records(world.store).find_report("colors", "aws")
    await world.store.commit((Remove("report", "colors@aws", stored.version),))

    aws, gcp, _ = await in_clusters(Records(world.store), "colors")

    assert aws.drift == ("it was not looked at yet",)
    assert gcp.in_step


async def test_an_application_that_is_not_there_is_not_found(world):
    with pytest.raises(NotFound):
        await in_clusters(Records(world.store), "nothing")
