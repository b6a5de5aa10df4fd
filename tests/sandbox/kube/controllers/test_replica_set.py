"""ReplicaSets: the right number of Pods, whatever happens to them."""

from crossfade.sandbox.kube.kinds import POD, REPLICA_SET


def replica_set(name="set", replicas=2):
    container = {"name": "main", "image": "host", "command": ["sleep", "1000"]}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container]},
            },
        },
    }


def full(found):
    status = found.get("status", {})
    return status.get("readyReplicas", 0) == found["spec"]["replicas"]


async def names(here):
    return {pod["metadata"]["name"] for pod in await here.pods()}


async def test_a_deleted_pod_is_replaced(cloud, until):
    async with cloud(node="pretended") as here:
        await here.client.create(REPLICA_SET, replica_set())
        await here.object_when(REPLICA_SET, "set", full)
        before = await names(here)
        await here.client.delete(POD, "default", min(before), 0)

        async def replaced():
            now = await names(here)
            return len(now) == 2 and now != before

        await until(replaced)


async def test_a_pod_without_an_owner_that_matches_is_adopted(cloud, make, until):
    async with cloud(node="pretended") as here:
        orphan = make.pod("orphan", ["sleep", "1000"], metadata={"labels": {"app": "set"}})
        await here.client.create(POD, orphan)
        await here.client.create(REPLICA_SET, replica_set())
        await here.object_when(REPLICA_SET, "set", full)
        assert "orphan" in await names(here)
        assert len(await names(here)) == 2


async def test_a_pod_that_matches_no_longer_is_let_go_and_replaced(cloud, until):
    async with cloud(node="pretended") as here:
        await here.client.create(REPLICA_SET, replica_set())
        await here.object_when(REPLICA_SET, "set", full)
        name = min(await names(here))
        merge = {"metadata": {"labels": {"app": "quarantine"}}}
        await here.client.patch(POD, "default", name, merge)

        async def let_go():
            pod = await here.get(POD, name)
            return not pod["metadata"].get("ownerReferences") and len(await names(here)) == 3

        await until(let_go)


async def test_scaling_down_takes_pods_that_are_not_ready_first(cloud, make, until):
    async with cloud(node="pretended") as here:
        labels = {"labels": {"app": "set"}, "annotations": {"never-ready": ""}}
        await here.client.create(POD, make.pod("sick", ["sleep", "1000"], metadata=labels))
        await here.client.create(REPLICA_SET, replica_set(replicas=3))

        async def two_ready():
            found = await here.get(REPLICA_SET, "set")
            return found["status"].get("readyReplicas") == 2

        await until(two_ready)
        await here.client.patch(REPLICA_SET, "default", "set", {"spec": {"replicas": 2}})
        await here.gone(POD, "sick")
        assert len(await names(here)) == 2


async def test_a_failed_pod_is_replaced(cloud, until):
    async with cloud(node="pretended") as here:
        await here.client.create(REPLICA_SET, replica_set(replicas=1))
        await here.object_when(REPLICA_SET, "set", full)
        (name,) = await names(here)
        await here.client.patch(POD, "default", name, {"status": {"phase": "Failed"}}, "status")

        async def replaced():
            return len(await names(here)) == 2

        await until(replaced)
