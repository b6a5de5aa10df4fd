"""Pipelines as people register them, start builds of them, and leave builds to a hub."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossfade.cli.main import main
from crossfade.testing.free_ports import free_port

WAIT_SECONDS = 60
CHILD = """version: '1.0'
kind: pipeline
metadata: {name: shop/child}
spec:
  variables: [{key: GREETING, value: hello}]
  steps:
    say:
      image: alpine
      commands: ['echo $GREETING $NAME $CF_BRANCH $TOKEN', 'test "$NAME" != bad']
"""
SLOW = """version: '1.0'
kind: pipeline
metadata: {name: shop/slow}
spec:
  steps:
    first: {image: alpine, commands: ['echo x >> first']}
    long: {image: alpine, commands: ['echo x >> long; while [ ! -e go ]; do sleep 0.05; done']}
    last: {image: alpine, commands: ['echo x >> last']}
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def hub(free_port_base):
    """Starts hubs; what it returns is killed in the end."""
    hubs = []

    def start() -> subprocess.Popen[bytes]:
        environment = {**os.environ, "CROSSFADE_PORT_BASE": str(free_port_base)}
        command = [sys.executable, "-m", "crossfade.cli.main", "up", "--no-api"]
        nowhere = subprocess.DEVNULL
        hubs.append(subprocess.Popen(command, env=environment, stdout=nowhere, stderr=nowhere))
        return hubs[-1]

    yield start
    for each in hubs:
        each.send_signal(signal.SIGTERM)
        each.wait(15)


@pytest.fixture
def free_port_base() -> int:
    return free_port() - 1


def write(tmp_path: Path, text: str, name: str = "pipeline.yml") -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def until(condition, what: str):
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def data(capsys, *arguments: str):
    capsys.readouterr()
    main(["pipeline", *arguments, "--output", "json"])
    return json.loads(capsys.readouterr().out)


def test_a_build_that_is_left_to_a_hub_survives_the_death_of_that_hub(tmp_path, home, hub, capsys):
    assert main(["pipeline", "apply", write(tmp_path, SLOW)]) == 0
    first = hub()
    assert data(capsys, "start", "shop/slow")["run"] == "1"
    volume = home / "pipelines/1/volume"
    until((volume / "long").exists, "the hub does not run the build")
    first.kill()
    first.wait()
    (volume / "go").touch()
    hub()

    until(lambda: data(capsys, "list")[0]["result"] == "success", "nobody goes on with it")
    for name in ("first", "long", "last"):
        assert (volume / name).read_text() == "x\n"


def test_a_step_starts_a_build_of_another_pipeline_and_fails_with_it(tmp_path, hub, capsys):
    main(["pipeline", "apply", write(tmp_path, CHILD)])
    parent = write(
        tmp_path,
        """version: '1.0'
steps:
  good:
    type: codefresh-run
    arguments: {PIPELINE_ID: shop/child, BRANCH: b1, VARIABLE: [NAME=ann], SECRETS: [TOKEN=hidden]}
  bad:
    type: codefresh-run
    fail_fast: false
    arguments: {PIPELINE_ID: shop/child, VARIABLE: [NAME=bad]}
""",
        "parent.yml",
    )
    hub()

    found = data(capsys, "run", parent)

    assert found["steps"]["good"]["result"] == "success"
    assert found["steps"]["bad"]["result"] == "failure"
    assert main(["pipeline", "logs", "1", "good"]) == 0
    assert "say | hello ann b1 ***" in capsys.readouterr().out
    assert [row["run"] for row in data(capsys, "list")] == ["3", "2", "1"]


def test_a_build_of_a_hub_is_answered_ended_and_begun_again_by_commands(tmp_path, hub, capsys):
    text = SLOW.replace("shop/slow", "shop/ask").replace(
        "    first:", "    ask: {type: pending-approval}\n    first:"
    )
    main(["pipeline", "apply", write(tmp_path, text)])
    hub()
    data(capsys, "start", "shop/ask")
    until(lambda: data(capsys, "list")[0]["waiting"], "nobody is asked")

    assert data(capsys, "approve", "1")["answer"] == "approved"
    until(lambda: data(capsys, "list")[0]["result"] == "running", "it does not go on")
    assert main(["pipeline", "resume", "1"]) == 5
    assert data(capsys, "terminate", "1")["result"] == "terminated"
    assert data(capsys, "restart", "1")["result"] == "pending"
    until(lambda: data(capsys, "list")[0]["result"] == "running", "it does not begin again")
    assert data(capsys, "terminate", "1")["result"] == "terminated"


