"""What tests of everything together have in common: a sandbox of their own, and its commands."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crossfade.sandbox.demo.play import choose_layout

CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")
WAIT_SECONDS = 60


class Installation:
    """A sandbox, and the commands of a person."""

    def __init__(self, home: Path) -> None:
        self.base = choose_layout(home, None).port_base
        own = {"CROSSFADE_HOME": str(home), "CROSSFADE_PORT_BASE": str(self.base)}
        self.environment = os.environ | own

    def up(self, *clouds: str) -> None:
        """Start clouds, all of them in the fleet."""
        self.run("sandbox", "up", "--clouds", ",".join(clouds), "--port-base", str(self.base))
        self.run("fleet", "add", "--sandbox")

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

    def lines(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command whose lines can be read."""
        return subprocess.Popen(
            [*CROSSFADE, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def data(self, *arguments: str):
        return json.loads(self.run(*arguments, "--output", "json"))

    def kubectl(self, cloud: str, *arguments: str) -> str:
        config = Path(self.environment["CROSSFADE_HOME"]) / "sandbox" / "kubeconfig"
        command = ["kubectl", "--kubeconfig", str(config), "--context", cloud, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True
        ).stdout

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.1)


@pytest.fixture
def installed(tmp_path):
    """Return what opens an installation with these clouds, and ends it."""

    @contextmanager
    def opened(*clouds: str) -> Iterator[Installation]:
        made = Installation(tmp_path)
        try:
            made.up(*clouds)
            yield made
        finally:
            made.run("sandbox", "down")

    return opened
