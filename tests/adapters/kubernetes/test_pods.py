"""What keeps a pod from being ready, told so that people can mend it."""

import pytest

from crossfade.adapters.kubernetes.pods import (
    GRACE_SECONDS,
    Rank,
    missing,
    newest_event,
    trouble_of,
    worst,
)
from crossfade.core.release.report import Cause


def pod(name="web-1", containers=(), conditions=(), **status):
    return {
        "metadata": {"name": name},
        "status": {
            "conditions": [{"type": kind, "status": state} for kind, state in conditions],
            "containerStatuses": list(containers),
            **status,
        },
    }


def container(state, ready=False, last=None, **rest):
    status = {"name": "app", "image": "web:1", "ready": ready, "state": state, **rest}
    return status | ({"lastState": {"terminated": last}} if last else {})


def waiting(reason, message="because"):
    return container({"waiting": {"reason": reason, "message": message}})


CASES = [
    (pod(conditions=[("Ready", "True")]), None, ""),
    (pod(phase="Succeeded"), None, ""),
    (pod(), Rank.STARTING, "starting"),
    (pod(containers=[waiting("ContainerCreating")]), Rank.STARTING, "starting"),
    (pod(containers=[container({"running": {}})]), Rank.PROBE, "app runs, but is not ready"),
    (
        pod(containers=[waiting("ImagePullBackOff")]),
        Rank.IMAGE,
        "image web:1 cannot be had: because",
    ),
    (pod(containers=[waiting("ErrImagePull")]), Rank.IMAGE, "because"),
    (
        pod(containers=[waiting("CreateContainerConfigError", 'configmap "x" not found')]),
        Rank.CONFIG,
        "container app cannot be made: ConfigMap x is missing in its namespace",
    ),
    (
        pod(containers=[container({"terminated": {"exitCode": 3}})]),
        Rank.CRASH,
        "app crashed with exit code 3",
    ),
    (
        pod(containers=[waiting("CrashLoopBackOff") | container({}, last={"exitCode": 1})]),
        Rank.CRASH,
        "app crashed with exit code 1",
    ),
    (
        pod(containers=[container({"running": {}}, last={"exitCode": 137, "reason": "OOMKilled"})]),
        Rank.CRASH,
        "used more memory than its limit",
    ),
    (
        pod(
            containers=[
                container(
                    {"terminated": {"exitCode": 128, "reason": "StartError", "message": "no x"}}
                )
            ]
        ),
        Rank.CRASH,
        "app cannot be started: no x",
    ),
    (pod(containers=[container({"terminated": {"exitCode": 0}})]), Rank.STARTING, "starting"),
    (
        pod(containers=[waiting("CrashLoopBackOff") | container({}, last={"exitCode": 0})]),
        Rank.CRASH,
        "app ended by itself, as if its work were done (exit code 0)",
    ),
    (
        pod(initContainerStatuses=[container({"running": {}}, last={"exitCode": 0})]),
        Rank.PROBE,
        "app runs, but is not ready",
    ),
    (
        pod(containers=[waiting("CrashLoopBackOff", "back-off 40s restarting failed container")]),
        Rank.CRASH,
        "app ends again and again: back-off 40s restarting failed container",
    ),
    (
        pod(containers=[container({"terminated": {"exitCode": 139, "signal": 11}})]),
        Rank.CRASH,
        "killed by signal 11",
    ),
    (
        pod(
            initContainerStatuses=[waiting("ErrImagePull")], containers=[container({"waiting": {}})]
        ),
        Rank.IMAGE,
        "image",
    ),
]


@pytest.mark.parametrize(("one", "rank", "words"), CASES)
def test_the_trouble_says_what_is_wrong(one, rank, words):
    trouble = trouble_of(one)
    if rank is None:
        assert trouble is None
    else:
        assert trouble.rank is rank
        assert words in trouble.text


