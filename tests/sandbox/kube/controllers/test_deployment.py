"""Deployments: what `kubectl rollout` promises."""

from crossfade.sandbox.kube.kinds import DEPLOYMENT, POD, REPLICA_SET
from crossfade.sandbox.kube.objects.conditions import find

REVISION = "deployment.kubernetes.io/revision"


def is_done(found):
    """What `kubectl rollout status` waits for."""
    status, wanted = found.get("status", {}), found["spec"]["replicas"]
    return (
        status.get("observedGeneration") == found["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


def image(found):
    return found["spec"]["template"]["spec"]["containers"][0]["image"]


def new_image(name):
    container = {"name": "main", "image": name, "command": ["sleep", "1000"]}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


async def replica_sets(here):
    return await here.client.list(REPLICA_SET)


async def test_a_deployment_gets_its_pods(cloud, make):
    async with cloud(node="pretended") as here:
        await here.client.create(DEPLOYMENT, make.deployment("web"))
        found = await here.object_when(DEPLOYMENT, "web", is_done)
        assert found["metadata"]["annotations"][REVISION] == "1"
        assert find(found, "Available")["status"] == "True"
        assert find(found, "Progressing")["reason"] == "NewReplicaSetAvailable"
        (only,) = await replica_sets(here)
        digest = only["metadata"]["labels"]["pod-template-hash"]
        assert only["metadata"]["name"] == f"web-{digest}"
        assert {pod["metadata"]["labels"]["pod-template-hash"] for pod in await here.pods()} == {
            digest
        }


async def test_an_update_replaces_the_pods_and_an_undo_brings_the_old_set_back(cloud, make):
    async with cloud(node="pretended") as here:
        await here.client.create(DEPLOYMENT, make.deployment("web"))
        await here.object_when(DEPLOYMENT, "web", is_done)
        (first,) = await replica_sets(here)
        await here.apply(DEPLOYMENT, "web", new_image("host:2"))
        found = await here.object_when(DEPLOYMENT, "web", is_done)
        assert {image({"spec": {"template": pod}}) for pod in await here.pods()} == {"host:2"}
        assert found["metadata"]["annotations"][REVISION] == "2"
        await here.apply(DEPLOYMENT, "web", new_image("host"))
        found = await here.object_when(DEPLOYMENT, "web", is_done)
        assert found["metadata"]["annotations"][REVISION] == "3"
        sets = {one["metadata"]["name"]: one for one in await replica_sets(here)}
        assert len(sets) == 2, "an undo makes no third set"
        back = sets[first["metadata"]["name"]]
        assert back["spec"]["replicas"] == 3
        assert back["metadata"]["annotations"][REVISION] == "3"


async def test_capacity_never_falls_below_what_the_strategy_allows(cloud, make, ready):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    async with cloud(node="pretended") as here:
        await here.client.create(DEPLOYMENT, make.deployment("web", 4, strategy=strategy))
        await here.object_when(DEPLOYMENT, "web", is_done)
        lowest, highest = 4, 4

        def watched(found):
            nonlocal lowest, highest
            pods = here.api.select(POD)
            active = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
            lowest = min(lowest, sum(ready(pod) for pod in active))
            highest = max(highest, len(active))
            return is_done(found)

        await here.apply(DEPLOYMENT, "web", new_image("host:2"))
        await here.object_when(DEPLOYMENT, "web", watched)
        assert lowest >= 4
        assert highest <= 5


async def test_recreate_ends_all_old_pods_before_it_starts_new_ones(cloud, make, until):
    strategy = {"type": "Recreate"}
    async with cloud(node="pretended") as here:
        body = make.deployment("web", 2, strategy=strategy, annotations={"hold": ""})
        await here.client.create(DEPLOYMENT, body)
        await here.object_when(DEPLOYMENT, "web", is_done)
        await here.apply(DEPLOYMENT, "web", new_image("host:2"))

        async def both_are_leaving():
            pods = await here.pods()
            return len([pod for pod in pods if "deletionTimestamp" in pod["metadata"]]) == 2

        await until(both_are_leaving)
        assert len(await here.pods()) == 2, "a new one was started too early"
        for pod in await here.pods():
            await here.client.delete(POD, "default", pod["metadata"]["name"], 0)
        await here.object_when(DEPLOYMENT, "web", is_done)
        assert {image({"spec": {"template": pod}}) for pod in await here.pods()} == {"host:2"}


async def test_scaling_to_zero_and_back_works(cloud, make, until):
    async with cloud(node="pretended") as here:
        await here.client.create(DEPLOYMENT, make.deployment("web", 2))
        await here.object_when(DEPLOYMENT, "web", is_done)
        await here.apply(DEPLOYMENT, "web", {"spec": {"replicas": 0}})

        async def empty():
            return not await here.pods()

        await until(empty)
        await here.apply(DEPLOYMENT, "web", {"spec": {"replicas": 3}})
        await here.object_when(DEPLOYMENT, "web", is_done)
        assert len(await replica_sets(here)) == 1


async def test_a_paused_deployment_scales_but_does_not_roll(cloud, make):
    async with cloud(node="pretended") as here:
        await here.client.create(DEPLOYMENT, make.deployment("web", 2))
        await here.object_when(DEPLOYMENT, "web", is_done)
        await here.apply(DEPLOYMENT, "web", {"spec": {"paused": True}})
        merge = new_image("host:2")
        merge["spec"]["replicas"] = 3
        await here.apply(DEPLOYMENT, "web", merge)
        found = await here.object_when(
            DEPLOYMENT, "web", lambda one: one["status"].get("availableReplicas") == 3
        )
        assert find(found, "Progressing")["reason"] == "DeploymentPaused"
        assert len(await replica_sets(here)) == 1
        await here.apply(DEPLOYMENT, "web", {"spec": {"paused": False}})
        await here.object_when(DEPLOYMENT, "web", is_done)
        assert len(await replica_sets(here)) == 2


async def test_a_rollout_that_makes_no_progress_is_reported(cloud, make):
    async with cloud(node="pretended") as here:
        body = make.deployment("web", annotations={"never-ready": ""}, progressDeadlineSeconds=1)
        await here.client.create(DEPLOYMENT, body)

        def timed_out(found):
            progressing = find(found, "Progressing") or {}
            return progressing.get("reason") == "ProgressDeadlineExceeded"

        found = await here.object_when(DEPLOYMENT, "web", timed_out)
        assert find(found, "Progressing")["status"] == "False"
        assert find(found, "Available")["status"] == "False"


async def test_only_as_much_history_is_kept_as_asked_for(cloud, make, until):
    async with cloud(node="pretended") as here:
        await here.client.create(DEPLOYMENT, make.deployment("web", 1, revisionHistoryLimit=1))
        for version in range(4):
            await here.apply(DEPLOYMENT, "web", new_image(f"host:{version}"))
            await here.object_when(DEPLOYMENT, "web", is_done)

        async def two_left():
            return len(await replica_sets(here)) == 2

        await until(two_left)


async def test_an_update_in_the_middle_of_an_update_ends_with_the_newest(cloud, make):
    async with cloud(node="pretended") as here:
        await here.client.create(DEPLOYMENT, make.deployment("web", 4))
        await here.object_when(DEPLOYMENT, "web", is_done)
        await here.apply(DEPLOYMENT, "web", new_image("host:2"))
        await here.apply(DEPLOYMENT, "web", new_image("host:3"))
        await here.object_when(DEPLOYMENT, "web", is_done)
        assert {image({"spec": {"template": pod}}) for pod in await here.pods()} == {"host:3"}


async def test_pods_count_as_available_only_after_min_ready_seconds(cloud, make):
    async with cloud() as here:
        await here.client.create(DEPLOYMENT, make.deployment("web", 1, minReadySeconds=1))
        found = await here.object_when(
            DEPLOYMENT, "web", lambda one: one.get("status", {}).get("readyReplicas")
        )
        assert not found["status"].get("availableReplicas")
        await here.object_when(DEPLOYMENT, "web", is_done)
