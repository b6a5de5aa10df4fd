"""A whole sandbox for tests that need one, on ports that are free."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.base.clock import SteadyClock
from crossfade.sandbox import control, ports, processes, state
from crossfade.sandbox.state import Layout


def free_layout(directory: Path, *clouds: str) -> Layout:
    """Return a layout on ports that are free now, below those of outgoing connections."""
    for _ in range(200):
        base = random.randrange(5000, 16000, 200)  # noqa: S311 - spreads tests, no secret
        layout = state.new_layout(directory, clouds, base)
        if all(ports.is_free(port) for port in (*layout.own_ports(), layout.hub_port)):
            return layout
    raise AssertionError("no free ports")


def get(port: int, path: str = "/", host: str = "colors.test", seconds: float = 1.0) -> int:
    """Return the status of a request; 0 without an answer in time."""
    request = f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            connection.sendall(request)
            return int(connection.recv(100).split(b" ")[1])
    except (OSError, IndexError, ValueError):
        return 0


@pytest.fixture
def request_status():
    return get


@pytest.fixture
def new_layout():
    return free_layout


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """Two clouds, shared by the tests of a module: each must leave them running."""
    directory = tmp_path_factory.mktemp("state") / "sandbox"
    layout = free_layout(directory, "aws", "gcp")
    control.up(layout, SteadyClock(), lambda _: None)
    yield layout
    control.down(directory)
    assert processes.find(layout.directory) == ()
    assert not directory.exists()
