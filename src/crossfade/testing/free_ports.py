"""Ports for the servers of tests."""

import contextlib
import secrets
import socket


def free_port() -> int:
    """Return a port that nobody uses, outside the range that outgoing connections take."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