def test_without_a_hub_people_are_told_that_nobody_runs_the_build(tmp_path, capsys):
    main(["pipeline", "apply", write(tmp_path, SLOW)])
    capsys.readouterr()

    assert main(["pipeline", "start", "shop/slow"]) == 0
    assert "no hub runs" in capsys.readouterr().err
    assert main(["pipeline", "start", "shop/slow", "--wait", "--timeout", "300ms"]) == 1
    assert "took longer than 0.3 s" in capsys.readouterr().err


def test_who_follows_a_build_that_does_not_begin_is_told_what_it_waits_for(
    tmp_path, hub, capsys, monkeypatch
):
    monkeypatch.setattr("crossfade.cli.pipeline_view._WONDER_SECONDS", 0.1)
    main(["pipeline", "apply", write(tmp_path, SLOW.replace("spec:", "spec:\n  concurrency: 1"))])
    follow = ("pipeline", "start", "shop/slow", "--follow", "--timeout", "800ms")

    main([*follow])
    said = capsys.readouterr().err
    assert said.count("nobody runs build 1; `crossfade up` goes on with it") == 1
    hub()
    until(lambda: data(capsys, "list")[0]["result"] == "running", "it does not begin")
    main([*follow])
    assert capsys.readouterr().err.count("build 2 waits for its turn after shop/slow 1") == 1
    assert data(capsys, "terminate", "1")["result"] == "terminated"


def test_a_build_without_a_cluster_for_its_pods_says_so_to_whoever_asks(
    tmp_path, hub, capsys, monkeypatch
):
    main(["pipeline", "apply", write(tmp_path, SLOW)])
    monkeypatch.setenv("CROSSFADE_PIPELINE_RUNNER", "pod")
    hub()
    capsys.readouterr()

    main(["pipeline", "start", "shop/slow", "--follow", "--timeout", "10s"])
    assert capsys.readouterr().err.count("build 1 waits: the fleet is empty") == 1
    assert data(capsys, "why", "1", "first")["why"][-1] == "the build waits: the fleet is empty"
    assert data(capsys, "terminate", "1")["result"] == "terminated"


def test_pipelines_are_registered_listed_and_forgotten(tmp_path, capsys):
    file = write(tmp_path, CHILD)

    assert data(capsys, "apply", file) == [{"pipeline": "shop/child", "change": "saved"}]
    assert data(capsys, "apply", file) == [{"pipeline": "shop/child", "change": "unchanged"}]
    assert [each["pipeline"] for each in data(capsys, "registered")] == ["shop/child"]
    assert main(["pipeline", "unregister", "shop/child"]) == 0
    assert main(["pipeline", "unregister", "shop/child"]) == 3
    assert data(capsys, "registered") == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("metadata: {name: shop/child}\n", "metadata: {}\n", "has no name"),
        ("spec:\n", "spec:\n  concurrency: lots\n", "spec.concurrency"),
        ("image: alpine", "image: no/such", "no/such"),
    ],
)
def test_a_pipeline_that_could_not_be_run_is_not_registered(tmp_path, capsys, old, new, said):
    good = write(tmp_path, SLOW, "good.yml")
    bad = write(tmp_path, CHILD.replace(old, new))

    assert main(["pipeline", "apply", good, bad]) == 2
    assert said in capsys.readouterr().err
    assert data(capsys, "registered") == [], "nothing is changed unless all are accepted"


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"A": 1}', '{"A": {"secret": true}}'], ids=["list", "cut", "number", "no"]
)
def test_variables_that_cannot_be_read_start_nothing(tmp_path, capsys, text):
    main(["pipeline", "apply", write(tmp_path, CHILD)])
    file = write(tmp_path, text, "variables.json")

    assert main(["pipeline", "start", "shop/child", "--variables", file]) == 2
    assert data(capsys, "list") == []
