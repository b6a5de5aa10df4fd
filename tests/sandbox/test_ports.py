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


def test_a_port_that_an_outgoing_connection_has_is_told_as_such(monkeypatch):
    monkeypatch.setattr(ports, "is_free", lambda port: port != 40_000)
    monkeypatch.setattr(ports, "first_outgoing_port", lambda: 32_768)
    with pytest.raises(Conflict) as taken:
        ports.require_free({39_999: "edge", 40_000: "gateway of aws"})

    assert "from 32768 on, ports belong to outgoing connections" in taken.value.hint


@pytest.mark.parametrize(("highest", "warned"), [(32_767, False), (32_768, True), (50_000, True)])
def test_ports_that_outgoing_connections_get_are_warned_of(monkeypatch, highest, warned):
    monkeypatch.setattr(ports, "first_outgoing_port", lambda: 32_768)

    assert (f"ports up to {highest} are used" in ports.warning([20_000, highest])) is warned
    assert bool(ports.warning([20_000, highest])) is warned


def test_the_holder_of_a_port_that_nobody_has_is_unknown():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert ports.holder(port) is None
