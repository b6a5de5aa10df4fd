"""A server of somebody else as a process of its own, for as long as a test needs it."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx


@contextmanager
def server_process(
    command: Sequence[str], url: str, folder: Path, seconds: float
) -> Iterator[None]:
    """Run the command until the block ends, once `url` answers; its log is in the folder."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(url, folder / "log", seconds)
            yield
        finally:
            process.kill()
            process.wait()


def _wait(url: str, log: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            httpx.get(url, trust_env=False, timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"{url} does not answer: {log.read_text()[-500:]}")
