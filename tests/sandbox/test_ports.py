"""Taken ports are named with their holder."""

import os
import socket

import pytest

from crossfade.base.errors import Conflict
from crossfade.sandbox import ports


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - the case itself
def test_a_taken_port_is_told_with_purpose_and_process(address):
    with socket.socket() as server:
        server.bind((address, 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(Conflict) as taken:
            ports.require_free({port: "edge"})
    facts = taken.value.facts
    assert (facts["port"], facts["pid"], facts["wanted_for"]) == (port, os.getpid(), "edge")
    ports.require_free({port: "edge"})


def test_a_port_with_old_connections_is_free():
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            taken, _ = server.accept()
            taken.close()  # our side closes first and keeps the port in TIME_WAIT
            client.recv(1)
    assert ports.is_free(port)


def test_the_holder_of_a_port_that_nobody_has_is_unknown():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert ports.holder(port) is None
