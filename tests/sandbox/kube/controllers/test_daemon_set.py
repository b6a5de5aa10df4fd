"""DaemonSets: one Pod on each Node, also on those that come later."""

from crossfade.sandbox.kube.kinds import DAEMON_SET, NODE


def daemon_set(image="host"):
    container = {"name": "main", "image": image, "command": ["sleep", "1000"]}
    return {
        "metadata": {"name": "agent", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "agent"}},
            "template": {
                "metadata": {"labels": {"app": "agent"}},
                "spec": {"containers": [container]},
            },
        },
    }


async def test_each_node_gets_a_pod_and_updates_arrive(cloud, make, until):
    async with cloud(node="pretended") as here:
        await here.client.create(DAEMON_SET, daemon_set())
        await here.client.create(NODE, make.node("n1"))

        def two_ready(found):
            return found.get("status", {}).get("numberReady") == 2

        await here.object_when(DAEMON_SET, "agent", two_ready)
        assert {pod["spec"]["nodeName"] for pod in await here.pods()} == {"n0", "n1"}
        await here.apply(DAEMON_SET, "agent", {"spec": daemon_set("host:2")["spec"]})

        async def updated():
            pods = await here.pods()
            return len(pods) == 2 and all(
                pod["spec"]["containers"][0]["image"] == "host:2" for pod in pods
            )

        await until(updated)


async def test_a_cordoned_node_keeps_its_pod(cloud, make, until):
    async with cloud(node="pretended") as here:
        await here.client.create(DAEMON_SET, daemon_set())
        await here.object_when(
            DAEMON_SET, "agent", lambda found: found.get("status", {}).get("numberReady") == 1
        )
        (before,) = await here.pods()
        await here.client.patch(NODE, None, "n0", {"spec": {"unschedulable": True}})
        await here.client.create(NODE, make.node("n1"))
        await here.object_when(
            DAEMON_SET, "agent", lambda found: found["status"].get("numberReady") == 2
        )
        names = {pod["metadata"]["name"] for pod in await here.pods()}
        assert before["metadata"]["name"] in names
