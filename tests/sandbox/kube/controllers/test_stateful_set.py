"""StatefulSets: names stay, and order is kept."""

from crossfade.sandbox.kube.kinds import POD, STATEFUL_SET


def stateful_set(replicas=3, image="host", **annotations):
    container = {"name": "main", "image": image, "command": ["sleep", "1000"]}
    return {
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}, "annotations": annotations},
                "spec": {"containers": [container]},
            },
        },
    }


def done(found):
    status = found.get("status", {})
    return (
        status.get("readyReplicas") == found["spec"]["replicas"]
        and status.get("updatedReplicas") == found["spec"]["replicas"]
        and status.get("currentRevision") == status.get("updateRevision")
        and status.get("observedGeneration") == found["metadata"]["generation"]
    )


async def test_pods_are_numbered_and_replaced_under_the_same_name(cloud):
    async with cloud(node="pretended") as here:
        await here.client.create(STATEFUL_SET, stateful_set())
        await here.object_when(STATEFUL_SET, "db", done)
        assert sorted(pod["metadata"]["name"] for pod in await here.pods()) == [
            "db-0",
            "db-1",
            "db-2",
        ]
        before = await here.get(POD, "db-1")
        await here.client.delete(POD, "default", "db-1", 0)
        await here.pod_when("db-1", lambda pod: pod["metadata"]["uid"] != before["metadata"]["uid"])


async def test_a_pod_that_is_not_ready_holds_up_the_next(cloud):
    async with cloud(node="pretended") as here:
        await here.client.create(STATEFUL_SET, stateful_set(**{"never-ready": ""}))
        await here.pod_when("db-0", lambda pod: pod["status"]["phase"] == "Running")
        await here.object_when(
            STATEFUL_SET, "db", lambda found: found.get("status", {}).get("replicas") == 1
        )
        assert len(await here.pods()) == 1


async def test_an_update_and_a_smaller_size_arrive(cloud, until):
    async with cloud(node="pretended") as here:
        await here.client.create(STATEFUL_SET, stateful_set())
        await here.object_when(STATEFUL_SET, "db", done)
        merge = {"spec": stateful_set(2, "host:2")["spec"]}
        await here.apply(STATEFUL_SET, "db", merge)
        await here.object_when(STATEFUL_SET, "db", done)
        await here.gone(POD, "db-2")
        images = {pod["spec"]["containers"][0]["image"] for pod in await here.pods()}
        assert images == {"host:2"}


async def test_volumes_outlive_their_pod(cloud, until):
    body = stateful_set(1)
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["sh", "-c", "echo $HOSTNAME >> /srv/data/log; sleep 1000"]
    container["volumeMounts"] = [{"name": "data", "mountPath": "/srv/data"}]
    body["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": {}}]
    async with cloud() as here:
        await here.client.create(STATEFUL_SET, body)
        pod = await here.pod_when("db-0", lambda pod: pod["status"]["phase"] == "Running")
        log = here.root / "claims" / "default" / "data-db-0" / "log"
        await until(lambda: log.exists() and log.read_text())
        await here.client.delete(POD, "default", "db-0", 0)
        await here.pod_when(
            "db-0",
            lambda new: (
                new["metadata"]["uid"] != pod["metadata"]["uid"]
                and new["status"]["phase"] == "Running"
            ),
        )
        await until(lambda: log.read_text().splitlines() == ["db-0", "db-0"])
