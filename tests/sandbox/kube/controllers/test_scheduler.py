"""The scheduler: Pods go where there is room, and say why when there is none."""

import pytest

from crossfade.sandbox.kube.controllers.scheduler import obstacles_of, requests_of
from crossfade.sandbox.kube.kinds import NODE, POD
from crossfade.sandbox.kube.objects.conditions import find


def asking(make, name, cpu, **spec):
    container = {"resources": {"requests": {"cpu": cpu}}}
    return make.pod(name, ["sleep", "1000"], container=container, **spec)


async def test_a_full_node_is_named_as_the_reason_and_taken_when_room_appears(cloud, make):
    async with cloud(node="pretended") as here:
        await here.client.create(POD, asking(make, "big", "6"))
        await here.pod_when("big", lambda pod: pod["spec"].get("nodeName") == "n0")
        await here.client.create(POD, asking(make, "late", "3"))
        late = await here.pod_when("late", lambda pod: find(pod, "PodScheduled"))
        refused = find(late, "PodScheduled")
        assert (refused["status"], refused["reason"]) == ("False", "Unschedulable")
        assert refused["message"] == "0/1 nodes are available: 1 Insufficient cpu."
        assert late["status"]["phase"] == "Pending"
        await here.client.delete(POD, "default", "big")
        await here.pod_when("late", lambda pod: pod["spec"].get("nodeName") == "n0")
        assert await here.events("FailedScheduling")


async def test_pods_spread_to_the_node_with_the_most_room(cloud, make):
    async with cloud(node="pretended") as here:
        await here.client.create(NODE, make.node("n1"))
        await here.client.create(POD, asking(make, "a", "2"))
        await here.pod_when("a", lambda pod: pod["spec"].get("nodeName"))
        await here.client.create(POD, asking(make, "b", "2"))
        b = await here.pod_when("b", lambda pod: pod["spec"].get("nodeName"))
        a = await here.get(POD, "a")
        assert a["spec"]["nodeName"] != b["spec"]["nodeName"]


async def test_a_pod_waits_for_a_node_at_all(cloud, make):
    async with cloud(node="none") as here:
        await here.client.create(POD, asking(make, "a", "1"))
        pod = await here.pod_when("a", lambda pod: find(pod, "PodScheduled"))
        assert find(pod, "PodScheduled")["message"] == "no nodes available to schedule pods"
        await here.client.create(NODE, make.node("n0"))
        await here.pod_when("a", lambda pod: pod["spec"].get("nodeName") == "n0")


TAINT = {"key": "preemptible", "value": "yes", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("spec", "node_spec", "problems"),
    [
        pytest.param({}, {}, [], id="fits"),
        pytest.param({}, {"unschedulable": True}, ["node(s) were unschedulable"], id="cordoned"),
        pytest.param(
            {},
            {"taints": [TAINT]},
            ["node(s) had untolerated taint {preemptible: yes}"],
            id="tainted",
        ),
        pytest.param(
            {"tolerations": [{"key": "preemptible", "operator": "Exists"}]},
            {"taints": [TAINT]},
            [],
            id="tolerated",
        ),
        pytest.param(
            {"nodeSelector": {"disk": "ssd"}},
            {},
            ["node(s) didn't match Pod's node affinity/selector"],
            id="other-node-wanted",
        ),
    ],
)
def test_obstacles_are_said_in_the_words_of_the_real_scheduler(make, spec, node_spec, problems):
    node = {**make.node("n0"), "spec": node_spec}
    assert obstacles_of(make.pod("p", ["true"], **spec), node, []) == problems


def test_a_pod_asks_for_the_most_of_its_init_containers_and_the_sum_of_the_others(make):
    def container(cpu):
        return {"resources": {"requests": {"cpu": cpu}}}

    pod = make.pod("p", ["true"], initContainers=[container("2"), container("500m")])
    pod["spec"]["containers"] = [container("700m"), container("1")]
    assert requests_of(pod)["cpu"] == 2000
