"""Nodes that fall silent: nobody is sent to their Pods."""

from crossfade.sandbox.kube.kinds import NODE, POD
from crossfade.sandbox.kube.kubelet import KubeletOptions
from crossfade.sandbox.kube.objects.conditions import find


async def test_pods_of_a_dead_node_are_not_ready_and_go_when_their_time_is_over(cloud, make, ready):
    patience = {
        "key": "node.kubernetes.io/unreachable",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 0,
    }
    async with cloud(options=KubeletOptions(lease_seconds=1)) as here:
        await here.client.create(POD, make.pod("web", ["sleep", "1000"], tolerations=[patience]))
        await here.pod_when("web", ready)
        here.kubelet.fail()
        await here.pod_when("web", lambda pod: not ready(pod), seconds=20)
        node = await here.client.get(NODE, None, "n0")
        assert find(node, "Ready")["status"] == "Unknown"
        await here.pod_when("web", lambda pod: "deletionTimestamp" in pod["metadata"], seconds=20)


async def test_a_node_that_comes_back_has_ready_pods_again(cloud, make, ready, until):
    async with cloud(options=KubeletOptions(lease_seconds=1)) as here:
        await here.client.create(POD, make.pod("web", ["sleep", "1000"]))
        await here.pod_when("web", ready)
        here.kubelet.fail()
        await here.pod_when("web", lambda pod: not ready(pod), seconds=20)
        here.kubelet.recover()
        await here.pod_when("web", ready)

        async def trusted():
            node = await here.client.get(NODE, None, "n0")
            return find(node, "Ready")["status"] == "True" and not node["spec"].get("taints")

        await until(trusted, 20)
