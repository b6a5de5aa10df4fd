"""A cloud is taken out for a drill, with real clouds, a real edge and users: nobody notices."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from crossfade.sandbox.demo.play import choose_layout, example

CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")
APPLICATION = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {{name: colors}}
spec:
  source: {{chart: {chart}, values: {{replicaCount: 1, colour: blue}}}}
  route: {{host: colors.localhost, service: colors, probe: {{path: /healthz}}}}
  failover: {{objective: {{recovery: 30s, errorBudget: 5%}}}}
"""


class Installation:
    """A sandbox of three clouds, a hub that can be killed, and the commands of a person."""

    def __init__(self, home):
        self.home = home
        self.base = choose_layout(home, None).port_base
        self.environment = os.environ | {
            "CROSSFADE_HOME": str(home),
            "CROSSFADE_PORT_BASE": str(self.base),
        }
        self.hub = None

    def run(self, *arguments, code=0):
        done = subprocess.run(
            [*CROSSFADE, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done.stdout

    def start(self, *arguments, output=subprocess.DEVNULL):
        return subprocess.Popen(
            [*CROSSFADE, *arguments], env=self.environment, stdout=output, stderr=subprocess.DEVNULL
        )

    def start_hub(self):
        self.hub = self.start("up", "--no-api")

    def drill(self):
        return json.loads(self.run("failover", "drills", "-o", "json"))["drills"][0]

    def shares(self):
        found = json.loads(self.run("failover", "status", "-o", "json"))["clusters"]
        return {each["cluster"]: each["users"].get("colors", 0.0) for each in found}

    def until(self, holds, seconds=60.0):
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.run("failover", "drills")
            time.sleep(0.5)

    def end(self):
        if self.hub is not None and self.hub.poll() is None:
            self.hub.terminate()
            self.hub.wait(10)
        self.run("sandbox", "down")


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """Three clouds on which blue serves."""
    made = Installation(tmp_path_factory.mktemp("home"))
    try:
        made.run("sandbox", "up", "--port-base", str(made.base))
        made.start_hub()
        made.run("fleet", "add", "--sandbox")
        file = made.home / "crossfade.yaml"
        file.write_text(APPLICATION.format(chart=example() / "deploy/helm/colors"))
        made.run("apply", "-f", str(file))
        made.run("deploy", "colors", "--watch")
        made.until(lambda: all(made.shares().values()))
        yield made
    finally:
        made.end()


@pytest.fixture
def users(installation, tmp_path):
    """50 requests per second while the test lasts; what they met is read from the result."""
    path = tmp_path / "load.json"

    def ended():
        if load.poll() is None:
            load.send_signal(signal.SIGINT)
            load.wait(20)
        return json.loads(path.read_text())

    with path.open("wb") as output:
        load = installation.start(
            *("sandbox", "load", "--rate", "50", "--duration", "600s", "-o", "json"), output=output
        )
    yield ended
    ended()


@pytest.mark.timeout(240)
def test_no_user_notices_a_drill_and_all_are_back_after_it(installation, users):
    told = installation.run("failover", "drill", "gcp", "--for", "8s", "--yes", "-o", "json")
    drill = json.loads(told)

    assert drill["outcome"] == "met"
    assert drill["courses"][0]["recovery_seconds"] < 30
    assert drill["returned_at"] is not None
    assert all(installation.shares().values())
    assert users()["failed"] == 0


@pytest.mark.timeout(240)
def test_users_are_back_after_command_and_hub_were_killed_in_the_middle(installation, users):
    command = installation.start("failover", "drill", "gcp", "--for", "600s", "--yes")
    installation.until(lambda: installation.shares()["gcp"] == 0)
    for process in (command, installation.hub):
        process.kill()
        process.wait(10)
    installation.start_hub()
    installation.until(lambda: installation.drill()["phase"] == "ended")

    assert installation.drill()["outcome"] == "aborted"
    assert all(installation.shares().values())
    assert users()["failed"] == 0
