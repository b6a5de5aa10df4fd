"""A copy of a collection that follows it through freezes, cuts and restarts."""

import asyncio

import pytest

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.kubernetes.reflector import Changed, Deleted, Down, Synced, reflect

MAPS = "/api/v1/namespaces/default/configmaps"


def config_map(name, **labels):
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


class Copy:
    """What is known of the collection."""

    def __init__(self):
        self.names, self.down, self.syncs = set(), 0, 0

    def tell(self, seen):
        match seen:
            case Synced(objects):
                self.names = {each["metadata"]["name"] for each in objects}
                self.syncs += 1
            case Changed(thing):
                self.names.add(thing["metadata"]["name"])
            case Deleted(thing):
                self.names.discard(thing["metadata"]["name"])
            case Down():
                self.down += 1


@pytest.fixture
async def api(sandbox_cloud):
    opened = KubeApi(sandbox_cloud.cluster, seconds=2.0)
    yield opened
    await opened.close()


@pytest.fixture
async def copy(api):
    copy = Copy()
    async with asyncio.TaskGroup() as group:
        work = reflect(api, MAPS, copy.tell, labels="mine=yes", idle_seconds=1.0)
        task = group.create_task(work)
        yield copy
        task.cancel()


async def test_every_change_is_told(api, copy, until):
    await api.create(MAPS, config_map("a", mine="yes"))
    await api.create(MAPS, config_map("b", mine="yes"))
    await api.create(MAPS, config_map("c", mine="no"))
    await until(lambda: holds(copy.names == {"a", "b"}))
    await api.delete(f"{MAPS}/a")
    await until(lambda: holds(copy.names == {"b"}))
    assert copy.down == 0


async def test_what_happened_while_the_cluster_was_cut_off_is_known_after(
    api, copy, until, sandbox_cloud
):
    from crossfade.sandbox.kube.kinds import CONFIG_MAP

    await api.create(MAPS, config_map("a", mine="yes"))
    await until(lambda: holds(copy.names == {"a"}))
    sandbox_cloud.gate.set(0, api_partition=True)
    await until(lambda: holds(copy.down > 0))
    await sandbox_cloud.client.delete(CONFIG_MAP, "default", "a")
    await sandbox_cloud.client.create(
        CONFIG_MAP, {"metadata": {"name": "b", "namespace": "default", "labels": {"mine": "yes"}}}
    )
    sandbox_cloud.gate.set(0, api_partition=False)
    await until(lambda: holds(copy.names == {"b"}))


async def test_a_quiet_collection_is_listed_anew_now_and_then(copy, until):
    await until(lambda: holds(copy.syncs >= 3))
    assert copy.down == 0


async def holds(fact):
    return fact
