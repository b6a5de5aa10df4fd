"""Environments that outlive their builds, as processes that really run."""

import io
import signal
import subprocess
import sys
import time

import pytest

from crossfade.adapters.runners import bubblewrap

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
WEB = "composition: {services: {web: {image: alpine, command: sh -c 'echo here; sleep 600'}}}"
SLOW = """composition:
      services:
        db: {image: alpine, command: sleep 600, healthcheck: {test: 'false', interval: 50ms, retries: 9999}}
        web: {image: alpine, command: sleep 600, depends_on: {db: {condition: service_healthy}}}
"""


@pytest.fixture
def write(tmp_path, left):
    def file(composition, more=""):
        path = tmp_path / "codefresh.yml"
        path.write_text(f"""version: '1.0'
steps:
  up:
    type: launch-composition
    environment_name: review
    {more}
    {composition}
""")
        return str(path)

    yield file
    assert left(tmp_path) == []


def environments(crossfade):
    rows = crossfade("pipeline", "environment", "list", "--output", "json").data
    return [(row["name"], row["status"], row["build"]) for row in rows]


def test_an_environment_goes_on_after_its_build_until_it_is_ended(crossfade, write, tmp_path, left):
    ran = crossfade("pipeline", "run", write(WEB))
    assert ran.code == 0, ran.out
    assert "web is at 127." in ran.out

    assert environments(crossfade) == [("review", "up", "1")]
    assert "web | here" in crossfade("pipeline", "environment", "logs", "review").out
    assert left(tmp_path)

    assert crossfade("pipeline", "environment", "end", "review").code == 0
    assert environments(crossfade) == []
    assert left(tmp_path) == []


def test_an_environment_ends_by_itself_in_the_end(crossfade, write, tmp_path, left):
    ran = crossfade("pipeline", "run", write(WEB, more="lifetime: 1s"))
    assert ran.code == 0, ran.out

    until(lambda: left(tmp_path) == [])

    assert environments(crossfade) == [("review", "ended", "1")]


def test_one_that_does_not_start_fails_its_step_and_leaves_nothing(crossfade, write):
    ran = crossfade("pipeline", "run", write(WEB.replace("alpine", "nobody/web")))

    assert ran.code == 1
    assert "environment review does not start" in ran.out
    assert environments(crossfade) == []


def test_a_build_that_is_ended_while_it_launches_one_leaves_nothing(
    crossfade, write, tmp_path, left
):
    command = [sys.executable, "-m", "crossfade.cli.main", "pipeline", "run", write(SLOW)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: any("sleep" in each for each in left(tmp_path)))

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=30) == 1
    assert environments(crossfade) == []


def test_what_cannot_be_launched_is_said_without_a_traceback(crossfade, monkeypatch):
    for text in ("", "[1]", '{"composition": {}, "variables": {"a": 1}}', '{"composition": "x"}'):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        options = ("--build", "7", "--once", "x")
        ran = crossfade("pipeline", "environment", "launch", "review", *options)
        assert ran.code != 0
        assert "hint: " in ran.err


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