def test_a_pod_that_no_node_takes_says_what_is_missing():
    one = pod()
    message = "0/1 nodes are available: 1 Insufficient cpu."
    one["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    ]
    assert trouble_of(one).text == f"no node takes it: {message}"


def test_a_pod_that_is_leaving_is_no_trouble():
    one = pod(containers=[container({"terminated": {"exitCode": 1}})])
    one["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert trouble_of(one) is None


def test_the_trouble_that_says_most_is_told_with_the_number_of_its_like():
    pods = [
        pod("a", [container({"running": {}})]),
        pod("b", [waiting("ErrImagePull")]),
        pod("c", [waiting("ErrImagePull")]),
        pod("d", conditions=[("Ready", "True")]),
    ]
    trouble, same = worst(pods)
    assert (trouble.pod, same) == ("b", 2)
    assert worst(pods[3:]) is None


def test_a_container_that_was_started_again_said_its_last_words_in_the_older_log():
    again = container({"running": {}}, last={"exitCode": 1})
    assert trouble_of(pod(containers=[again])).previous
    assert not trouble_of(pod(containers=[container({"terminated": {"exitCode": 1}})])).previous


def test_the_newest_event_of_its_kind_is_told():
    events = [
        {"reason": "Unhealthy", "message": "old", "lastTimestamp": "2026-01-01T00:00:01Z"},
        {"reason": "Unhealthy", "message": "new", "lastTimestamp": "2026-01-01T00:00:09Z"},
        {"reason": "Started", "message": "x", "lastTimestamp": "2026-01-01T00:01:00Z"},
    ]
    assert newest_event(events, "Unhealthy") == "new"
    assert newest_event(events, "Unhealthy", "ol") == "old"
    assert newest_event([], "Unhealthy") == ""


def crashed(restarts):
    return container({"terminated": {"exitCode": 1}}, restartCount=restarts)


@pytest.mark.parametrize(
    ("pods", "patience"),
    [
        ([pod(containers=[waiting("InvalidImageName")])], 0.0),
        ([pod(containers=[waiting("ImagePullBackOff")])], None),
        ([pod(containers=[waiting("CreateContainerConfigError")])], GRACE_SECONDS),
        ([pod(containers=[crashed(1)])], None),
        ([pod(containers=[crashed(5)])], 0.0),
        ([pod(containers=[crashed(5)]), pod("web-2", containers=[crashed(4)])], None),
        ([pod(containers=[crashed(5)]), pod("web-2")], None),
        (
            [
                pod(containers=[waiting("CreateContainerConfigError")]),
                pod("web-2", containers=[crashed(5)]),
            ],
            GRACE_SECONDS,
        ),
    ],
)
def test_only_what_time_cannot_mend_ends_the_wait(pods, patience):
    assert worst(pods)[0].patience_seconds == patience


def unscheduled(message):
    one = pod()
    one["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    ]
    return one


@pytest.mark.parametrize(
    ("one", "cause"),
    [
        (unscheduled("0/3 nodes are available: 3 Insufficient memory."), Cause.RESOURCES),
        (unscheduled("0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were not ready."),
         Cause.RESOURCES),
        (unscheduled("0/1 nodes are available: 1 Too many pods."), Cause.RESOURCES),
        (unscheduled("0/1 nodes are available: 1 node(s) were unschedulable."), Cause.NODE),
        (unscheduled("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."),
         Cause.CONFIG),
        (pod(phase="Failed", reason="OutOfcpu", message="Node didn't have enough resource"),
         Cause.RESOURCES),
        (pod(containers=[waiting("ImagePullBackOff", "manifest unknown")]), Cause.CONFIG),
        (pod(containers=[waiting("ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout")]), Cause.NODE),
        (pod(containers=[waiting("ErrImagePull", "unexpected status: 503 Service Unavailable")]),
         Cause.NODE),
        (pod(containers=[waiting("CreateContainerConfigError", 'secret "x" not found')]), Cause.CONFIG),
        (pod(containers=[waiting(
            "CreateContainerConfigError",
            "failed to sync secret cache: timed out waiting for the condition")]), Cause.NODE),
        (pod(containers=[crashed(2)]), Cause.CONFIG),
        (pod(containers=[container({"terminated": {"exitCode": 255, "reason": "Unknown"}})]),
         Cause.NODE),
        (pod(), Cause.NONE),
    ],
)  # fmt: skip
def test_whose_fault_it_is_decides_what_follows(one, cause):
    assert trouble_of(one).cause is cause


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('secret "db" not found', "Secret db is missing in its namespace"),
        (
            'MountVolume.SetUp failed for volume "v" : configmap "app" not found',
            "ConfigMap app is missing in its namespace",
        ),
        ("couldn't find key port in ConfigMap shop/app", "key port is missing in ConfigMap app"),
        (
            "references non-existent config key: x.yaml",
            "key x.yaml is missing in the ConfigMap of one of its volumes",
        ),
        ("container has runAsNonRoot and image will run as root", ""),
    ],
)
def test_what_is_missing_is_named(message, told):
    assert missing(message) == told
