"""Rows for people."""

import pytest

from crossfade.sandbox.kube import table
from crossfade.sandbox.kube.kinds import POD
from crossfade.sandbox.kube.registry import Served


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (11_000, "3h3m"),
        (28_800, "8h"),
        (172_800, "2d"),
        (180_000, "2d2h"),
        (691_200, "8d"),
        (-5, "0s"),
    ],
)
def test_ages_are_short(seconds, text):
    assert table.duration(seconds) == text


def _pod(**status: object) -> dict:
    spec = {"containers": [{"name": "c"}], "initContainers": [{"name": "i"}]}
    return {"metadata": {"name": "p"}, "spec": spec, "status": {"phase": "Pending"} | status}


def _state(**state: object) -> list[dict]:
    return [{"name": "c", "state": state, "restartCount": 2, "ready": "running" in state}]


@pytest.mark.parametrize(
    ("pod", "text"),
    [
        (_pod(), "Pending"),
        (_pod(phase="Running", containerStatuses=_state(running={})), "Running"),
        (
            _pod(containerStatuses=_state(waiting={"reason": "CrashLoopBackOff"})),
            "CrashLoopBackOff",
        ),
        (_pod(containerStatuses=_state(terminated={"reason": "OOMKilled"})), "OOMKilled"),
        (_pod(containerStatuses=_state(terminated={"exitCode": 7})), "ExitCode:7"),
        (_pod(initContainerStatuses=_state(running={})), "Init:0/1"),
        (
            _pod(initContainerStatuses=_state(waiting={"reason": "ErrImagePull"})),
            "Init:ErrImagePull",
        ),
        (_pod(reason="Evicted", phase="Failed"), "Evicted"),
    ],
)
def test_the_state_of_a_pod_says_what_ails_it(pod, text):
    row = table.render(Served(POD), [pod], {}, now=0)["rows"][0]
    assert row["cells"][2] == text


def test_a_pod_that_is_deleted_is_terminating():
    pod = _pod(phase="Running")
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert table.render(Served(POD), [pod], {}, now=0)["rows"][0]["cells"][2] == "Terminating"


def test_an_odd_object_does_not_hide_the_others():
    odd = {"metadata": {"name": "odd"}, "spec": 7, "status": {"containerStatuses": 3}}
    rows = table.render(Served(POD), [odd, _pod()], {}, now=0)["rows"]
    assert [row["cells"][0] for row in rows] == ["odd", "p"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".spec.size", 3),
        (".spec['size']", 3),
        (".items[0].name", "a"),
        (".items[*].name", "a"),
        ('.items[?(@.name=="b")].value', 2),
        (".labels.example\\.com/x", None),
        (".none.at.all", None),
    ],
)
def test_columns_of_definitions_find_their_values(path, value):
    items = [{"name": "a", "value": 1}, {"name": "b", "value": 2}]
    assert table.by_path({"spec": {"size": 3}, "items": items}, path) == value
