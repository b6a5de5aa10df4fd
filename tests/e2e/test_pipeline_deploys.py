"""The example's release: asked for, approved, killed in the middle, resumed, and done once."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossfade.sandbox.demo.play import choose_layout, example

CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")
WAIT_SECONDS = 60

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl on PATH")


class Installation:
    """A sandbox of two clouds with a hub, and the commands of a person."""

    def __init__(self, home: Path) -> None:
        self.base = choose_layout(home, None).port_base
        own = {"CROSSFADE_HOME": str(home), "CROSSFADE_PORT_BASE": str(self.base)}
        self.environment = os.environ | own

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*CROSSFADE, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        nowhere = subprocess.DEVNULL
        command = [*CROSSFADE, *arguments]
        return subprocess.Popen(command, env=self.environment, stdout=nowhere, stderr=nowhere)

    def data(self, *arguments: str):
        return json.loads(self.run(*arguments, "--output", "json"))

    def until(self, condition, what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.1)


@pytest.fixture
def installation(tmp_path):
    made, hub = Installation(tmp_path), None
    try:
        made.run("sandbox", "up", "--clouds", "one,two", "--port-base", str(made.base))
        made.run("fleet", "add", "--sandbox")
        hub = made.start("up")
        yield made
    finally:
        if hub is not None:
            hub.terminate()
            hub.wait(10)
        made.run("sandbox", "down")


@pytest.mark.timeout(200)
def test_a_release_that_is_killed_goes_on_and_is_deployed_once(installation):
    file, folder = example() / "release.yml", str(example())
    arguments = ("pipeline", "run", str(file), "--local-dir", folder, "--var", "COLOUR=green")
    build = installation.start(*arguments)
    installation.until(lambda: _waiting(installation), "nobody was asked")
    installation.run("pipeline", "approve", "1")
    installation.until(lambda: installation.data("rollout", "list")["rollouts"], "no rollout")
    build.send_signal(signal.SIGKILL)
    build.wait(10)

    result = installation.data("pipeline", "resume", "1")

    assert result["result"] == "success"
    assert result["variables"]["CLUSTERS"] == "2"
    (rollout,) = installation.data("rollout", "list", "colors")["rollouts"]
    assert (rollout["number"], rollout["outcome"]) == (1, "succeeded")
    log = installation.run("pipeline", "logs", "1", "release")
    assert "serves all users" in log


def _waiting(installation: Installation) -> bool:
    builds = installation.data("pipeline", "list")
    return bool(builds) and builds[0]["result"] == "pending-approval"
