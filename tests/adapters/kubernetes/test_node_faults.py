"""What nodes do to pods is told as such, and never as the version's fault."""

import pytest

from crossfade.adapters.kubernetes.node_faults import is_about_nodes, node_fault
from crossfade.adapters.kubernetes.pods import Rank, trouble_of, worst
from crossfade.core.release.report import Cause


def pod(name="web-1", phase="Running", conditions=(), made="2026-01-01T00:00:00Z", **status):
    containers = [{"name": "app", "ready": False, "state": {"terminated": {"exitCode": 137}}}]
    return {
        "metadata": {"name": name, "creationTimestamp": made},
        "spec": {"nodeName": "n1"},
        "status": {
            "phase": phase,
            "conditions": list(conditions),
            "containerStatuses": containers,
            **status,
        },
    }


def disruption(reason):
    return {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "why."}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
         "was evicted (node n1): The node was low on resource: memory"),
        (pod(phase="Failed", reason="Terminated", message="imminent node shutdown"),
         "ended with its node, which shuts down"),
        (pod(phase="Failed", reason="Preempting"), "preempted by a more important pod"),
        (pod(conditions=[disruption("PreemptionByScheduler")]), "preempted by a more important"),
        (pod(conditions=[disruption("EvictionByEvictionAPI")]), "was evicted on request"),
        (pod(conditions=[disruption("DeletionByTaintManager")]), "failed or is being emptied"),
        (pod(conditions=[disruption("SomethingNew")]), "was ended by the cluster (node n1): why"),
    ],
)  # fmt: skip
def test_what_the_node_did_is_told_and_not_how_the_container_ended(one, words):
    trouble = trouble_of(one)
    assert words in trouble.text
    assert (trouble.rank, trouble.cause) == (Rank.NODE, Cause.NODE)
    assert trouble.patience_seconds is None


def test_pods_of_a_node_that_does_not_answer_are_not_to_blame():
    trouble = trouble_of(pod(), lost_nodes={"n1"})
    assert trouble.text == "its node n1 does not answer"
    assert trouble_of(pod(), lost_nodes={"n2"}).cause is Cause.CONFIG


def test_a_pod_that_leaves_since_it_was_evicted_says_so():
    one = pod(conditions=[disruption("EvictionByEvictionAPI")])
    one["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert trouble_of(one).cause is Cause.NODE


def test_a_pod_that_has_failed_by_itself_is_no_nodes_fault():
    assert node_fault(pod(phase="Failed", reason="DeadlineExceeded"), ()) == ""
    assert trouble_of(pod(phase="Failed")).cause is Cause.CONFIG


def test_an_eviction_of_long_ago_does_not_excuse_the_pods_of_today():
    ready = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    evicted = pod("old", "Failed", [ready], reason="Evicted")
    fresh = pod("new", "Pending", made="2026-01-01T05:00:00Z", containerStatuses=[])
    assert worst([evicted, fresh])[0].rank is Rank.STARTING
    soon = pod("new", "Pending", made="2026-01-01T00:00:20Z", containerStatuses=[])
    assert worst([evicted, soon])[0].rank is Rank.NODE
    assert worst([evicted])[0].rank is Rank.NODE


@pytest.mark.parametrize(
    ("message", "about_nodes"),
    [
        ("0/1 nodes are available: 1 node(s) were unschedulable.", True),
        (
            "0/2 nodes are available: 2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.",
            True,
        ),
        ("no nodes available to schedule pods", True),
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", False),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {gpu: }.", False),
    ],
)
def test_the_scheduler_is_understood(message, about_nodes):
    assert is_about_nodes(message) is about_nodes
