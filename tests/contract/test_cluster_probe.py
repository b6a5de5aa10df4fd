"""What every implementation of the ClusterProbe port does."""

import pytest

from crossfade.base.errors import Denied, Unavailable


async def test_a_cluster_that_is_there_says_its_version(world):
    assert (await world.access.probe.api()).startswith("v1.")


async def test_a_cluster_that_does_not_answer_is_unavailable(world):
    await world.access.probe.api()
    await world.partition()
    with pytest.raises(Unavailable):
        await world.access.probe.api()


async def test_expired_credentials_are_told_apart_from_silence(world):
    await world.access.probe.api()
    await world.refuse_credentials()
    with pytest.raises(Denied) as raised:
        await world.access.probe.api()
    assert raised.value.hint


async def test_a_cluster_says_of_its_nodes_that_they_are_ready_and_live(world):
    nodes = await world.access.probe.nodes()

    assert nodes
    assert all(each.ready and each.name and each.sign for each in nodes)


async def test_nodes_of_a_cluster_that_does_not_answer_are_unavailable(world):
    await world.access.probe.nodes()
    await world.partition()
    with pytest.raises(Unavailable):
        await world.access.probe.nodes()
