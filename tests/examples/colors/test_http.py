"""Color Coded survives what clients may send: HTTP as it is, and what is not HTTP at all."""

import os
import re
import socket
import time

import httpx
import pytest

GET = b"GET /callme HTTP/1.1\r\nHost: x\r\n\r\n"


def ask(port: int, sent: bytes, seconds: float = 5) -> bytes:
    """Send bytes and return all that comes until the app closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(sent)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
        return received


def statuses(received: bytes) -> list[int]:
    """Return the status of each answer in the stream."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"nonsense\r\n\r\n", 400, id="no-request-line"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 400, id="tls"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, id="http-2"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no-host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400, id="folded-header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, id="blank-before-colon"),
        pytest.param(
            b"POST /callme HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, id="length"
        ),
        pytest.param(
            b"POST /callme HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
            id="two-lengths",
        ),
        pytest.param(
            b"POST /callme HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
            id="chunked",
        ),
        pytest.param(
            b"POST /callme HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413, id="body"
        ),
        pytest.param(
            b"POST /callme HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 6000 + b"\r\n\r\n",
            413,
            id="endless-length",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", 431, id="headers"
        ),
        pytest.param(b"GET /" + b"y" * 20_000, 431, id="endless-line"),
    ],
)
def test_what_is_not_a_request_is_refused_and_the_connection_closed(start, sent, status):
    app = start()
    received = ask(app.port, sent)
    assert statuses(received) == [status]
    assert b"Connection: close" in received
    assert app.call().status_code == 200


def test_random_bytes_harm_nobody_else(start):
    app = start()
    for size in (1, 10, 1000, 100_000):
        ask(app.port, os.urandom(size) + b"\r\n\r\n", seconds=15)
    assert app.call().status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/callme?a=b", 200),
        ("HEAD", "/callme", 200),
        ("POST", "/callme", 200),
        ("DELETE", "/callme", 405),
        ("POST", "/", 405),
        ("GET", "/callme/", 404),
        ("GET", "/../etc/passwd", 404),
        ("GET", "/favicon.ico", 404),
        ("OPTIONS", "*", 404),
        ("GET", "http://colors.localhost/callme", 200),
    ],
)
def test_paths_and_methods(start, method, path, status):
    line = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = ask(start().port, line.encode())
    assert statuses(received) == [status]
    assert (b"Allow: " in received) == (status == 405)


def test_head_has_the_length_of_the_page_and_no_page(start):
    app = start()
    head = httpx.head(app.url)
    assert int(head.headers["content-length"]) == len(httpx.get(app.url).content)
    raw = ask(app.port, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert raw.endswith(b"\r\n\r\n")


def test_pipelined_requests_are_answered_in_their_order(start):
    app = start(LATENCY_MS="20")
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    unknown = b"GET /unknown HTTP/1.1\r\nHost: x\r\n\r\n"
    assert statuses(ask(app.port, GET + unknown + GET + last)) == [200, 404, 200, 200]


def test_a_request_in_crumbs_is_one_request(start):
    app = start()
    with socket.create_connection(("127.0.0.1", app.port), timeout=5) as connection:
        for byte in GET:
            connection.sendall(bytes([byte]))
        assert statuses(connection.recv(4096)) == [200]


def test_a_body_is_not_taken_for_the_next_request(start):
    post = b"POST /callme HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
    body = b"GET /unknown HTTP/1.1\r\nHost: x\r\n\r\n"
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    sent = post % (len(body), body) + post % (60_000, b"z" * 60_000) + last
    assert statuses(ask(start().port, sent)) == [200, 200, 200]


def test_old_clients_are_closed_unless_they_ask_to_stay(start):
    app = start()
    assert b"Connection: close" in ask(app.port, b"GET /callme HTTP/1.0\r\n\r\n")
    with socket.create_connection(("127.0.0.1", app.port), timeout=5) as connection:
        for _ in range(2):
            connection.sendall(b"GET /callme HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"Connection: keep-alive" in connection.recv(4096)


def test_a_client_that_never_ends_its_request_is_parted_with(start):
    app = start()
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert app.call().status_code == 200  # others do not wait for it
        received = connection.recv(4096)
        assert connection.recv(4096) == b""
    assert statuses(received) == [408]
    assert 9 < time.monotonic() - began < 15


def test_a_client_that_takes_no_answers_costs_no_memory(start):
    app = start()
    page = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", app.port), timeout=2) as connection:
        with pytest.raises(TimeoutError):  # the app stops reading: the client has to wait
            connection.sendall(page * 1_000_000)
        with open(f"/proc/{app.process.pid}/statm") as statm:
            resident = int(statm.read().split()[1]) * 4096
        assert resident < 40 * 2**20
        assert app.call().status_code == 200
