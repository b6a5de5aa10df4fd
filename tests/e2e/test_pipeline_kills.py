"""Builds of real processes, killed with SIGKILL here and there, end as if nobody had done it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossfade.cli.main import main

WAIT_SECONDS = 60
PIPELINE = """version: '1.0'
steps:
  first: {image: alpine, commands: ['echo x >> first', 'cf_export COLOUR=green']}
  unsure:
    image: alpine
    fail_fast: false
    commands: ['sleep 0.2', 'echo x >> unsure-$CF_CURRENT_ATTEMPT', 'exit 3']
    retry: {maxAttempts: 2, delay: 1}
  both:
    type: parallel
    steps:
      left: {image: alpine, commands: ['sleep 0.5', '[ -e left ] || echo x >> left']}
      right: {image: alpine, commands: ['[ -e right ] || echo x >> right', 'touch up', 'sleep 1']}
  last: {image: alpine, commands: ['test $COLOUR = green', 'echo x >> last']}
"""
ONCE = ("first", "unsure-1", "unsure-2", "left", "right", "last")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "crossfade.cli.main", "pipeline", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def until(condition, what: str):
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


def kill_keeper(home: Path) -> None:
    for run in running(home):
        os.kill(int((run / "pid").read_text()), signal.SIGKILL)


def kill_step(home: Path) -> None:
    for run in running(home):
        keeper = int((run / "pid").read_text())
        for child in Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)


def running(home: Path) -> list[Path]:
    runs = (home / "pipelines/1/runs").glob("*")
    return [each for each in runs if (each / "pid").exists() and not (each / "code").exists()]


def assert_undisturbed(home: Path, found: dict) -> None:
    assert found["result"] == "success"
    assert {key: (each["result"], each["attempt"]) for key, each in found["steps"].items()} == {
        "first": ("success", 1),
        "unsure": ("failure", 2),
        "both": ("success", 1),
        "left": ("success", 1),
        "right": ("success", 1),
        "last": ("success", 1),
    }
    assert found["variables"] == {"COLOUR": "green"}
    for name in ONCE:
        assert (home / "pipelines/1/volume" / name).read_text() == "x\n", name


@pytest.mark.timeout(120)
@pytest.mark.parametrize("disturbed", [kill_keeper, kill_step])
def test_a_build_survives_kills_of_its_process_and_of_what_it_runs(
    tmp_path, home, capsys, disturbed
):
    file = tmp_path / "codefresh.yml"
    file.write_text(PIPELINE)
    process = start("run", str(file))
    volume = home / "pipelines/1/volume"
    until((volume / "first").exists, "the first step does not run")
    for pause in (0.05, 0.4, 0.15):
        time.sleep(pause)  # anywhere in what the build does
        process.kill()
        process.wait()
        process = start("resume", "1")
    until((volume / "up").exists, "the group does not start")
    disturbed(home)
    process.kill()
    process.wait()

    code = main(["pipeline", "resume", "1", "--output", "json"])

    assert code == 0
    assert_undisturbed(home, json.loads(capsys.readouterr().out))
