"""Faults of clouds as users and operators see them, on real clouds."""

import http.client
import json
import os
import signal
import ssl
import time

import pytest

from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.sandbox import control, processes, wire


def api(layout, cloud: str, path: str, seconds: float = 1.0, body: object = None):
    """Ask a cloud's API; None without an answer in time."""
    trust = ssl.create_default_context(cafile=str(layout.directory / "ca.crt"))
    connection = http.client.HTTPSConnection(
        "127.0.0.1", layout.ports(cloud).api, timeout=seconds, context=trust
    )
    token = (layout.folder(cloud) / "token").read_text()
    try:
        connection.request(
            "POST" if body else "GET",
            path,
            json.dumps(body) if body else None,
            {"authorization": f"Bearer {token}", "content-type": "application/json"},
        )
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def supervisor_state(layout, cloud: str) -> str:
    return wire.ask(layout.directory, {"do": "status"})["clouds"][cloud]


def until(condition, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def config_map(name: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def test_a_killed_cloud_is_gone_whole_and_comes_back_with_its_objects(sandbox, request_status):
    api(sandbox, "aws", CONFIG_MAPS, body=config_map("kept"))
    assert control.act(sandbox.directory, "kill", "aws") == "dead"
    assert processes.find(sandbox.directory, "aws") == ()
    assert request_status(sandbox.ports("aws").gateway) == 0
    assert request_status(sandbox.ports("gcp").gateway) == 404, "the others go on"
    assert control.act(sandbox.directory, "kill", "aws") == "dead", "safe to repeat"
    assert control.act(sandbox.directory, "restore", "aws") == "running"
    names = [one["metadata"]["name"] for one in api(sandbox, "aws", CONFIG_MAPS)["items"]]
    assert "kept" in names


def test_a_hung_cloud_takes_connections_and_never_answers(sandbox, request_status):
    assert control.act(sandbox.directory, "hang", "aws") == "hung"
    ports = sandbox.ports("aws")
    assert request_status(ports.gateway, seconds=0.3) == 0
    assert api(sandbox, "aws", "/readyz", seconds=0.3) is None
    with pytest.raises(Conflict) as refused:
        control.act(sandbox.directory, "slow", "aws", 100)
    assert "restore" in refused.value.hint
    assert control.act(sandbox.directory, "restore", "aws") == "running"
    assert request_status(ports.gateway) == 404
    assert api(sandbox, "aws", "/version") is not None


def test_a_hung_cloud_can_be_killed_and_restored(sandbox, request_status):
    control.act(sandbox.directory, "hang", "aws")
    assert control.act(sandbox.directory, "kill", "aws") == "dead"
    assert control.act(sandbox.directory, "restore", "aws") == "running"
    assert request_status(sandbox.ports("aws").gateway) == 404


def test_a_partition_cuts_the_api_off_and_leaves_users_alone(sandbox, request_status):
    assert control.act(sandbox.directory, "partition", "aws") == "partitioned"
    assert api(sandbox, "aws", "/version", seconds=0.3) is None
    assert request_status(sandbox.ports("aws").gateway) == 404
    assert control.act(sandbox.directory, "restore", "aws") == "running"
    assert api(sandbox, "aws", "/version")["major"] == "1"


PODS = "/api/v1/namespaces/default/pods"


def phase_of(sandbox, name):
    for pod in api(sandbox, "aws", PODS)["items"]:
        if pod["metadata"]["name"] == name:
            return pod["status"].get("phase"), str(pod["status"].get("conditions"))
    return None, ""


def wait_for(sandbox, name, phase, words=""):
    deadline = time.monotonic() + 20
    while True:
        found = phase_of(sandbox, name)
        if found[0] == phase and words in found[1]:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def start_pod(sandbox, name, cpu="100m"):
    requests = {"requests": {"cpu": cpu}}
    container = {"name": "a", "image": "host", "command": ["sleep", "99"], "resources": requests}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    api(sandbox, "aws", PODS, body={"metadata": {"name": name}, "spec": spec})


def test_a_full_cloud_keeps_its_pods_and_has_no_room_for_more(sandbox):
    start_pod(sandbox, "early")
    wait_for(sandbox, "early", "Running")
    assert control.act(sandbox.directory, "fill", "aws") == "full"
    assert control.act(sandbox.directory, "fill", "aws") == "full", "safe to repeat"
    start_pod(sandbox, "late")
    wait_for(sandbox, "late", "Pending", "Insufficient cpu")
    assert phase_of(sandbox, "early")[0] == "Running"
    assert control.act(sandbox.directory, "restore", "aws") == "running"
    wait_for(sandbox, "late", "Running")


def test_an_evicted_cloud_ends_its_pods_and_starts_none_until_it_is_restored(
    sandbox, request_status
):
    start_pod(sandbox, "cheap")
    wait_for(sandbox, "cheap", "Running")
    assert control.act(sandbox.directory, "evict", "aws") == "evicted"
    wait_for(sandbox, "cheap", "Failed", "TerminationByKubelet")
    start_pod(sandbox, "homeless")
    wait_for(sandbox, "homeless", "Pending", "were not ready")
    assert request_status(sandbox.ports("aws").gateway) == 404, "the gateway goes on"
    assert control.act(sandbox.directory, "restore", "aws") == "running"
    wait_for(sandbox, "homeless", "Running")


def test_in_a_blackout_nobody_tells_the_api_that_node_and_gateway_are_dead(sandbox, request_status):
    start_pod(sandbox, "steady")
    wait_for(sandbox, "steady", "Running")
    assert control.act(sandbox.directory, "blackout", "aws") == "blackout"
    assert control.act(sandbox.directory, "blackout", "aws") == "blackout", "safe to repeat"
    until(lambda: request_status(sandbox.ports("aws").gateway) == 0)
    until(lambda: {one.role for one in processes.find(sandbox.directory, "aws")} == {"cloud"})
    assert phase_of(sandbox, "steady")[0] == "Running", "as far as the API server knows"
    assert control.act(sandbox.directory, "restore", "aws") == "running"
    assert request_status(sandbox.ports("aws").gateway) == 404
    until(lambda: "pod" in {one.role for one in processes.find(sandbox.directory, "aws")}, 20)


def test_a_slow_cloud_answers_late_and_restore_makes_it_fast_again(sandbox):
    assert control.act(sandbox.directory, "slow", "aws", 300) == "slow"
    start = time.monotonic()
    assert api(sandbox, "aws", "/version") is not None
    assert time.monotonic() - start >= 0.29
    control.act(sandbox.directory, "restore", "aws")
    start = time.monotonic()
    assert api(sandbox, "aws", "/version") is not None
    assert time.monotonic() - start < 0.29


@pytest.mark.parametrize("milliseconds", [0, -1, 60_001])
def test_a_delay_out_of_range_is_refused(sandbox, milliseconds):
    with pytest.raises(InputError):
        control.act(sandbox.directory, "slow", "aws", milliseconds)


def test_a_cloud_that_dies_by_itself_stays_dead_and_is_shown_so(sandbox, request_status):
    main = next(one for one in processes.find(sandbox.directory, "gcp") if one.role == "cloud")
    os.kill(main.pid, signal.SIGKILL)
    until(lambda: supervisor_state(sandbox, "gcp") == "dead")
    until(lambda: processes.find(sandbox.directory, "gcp") == ())
    with pytest.raises(Conflict) as refused:
        control.act(sandbox.directory, "hang", "gcp")
    assert "restore" in refused.value.hint
    control.act(sandbox.directory, "restore", "gcp")
    assert request_status(sandbox.ports("gcp").gateway) == 404


def test_the_edge_is_started_again_when_it_dies(sandbox):
    def edges() -> list[int]:
        return [one.pid for one in processes.find(sandbox.directory) if one.role == "edge"]

    before = edges()
    os.kill(before[0], signal.SIGKILL)
    until(lambda: edges() and edges() != before)


def test_an_unknown_cloud_is_refused_with_the_names_that_there_are(sandbox):
    with pytest.raises(NotFound) as missing:
        control.act(sandbox.directory, "kill", "azure")
    assert "aws, gcp" in missing.value.hint
