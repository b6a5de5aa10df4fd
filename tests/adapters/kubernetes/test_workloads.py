"""How many pods a workload wants, and how many are ready for what it is now."""

import pytest

from crossfade.adapters.kubernetes.workloads import read_workload


def workload(spec=None, status=None, generation=1):
    return {
        "metadata": {
            "name": "web",
            "generation": generation,
            "labels": {"crossfade.dev/revision": "r1234567"},
        },
        "spec": spec or {},
        "status": {"observedGeneration": 1, **(status or {})},
    }


@pytest.mark.parametrize(
    ("kind", "thing", "wanted", "ready"),
    [
        ("Deployment", workload({"replicas": 3}, {"readyReplicas": 3, "updatedReplicas": 3}), 3, 3),
        ("Deployment", workload({"replicas": 3}, {"readyReplicas": 3, "updatedReplicas": 1}), 3, 1),
        ("Deployment", workload({}, {}), 1, 0),
        ("Deployment", workload({"replicas": 0}, {}), 0, 0),
        (
            "StatefulSet",
            workload({"replicas": 2}, {"readyReplicas": 1, "updatedReplicas": 2}),
            2,
            1,
        ),
        ("DaemonSet", workload({}, {"desiredNumberScheduled": 4, "numberReady": 3}), 4, 3),
        ("Job", workload({"parallelism": 2}, {"active": 2}), 0, 0),
    ],
)
def test_pods_are_counted_by_kind(kind, thing, wanted, ready):
    got = read_workload({"kind": kind, **thing})
    assert (got.title, got.wanted, got.ready) == (f"{kind}/web", wanted, ready)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_status_about_an_earlier_wish_counts_for_nothing(kind):
    ready = {
        "readyReplicas": 1,
        "updatedReplicas": 1,
        "numberReady": 1,
        "desiredNumberScheduled": 1,
    }
    got = read_workload({"kind": kind, **workload({"replicas": 1}, ready, generation=2)})
    assert (got.wanted, got.ready) == (1, 0)


def test_a_daemon_set_that_nobody_has_looked_at_yet_is_not_ready_by_wanting_nothing():
    thing = workload({}, {}, generation=1)
    thing["status"] = {}
    assert read_workload({"kind": "DaemonSet", **thing}).wanted == 1


@pytest.mark.parametrize(
    ("kind", "condition", "failure"),
    [
        ("Deployment", {"type": "ReplicaFailure", "status": "True", "message": "quota"}, "quota"),
        ("Job", {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"},
         "BackoffLimitExceeded"),
        ("Job", {"type": "Complete", "status": "True"}, ""),
        ("Deployment", {"type": "ReplicaFailure", "status": "False", "message": "quota"}, ""),
    ],
)  # fmt: skip
def test_what_keeps_it_from_making_pods_is_told(kind, condition, failure):
    assert (
        read_workload({"kind": kind, **workload({}, {"conditions": [condition]})}).failure
        == failure
    )


@pytest.mark.parametrize(
    ("containers", "probed"),
    [
        ([{"readinessProbe": {"httpGet": {}}}], True),
        ([{"readinessProbe": {"httpGet": {}}}, {}], True),
        ([{"livenessProbe": {"httpGet": {}}}], False),
        ([{}], False),
    ],
)
def test_pods_that_nobody_probes_are_told_apart(containers, probed):
    spec = {"template": {"spec": {"containers": containers}}}
    assert read_workload({"kind": "Deployment", **workload(spec)}).probed is probed
