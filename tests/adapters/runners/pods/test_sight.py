"""What pods say of the runs that they are."""

import pytest

from crossfade.adapters.runners.pods.sight import sight_of
from crossfade.core.pipeline.state import Status

NOW = 1_800_000_000.0


def over(code=0, reason="", **more):
    ended = {"exitCode": code, "reason": reason or ("Error" if code else "Completed")}
    phase = "Failed" if code else "Succeeded"
    return {"phase": phase, "containerStatuses": [container(terminated=ended)], **more}


def container(name="step", **state):
    return {"name": name, "state": state}


def seen(status, **metadata):
    return sight_of({"metadata": metadata, "spec": {}, "status": status}, ("step",), NOW)


DISRUPTED = [{"type": "DisruptionTarget", "status": "True", "message": "preempted"}]


@pytest.mark.parametrize(
    ("status", "wanted", "why"),
    [
        pytest.param({"phase": "Running"}, Status.RUNNING, "", id="runs"),
        pytest.param(over(), Status.SUCCEEDED, "", id="succeeds"),
        pytest.param(over(3), Status.FAILED, "exit code 3", id="fails"),
        pytest.param(over(137), Status.KILLED, "SIGKILL", id="is-killed"),
        pytest.param(over(137, "OOMKilled"), Status.KILLED, "memory", id="has-no-memory"),
        pytest.param(over(137, "ContainerStatusUnknown"), Status.LOST, "node", id="lost-its-node"),
        pytest.param(
            over(143, reason="", conditions=DISRUPTED), Status.LOST, "preempted", id="preempted"
        ),
        pytest.param(
            {"phase": "Failed", "reason": "Evicted", "message": "low on disk"},
            Status.LOST,
            "low on disk",
            id="evicted",
        ),
        pytest.param(
            {"phase": "Failed", "reason": "DeadlineExceeded"}, Status.FAILED, "too long", id="late"
        ),
        pytest.param(over(128, "StartError"), Status.FAILED, "cannot be started", id="no-shell"),
        pytest.param({"phase": "Failed"}, Status.LOST, "lost", id="nobody-knows-how-it-ended"),
    ],
)
def test_a_pod_tells_how_its_run_stands(status, wanted, why):
    found = seen(status)

    assert found.status is wanted
    assert why in found.why


def test_an_image_that_cannot_be_pulled_fails_the_step_and_a_busy_registry_does_not():
    def waits(message):
        waiting = {"reason": "ImagePullBackOff", "message": message}
        return {"phase": "Pending", "containerStatuses": [container(waiting=waiting)]}

    assert seen(waits("repository does not exist")).status is Status.FAILED
    assert seen(waits("dial tcp 10.0.0.1:443: i/o timeout")).status is Status.RUNNING


def test_a_pod_that_ought_to_be_gone_for_long_is_lost_with_its_node():
    stamp = "2027-01-15T07:00:00Z"  # an hour before NOW

    assert seen({"phase": "Running"}, deletionTimestamp=stamp).status is Status.LOST


def test_what_a_pod_waits_for_is_told():
    condition = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}

    assert "0/3 nodes" in seen({"phase": "Pending", "conditions": [condition]}).note
