"""The whole program on clouds of its own, as a person starts and uses it."""

import json
import os
import subprocess
import sys
import time

import pytest

from crossfade.sandbox.demo.play import choose_layout, example

CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")


class Installation:
    """A sandbox with a hub that can be killed, and the commands of a person."""

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

    def data(self, *arguments):
        return json.loads(self.run(*arguments, "--output", "json"))

    def start(self, *arguments, output=subprocess.DEVNULL):
        return subprocess.Popen(
            [*CROSSFADE, *arguments], env=self.environment, stdout=output, stderr=subprocess.DEVNULL
        )

    def lines(self, *arguments):
        """Start a command whose lines can be read."""
        return subprocess.Popen(
            [*CROSSFADE, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kubectl(self, cloud, *arguments):
        config = str(self.home / "sandbox" / "kubeconfig")
        command = ["kubectl", "--kubeconfig", config, "--context", cloud, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True
        ).stdout

    def start_hub(self):
        self.hub = self.start("up", "--no-api")  # its port is not one of the sandbox's own

    def kill_hub(self):
        self.hub.kill()
        self.hub.wait(10)

    def serve(self, application):
        """Let the hub bring the first revision of the example to every cloud."""
        file = self.home / "crossfade.yaml"
        file.write_text(application.format(chart=example() / "deploy/helm/colors"))
        self.run("apply", "-f", str(file))
        self.run("deploy", "colors", "--watch")

    def rollout(self):
        return self.data("rollout", "list")["rollouts"][0]

    def until(self, condition, what="", seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, what or self.rollout()
            time.sleep(0.1)

    def end(self):
        if self.hub is not None and self.hub.poll() is None:
            self.hub.terminate()
            self.hub.wait(10)
        self.run("sandbox", "down")


@pytest.fixture
def install(tmp_path):
    """Start clouds of the given names, with a hub unless told otherwise, in one fleet."""
    made = Installation(tmp_path / "home")

    def start(*clouds, hub=True):
        made.run("sandbox", "up", "--clouds", ",".join(clouds), "--port-base", str(made.base))
        if hub:
            made.start_hub()
        made.run("fleet", "add", "--sandbox")
        return made

    try:
        yield start
    finally:
        made.end()
