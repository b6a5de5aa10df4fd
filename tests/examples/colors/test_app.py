"""Color Coded does what its environment says, and goes without failing anybody."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

APP = Path(__file__).parents[3] / "examples" / "colors" / "app" / "app.py"
COMMAND = (sys.executable, "-IS", str(APP))


def end(**environment: str) -> tuple[int, str]:
    """Run the app until it ends by itself and return its exit code and its errors."""
    result = subprocess.run(
        COMMAND,
        env={"PATH": os.environ["PATH"], "PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return result.returncode, result.stderr


def test_an_answer_tells_version_colour_cloud_and_pod(start):
    app = start(VERSION="2.0", COLOUR="yellow", CLOUD="aws-node-0", POD_NAME="colors-7")
    answer = app.call()
    body = answer.json()
    assert answer.status_code == 200
    assert abs(body.pop("at") - time.time()) < 5  # noqa: TID251 - the app stamps wall time
    assert body == {"version": "2.0", "colour": "yellow", "cloud": "aws", "pod": "colors-7"}
    assert (answer.headers["x-version"], answer.headers["x-cloud"]) == ("2.0", "aws")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("node", "cloud"),
    [
        ("gcp-node-12", "gcp"),
        ("onprem", "onprem"),
        ("kind-eu-control-plane", "kind-eu"),
        ("kind-eu-worker2", "kind-eu"),
        ("ip-10-0-0-7.eu-west-1.compute.internal", "ip-10-0-0-7.eu-west-1.compute.internal"),
        ("", "local"),
    ],
)
def test_the_cloud_is_found_from_the_name_of_the_node(start, node, cloud):
    assert start(CLOUD=node).call().json()["cloud"] == cloud


def test_the_version_is_named_by_its_colour_when_it_has_no_name(start):
    assert start(COLOUR="green").call().json()["version"] == "green"
    assert start(COLOUR="#3366cc").call().json()["version"] == "3366cc"


def test_the_page_comes_whole_and_asks_for_nothing_from_elsewhere(start):
    page = httpx.get(start().url)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.rstrip().endswith("</html>")
    assert "src=" not in page.text
    assert "https://" not in page.text


def test_source_and_page_may_come_as_text_in_the_environment(start):
    launch = 'import os; exec(compile(os.environ.pop("APP"), "app.py", "exec"))'
    app = start(sys.executable, "-IS", "-c", launch, APP=APP.read_text(), PAGE="<p>my own page</p>")
    assert httpx.get(app.url).text == "<p>my own page</p>"
    assert app.call().json()["version"] == "blue"


def test_the_error_rate_is_what_it_says_and_failures_say_who_failed(start):
    app = start(ERROR_RATE="0.2", VERSION="red")
    with httpx.Client() as client:
        answers = [client.get(f"{app.url}/callme") for _ in range(1000)]
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 500}
    assert 130 <= statuses[500] <= 270  # five and a half standard deviations
    assert {answer.json()["version"] for answer in answers} == {"red"}


@pytest.mark.parametrize(("rate", "status"), [("0", 200), ("1", 500), ("1.0", 500)])
def test_no_errors_and_nothing_but_errors_are_exact(start, rate, status):
    app = start(ERROR_RATE=rate)
    with httpx.Client() as client:
        assert {client.get(f"{app.url}/callme").status_code for _ in range(200)} == {status}


def test_health_never_fails_by_the_error_rate(start):
    app = start(ERROR_RATE="1")
    assert httpx.get(f"{app.url}/healthz").status_code == 200
    assert httpx.get(app.url).status_code == 200


def test_latency_delays_answers_side_by_side_and_health_not_at_all(start):
    app = start(LATENCY_MS="300")
    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        assert {answer.status_code for answer in threads.map(lambda _: app.call(), range(8))} == {
            200
        }
    assert 0.3 <= time.monotonic() - began < 1.5
    began = time.monotonic()
    assert httpx.get(f"{app.url}/healthz").status_code == 200
    assert time.monotonic() - began < 0.3


@pytest.mark.parametrize(("clouds", "status"), [("gcp aws", 500), ("gcp", 200), ("", 500)])
def test_a_version_can_be_bad_on_some_clouds_only(start, clouds, status):
    app = start(ERROR_RATE="1", LATENCY_MS="1000", CLOUD="aws-node-0", FAULT_CLOUDS=clouds)
    began = time.monotonic()
    assert app.call().status_code == status
    assert (time.monotonic() - began >= 1) == (status == 500)


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_incident_hits_all_versions_on_its_cloud_until_it_is_over(start, tmp_path):
    here = [start(CLOUD="aws-node-0", INCIDENTS=str(tmp_path), VERSION=name) for name in "ab"]
    there = start(CLOUD="gcp", INCIDENTS=str(tmp_path))
    assert {app.call().status_code for app in (*here, there)} == {200}
    incident = tmp_path / "aws.json"
    incident.write_text('{"errorRate": 1, "latencyMs": 100}')
    until(lambda: all(app.call().status_code == 500 for app in here))
    began = time.monotonic()
    here[0].call()
    assert time.monotonic() - began >= 0.1
    assert httpx.get(f"{here[0].url}/healthz").status_code == 200
    assert there.call().status_code == 200
    incident.unlink()
    until(lambda: all(app.call().status_code == 200 for app in here))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"errorRate": "1", "latencyMs": 0}'])
def test_a_file_that_says_no_incident_is_none(start, tmp_path, text):
    (tmp_path / "local.json").write_text(text)
    assert start(INCIDENTS=str(tmp_path)).call().status_code == 200


def test_a_slow_start_is_not_ready_until_its_time(start):
    app = start(START_SECONDS="0.6")
    assert httpx.get(f"{app.url}/healthz").status_code == 503
    assert app.call().status_code == 503
    deadline = time.monotonic() + 5
    while httpx.get(f"{app.url}/healthz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert app.call().status_code == 200


def test_a_crash_on_purpose_ends_with_one_and_a_message():
    assert end(CRASH="1", VERSION="bad") == (1, "error: version bad was told to crash: CRASH=1\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "80a"),
        ("PORT", "70000"),
        ("PORT", "80.5"),
        ("HOST", "a host"),
        ("ERROR_RATE", "1.01"),
        ("ERROR_RATE", "-0.1"),
        ("ERROR_RATE", "nan"),
        ("LATENCY_MS", "inf"),
        ("LATENCY_MS", "5s"),
        ("START_SECONDS", "-1"),
        ("DRAIN_SECONDS", "1e9"),
        ("COLOUR", "mauve"),
        ("COLOUR", "#12"),
        ("VERSION", "a\r\nSet-Cookie: b"),
        ("VERSION", "v" * 300),
        ("CLOUD", "a cloud"),
        ("POD_NAME", "a pod"),
        ("CRASH", "yes"),
        ("FAULT_CLOUDS", "aws;gcp"),
    ],
)
def test_a_bad_value_is_refused_by_name_with_what_is_allowed(name, value):
    code, errors = end(**{name: value})
    assert code == 2
    assert errors.startswith(f"error: {name} is ")
    assert "allowed is" in errors
    assert len(errors.splitlines()) == 1


def test_all_bad_values_are_told_at_once():
    code, errors = end(PORT="x", ERROR_RATE="2", COLOUR="mauve")
    assert code == 2
    assert [line.split()[1] for line in errors.splitlines()] == ["COLOUR", "PORT", "ERROR_RATE"]


def test_all_addresses_are_one_of_the_choices(start):
    with socket.create_server(("127.0.0.1", 0)) as picked:  # with *, 0 may pick two ports
        port = picked.getsockname()[1]
    assert start(HOST="*", PORT=str(port)).call().status_code == 200


def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = end(PORT=str(port))
    assert code == 1
    assert errors.startswith(f"error: cannot listen on 127.0.0.1 port {port}: ")
    assert "Traceback" not in errors


def test_an_idle_app_ends_soon_after_it_is_told_to(start):
    app = start(DRAIN_SECONDS="30")
    app.terminate()
    assert app.process.wait(5) == 0
    assert app.wait_for_line("stopped")


def test_while_draining_users_are_served_and_connections_are_given_up(start):
    app = start(DRAIN_SECONDS="10")
    with httpx.Client() as client:
        assert client.get(f"{app.url}/callme").headers["connection"] == "keep-alive"
        app.terminate()
        app.wait_for_line("draining")
        answer = client.get(f"{app.url}/callme")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert httpx.get(f"{app.url}/healthz").status_code == 503
    assert app.call().status_code == 200  # on a new connection, too: not all know yet
    assert app.process.wait(10) == 0


def test_a_request_under_way_at_the_end_of_the_drain_time_is_answered(start):
    app = start(DRAIN_SECONDS="0", LATENCY_MS="700")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(app.call)
        time.sleep(0.3)  # the request has to be there; there is no sign of it to wait for
        app.terminate()
        assert answer.result(5).status_code == 200
    assert app.process.wait(5) == 0


def test_requests_that_never_end_do_not_hold_it_beyond_its_time(start):
    app = start(DRAIN_SECONDS="1")
    app.terminate()
    app.wait_for_line("draining")
    ended = time.monotonic() + 6
    with contextlib.suppress(httpx.TransportError):
        while time.monotonic() < ended:
            assert app.call().status_code == 200
    assert time.monotonic() < ended
    assert app.process.wait(5) == 0


def test_starting_takes_a_moment_only(start):
    assert min(start().start_seconds for _ in range(5)) < 0.4


def test_one_process_keeps_up_with_many_requests(start):
    app = start()
    request = b"GET /callme HTTP/1.1\r\nHost: x\r\n\r\n"
    began, answers = time.monotonic(), 0
    with socket.create_connection(("127.0.0.1", app.port), timeout=10) as connection:
        for _ in range(20):
            connection.sendall(request * 50)
            answers += 50
            received = b""
            while received.count(b"HTTP/1.1 200 OK") < 50 or not received.endswith(b"}\n"):
                received += connection.recv(65536)
    assert answers / (time.monotonic() - began) > 500
