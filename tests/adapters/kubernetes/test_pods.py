"""What keeps a pod from being ready, told so that people can mend it."""

import pytest

from crossfade.adapters.kubernetes.pods import Rank, last_probe_failure, trouble_of, worst


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
        'container app cannot be made: configmap "x" not found',
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
    (pod(containers=[container({"terminated": {"exitCode": 0}})]), Rank.STARTING, "starting"),
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


def test_the_newest_failure_of_a_probe_is_told():
    events = [
        {"reason": "Unhealthy", "message": "old", "lastTimestamp": "2026-01-01T00:00:01Z"},
        {"reason": "Unhealthy", "message": "new", "lastTimestamp": "2026-01-01T00:00:09Z"},
        {"reason": "Started", "message": "x", "lastTimestamp": "2026-01-01T00:01:00Z"},
    ]
    assert last_probe_failure(events) == "new"
    assert last_probe_failure([]) == ""


def crashed(restarts):
    return container({"terminated": {"exitCode": 1}}, restartCount=restarts)


@pytest.mark.parametrize(
    ("pods", "hopeless"),
    [
        ([pod(containers=[waiting("InvalidImageName")])], True),
        ([pod(containers=[waiting("ImagePullBackOff")])], False),
        ([pod(containers=[crashed(1)])], False),
        ([pod(containers=[crashed(5)])], True),
        ([pod(containers=[crashed(5)]), pod("web-2", containers=[crashed(4)])], False),
        ([pod(containers=[crashed(5)]), pod("web-2")], False),
    ],
)
def test_only_what_time_cannot_mend_is_hopeless(pods, hopeless):
    assert worst(pods)[0].hopeless is hopeless
