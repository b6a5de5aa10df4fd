"""Color Coded as real processes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

FOLDER = Path(__file__).parents[3] / "examples" / "colors"
CHART = FOLDER / "deploy" / "helm" / "colors"
COMMAND = (sys.executable, "-IS", str(FOLDER / "app" / "app.py"))


@dataclass
class Running:
    """One process of the app that listens."""

    process: subprocess.Popen[str]
    port: int
    start_seconds: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def terminate(self) -> None:
        """Ask it to go, as a kubelet does."""
        self.process.send_signal(signal.SIGTERM)

    def wait_for_line(self, start: str) -> str:
        """Return the next line of its log that starts so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(start):
                return line.rstrip()
        raise AssertionError(f"the app ended without a line {start!r}")

    def call(self) -> httpx.Response:
        """Ask for one square, on a connection of its own."""
        return httpx.get(f"{self.url}/callme")


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts the app with the given environment."""
    started: list[subprocess.Popen[str]] = []

    def run(*command: str, **environment: str) -> Running:
        began = time.monotonic()
        process = subprocess.Popen(
            command or COMMAND,
            env={"PATH": os.environ["PATH"], "PORT": "0", "POD_NAME": "colors-1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"^listening .*port=(\d+)", line)
        assert found, f"did not start: {line}{process.stderr.read() if process.stderr else ''}"
        return Running(process, int(found[1]), time.monotonic() - began)

    yield run
    for process in started:
        process.kill()
        process.communicate()
