"""A hub that is killed again and again, with real clouds and users: the release goes through."""

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
  source: {{chart: {chart}, values: {{replicaCount: 2, colour: blue}}}}
  route: {{host: colors.localhost, service: colors, probe: {{path: /healthz}}}}
  rollout:
    drain: 1s
    canary: {{steps: [setWeight: 20, pause: {{duration: 2s}}, setWeight: 60, pause: {{duration: 2s}}]}}
  analysis: {{thresholds: [{{metric: errors, maxPercent: 5, minRequests: 20, window: 10s}}]}}
"""


class Installation:
    """A sandbox of two clouds with a hub that can be killed, and the commands of a person."""

    def __init__(self, home):
        self.home = home
        self.base = choose_layout(home, None).port_base
        self.environment = os.environ | {
            "CROSSFADE_HOME": str(home),
            "CROSSFADE_PORT_BASE": str(self.base),
        }
        self.hub = None

    def run(self, *arguments, seconds=90):
        done = subprocess.run(
            [*CROSSFADE, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done.stdout

    def start(self, *arguments, output=subprocess.DEVNULL):
        return subprocess.Popen(
            [*CROSSFADE, *arguments], env=self.environment, stdout=output, stderr=subprocess.DEVNULL
        )

    def start_hub(self):
        self.hub = self.start("up")

    def kill_hub(self):
        self.hub.send_signal(signal.SIGKILL)
        self.hub.wait(10)

    def rollout(self):
        return json.loads(self.run("rollout", "list", "--output", "json"))["rollouts"][0]

    def end(self):
        if self.hub is not None and self.hub.poll() is None:
            self.hub.terminate()
            self.hub.wait(10)
        self.run("sandbox", "down")


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """Two clouds on which blue serves."""
    made = Installation(tmp_path_factory.mktemp("home"))
    try:
        made.run("sandbox", "up", "--clouds", "one,two", "--port-base", str(made.base))
        made.start_hub()
        made.run("fleet", "add", "--sandbox")
        file = made.home / "crossfade.yaml"
        file.write_text(APPLICATION.format(chart=example() / "deploy/helm/colors"))
        made.run("apply", "-f", str(file))
        made.run("deploy", "colors", "--watch")
        yield made
    finally:
        made.end()


@pytest.mark.timeout(240)
def test_a_release_goes_through_although_the_hub_is_killed_every_second(installation, tmp_path):
    figures = tmp_path / "load.json"
    with figures.open("wb") as output:
        load = installation.start(
            "sandbox",
            "load",
            "--rate",
            "50",
            "--duration",
            "600s",
            "--output",
            "json",
            output=output,
        )
    try:
        installation.run("deploy", "colors", "--set", "colour=yellow")
        deadline, kills = time.monotonic() + 150, 0
        while installation.rollout()["phase"] != "ended":
            assert time.monotonic() < deadline, installation.rollout()
            if kills < 8:
                kills += 1
                installation.kill_hub()
                installation.start_hub()
            time.sleep(1)
    finally:
        load.send_signal(signal.SIGINT)
        load.wait(20)

    assert installation.rollout()["outcome"] == "succeeded"
    assert kills >= 3
    record = json.loads(figures.read_text())
    assert record["failed"] == 0
    assert record["versions"]["yellow"] > 0
