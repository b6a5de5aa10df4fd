"""The status of a Pod follows from its containers alone."""

import pytest

from crossfade.sandbox.kube.kubelet.container_record import (
    ContainerRecord,
    Running,
    Terminated,
    Waiting,
    restored,
)
from crossfade.sandbox.kube.kubelet.pod_status import PodRecord, phase, status

GOOD, BAD = Terminated(0, "Completed", 1, 2), Terminated(1, "Error", 1, 2)


def record(*states, last=None):
    found = []
    for index, state in enumerate(states):
        one = ContainerRecord(f"c{index}", "host", state, last)
        one.id = "" if isinstance(state, Waiting) and last is None else "sandbox://1"
        one.ready = one.started = isinstance(state, Running)
        found.append(one)
    return PodRecord(found, started_at=1.0)


def pod(policy="Always", **spec):
    return {"metadata": {"name": "p"}, "spec": {"restartPolicy": policy, **spec}, "status": {}}


@pytest.mark.parametrize(
    ("states", "policy", "expected"),
    [
        ([Waiting()], "Always", "Pending"),
        ([Running(1)], "Always", "Running"),
        ([Running(1), Waiting()], "Always", "Pending"),
        ([BAD], "Always", "Running"),
        ([GOOD, GOOD], "Never", "Succeeded"),
        ([GOOD, BAD], "Never", "Failed"),
        ([GOOD, Running(1)], "Never", "Running"),
        ([BAD], "OnFailure", "Running"),
        ([GOOD], "OnFailure", "Succeeded"),
    ],
)
def test_the_phase(states, policy, expected):
    assert phase(pod(policy), record(*states)) == expected


def test_a_container_between_two_runs_does_not_make_its_pod_pending():
    assert phase(pod(), record(Waiting("CrashLoopBackOff"), last=BAD)) == "Running"


def test_a_pod_is_ready_only_with_all_its_containers_and_gates():
    def ready(found):
        return next(one for one in found["conditions"] if one["type"] == "Ready")

    good = status(pod(), record(Running(1), Running(1)), "127.0.0.1", 5)
    assert ready(good)["status"] == "True"
    half = record(Running(1), Running(1))
    half.containers[1].ready = False
    bad = ready(status(pod(), half, "127.0.0.1", 5))
    assert (bad["status"], bad["message"]) == ("False", "containers with unready status: [c1]")
    gates = {"readinessGates": [{"conditionType": "traffic"}]}
    assert ready(status(pod(**gates), record(Running(1)), "127.0.0.1", 5))["status"] == "False"


def test_conditions_of_others_are_kept():
    body = pod()
    body["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]
    found = status(body, record(Running(1)), "127.0.0.1", 5)
    assert "DisruptionTarget" in {one["type"] for one in found["conditions"]}


def test_what_ran_before_a_crash_of_the_cloud_is_told_as_lost():
    before = record(Running(1)).containers[0].status()
    found = restored({"name": "c0", "image": "host"}, before, 9.0)
    assert isinstance(found.state, Terminated)
    assert (found.state.exit_code, found.state.finished_at) == (137, 9.0)


def test_a_record_survives_being_written_and_read():
    one = record(Waiting("CrashLoopBackOff"), last=BAD).containers[0]
    one.restarts = 4
    again = restored({"name": "c0", "image": "host"}, one.status(), 9.0)
    assert (again.restarts, again.last.exit_code) == (4, 1)
