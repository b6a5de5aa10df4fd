"""What no node has enough of, told with figures."""

import pytest

from crossfade.adapters.kubernetes.room import shortage


def node(name="n1", cpu="4", memory="8Gi", pods="10", ready="True", **spec):
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods}
    status = {"allocatable": allocatable, "conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": {"name": name, "labels": {"zone": name}}, "spec": spec, "status": status}


def pod(node_name=None, phase="Running", init=None, **requests):
    spec = {"containers": [{"resources": {"requests": requests}}]}
    spec |= {"nodeName": node_name} if node_name else {}
    spec |= {"initContainers": [{"resources": {"requests": init}}]} if init else {}
    return {"metadata": {"name": "p"}, "spec": spec, "status": {"phase": phase}}


def test_what_a_pod_asks_for_and_the_best_node_lacks_is_told():
    told = shortage(
        pod(cpu="3"),
        [node("small", "2"), node("big", "4")],
        [pod("big", cpu="2500m"), pod("small", cpu="100m")],
    )
    assert told == (
        "no node has room: it asks for 3 CPU; "
        "the best node, big, has 1.5 CPU free of 4 CPU, 1.5 CPU too little"
    )


def test_the_best_node_is_the_one_that_lacks_least_of_its_size():
    told = shortage(pod(cpu="5"), [node("small", "2"), node("big", "4")], [])
    assert "the best node, big, has 4 CPU free of 4 CPU, 1 CPU too little" in told


def test_several_resources_are_told_together():
    told = shortage(pod(cpu="5", memory="9Gi"), [node()], [])
    assert "it asks for 5 CPU and 9 GiB of memory" in told
    assert "1 CPU too little" in told
    assert "1 GiB of memory too little" in told


def test_a_node_that_is_full_of_pods_is_told_as_such():
    told = shortage(pod(), [node(pods="1")], [pod("n1")])
    assert told == "no node has room: the best node, n1, runs 1 pods already"


def test_pods_that_have_ended_take_no_room():
    assert shortage(pod(cpu="4"), [node()], [pod("n1", "Succeeded", cpu="4")]) == ""


def test_the_biggest_of_containers_that_run_before_counts():
    assert "it asks for 6 CPU" in shortage(pod(init={"cpu": "6"}, cpu="1"), [node()], [])


@pytest.mark.parametrize(
    "away",
    [
        node("n2", "64", ready="Unknown"),
        node("n2", "64", unschedulable=True),
        node("n2", "64", taints=[{"key": "gpu", "effect": "NoSchedule"}]),
    ],
)
def test_nodes_that_take_no_pods_are_no_help(away):
    told = shortage(pod(cpu="5"), [node(), away], [])
    assert "the best node, n1," in told
    assert told.endswith("; 1 of 2 nodes take no pods now")


def test_nothing_is_told_where_figures_do_not_explain_it():
    assert shortage(pod(cpu="1"), [node()], []) == ""
    assert shortage(pod(cpu="1"), [], []) == ""
